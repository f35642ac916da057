"""Show where the lens is focused before anything is rendered: near blue, in focus untouched, far red."""

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..clip.checks import checked_frames, checked_maps, checked_values
from ..clip.lengths import broadcast_over_frames
from ..coc import EQ_1, Falloff, signed_circle_of_confusion_px
from ..lens.light import LUMA_WEIGHTS
from ..progress import Progress, no_progress
from ..reference_width import REFERENCE_WIDTH_PX, as_stated, in_frame_px
from ..setting_checks import require_number
from ..strength import checked_strength_px
from ..thumbnail import rgb_over_grey

_NEAR_RGB = (0.16, 0.42, 1.0)
_FAR_RGB = (1.0, 0.22, 0.16)
_LUMA_WEIGHTS = (0.2126, 0.7152, 0.0722)

# On a frame 1024 px wide: the radius where blur begins to show, and how much more takes the tint to 63 %.
_VISIBLE_RADIUS = 0.5
_TINT_RADIUS = 5.0

_LINE_RADII_PX = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_CONTOUR_SIDE_PX = 512
# Lines around specks hide the picture and say nothing; as shares of the contoured map's perimeter.
_SHORTEST_LINE = 0.06
_LABELLED_LINE = 0.15
# Capital letters of OpenCV's plain font are 21 px high at scale 1.
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_HEIGHT_PX = 21
_SMALLEST_LETTER_PX = 8
_PLATE_BRIGHTNESS = 0.3
_POINT_RGB = (255, 214, 64)
_LINE_OPACITY = 0.65
# The dark rim of a line would cover a smaller picture.
_SHORTEST_RIMMED_SIDE_PX = 300


# left, top, right, bottom
_Box = tuple[float, float, float, float]
# x, y
_Point = tuple[float, float]


def focus_preview(
    frames: Tensor,
    disparity: Tensor,
    focal_disparity: Tensor,
    blur_strength_px: Tensor,
    *,
    show_radius: bool = True,
    tint: float = 0.6,
    points_px: Tensor | None = None,
    frame_numbers: Sequence[int] | None = None,
    falloff: Falloff | Sequence[Falloff] = EQ_1,
    progress: Progress = no_progress,
) -> Tensor:
    """Tint what is in front of the focal plane blue and what is behind it red, by how blurred it will be.

    Args:
        frames: [T, H, W, C], 0 = black, 1 = white, brighter shows white; C = 1, 3 or 4; what is transparent
            shows grey.
        disparity: [T, H, W] or [1, H, W] in [0, 1], 1 = near.
        focal_disparity: [T] or [1] in [0, 1].
        blur_strength_px: [T] or [1], K >= 0 in px of this frame.
        show_radius: draw lines of equal blur radius with their radius in px of this frame, and a ring around
            the point that is focused on; at the top the number of the frame, counted from 0, its focal
            disparity and its K on a frame 1024 px wide.
        tint: opacity of the colour where the blur is strong, 0 to 1.
        points_px: [T, 2] or [1, 2], (x, y) in px of this frame, what is focused on, see `focus.FocusPull`;
            a point outside the frame is not drawn.
        frame_numbers: what each frame is called; None = from 0 on.
        falloff: how the radius grows with the distance from the focal plane, in px of this frame; or one for
            each frame.
        progress: told of finished frames; may raise to stop.

    Returns:
        float32 RGB [T, H, W, 3] in [0, 1].

    Raises:
        ValueError: lengths or sizes that differ, another number of channels, tint out of range.
    """
    frames = checked_frames(frames)
    num_frames, height, width, _ = frames.shape
    disparity = checked_maps(disparity, "disparity", (height, width))
    focal_disparity = checked_values(focal_disparity, "focal_disparity")
    blur_strength_px = checked_strength_px(blur_strength_px, width)
    require_number("tint", tint, 0, 1, meaning="0 = none, 1 = opaque")
    disparity = broadcast_over_frames(disparity, num_frames, "disparity")
    focal_disparity = broadcast_over_frames(focal_disparity, num_frames, "focus")
    blur_strength_px = broadcast_over_frames(blur_strength_px, num_frames, "blur strength")

    points = [None] * num_frames if points_px is None else _checked_points(points_px, num_frames)

    preview = torch.empty(num_frames, height, width, 3)
    for t in range(num_frames):
        one = slice(t, t + 1)
        radius_px = signed_circle_of_confusion_px(
            disparity[one].cpu(),
            focal_disparity[one].cpu(),
            blur_strength_px[one].cpu(),
            falloff if isinstance(falloff, Falloff) else falloff[one],
        )[0]
        picture = _tinted(rgb_over_grey(frames[t].cpu().contiguous()), radius_px, tint)
        if show_radius:
            number = t if frame_numbers is None else frame_numbers[t]
            captions = captions_of(
                number, focal_disparity[t].item(), as_stated(blur_strength_px[t].item(), width)
            )
            picture = _with_radius_lines(picture, radius_px, captions, points[t])
        preview[t] = picture
        progress(t + 1, num_frames)
    return preview


def _checked_points(points_px: Tensor, num_frames: int) -> list[_Point | None]:
    if points_px.ndim != 2 or points_px.shape[1] != 2:
        raise ValueError(
            f"The focus points have shape {tuple(points_px.shape)}; they must be [T, 2], (x, y)."
        )
    points = broadcast_over_frames(points_px, num_frames, "focus points").tolist()
    return [(x, y) if math.isfinite(x) and math.isfinite(y) else None for x, y in points]


def captions_of(frame: int, focal_disparity: float, strength: float) -> tuple[str, ...]:
    """Return what is written at the top of a frame, the longest first, of which the first that fits is taken.

    Args:
        frame: its number, counted from 0 as keyframes count.
        focal_disparity: in [0, 1].
        strength: K in px on a frame 1024 px wide, as the widgets of Blur Strength state it.
    """
    number, focus = f"frame {frame}", f"focus {focal_disparity:.3f}"
    short = f"K {strength:.4g}"
    stated = f"{short} px at {REFERENCE_WIDTH_PX} px wide"
    choices = ([number, focus, stated], [number, focus, short], [number, focus], [number])
    return tuple("   ".join(choice) for choice in choices)


def _tinted(picture: Tensor, radius_px: Tensor, tint: float) -> Tensor:
    visible_px, tint_px = (in_frame_px(r, picture.shape[1]) for r in (_VISIBLE_RADIUS, _TINT_RADIUS))
    blur = (radius_px.abs() - visible_px).clamp_min_(0) / tint_px
    opacity = tint * (1 - torch.exp(-blur))
    colour = torch.where(radius_px[..., None] > 0, torch.tensor(_NEAR_RGB), torch.tensor(_FAR_RGB))
    luma = (picture * torch.tensor(LUMA_WEIGHTS)).sum(-1, keepdim=True)
    # The colour keeps the picture's light and dark, so that shapes stay readable under it.
    coloured = colour * (0.25 + 0.75 * luma)
    return torch.lerp(picture, coloured, opacity[..., None]).clamp_(0, 1)


def _with_radius_lines(
    picture: Tensor, radius_px: Tensor, captions: tuple[str, ...], point: _Point | None
) -> Tensor:
    canvas = np.ascontiguousarray((picture * 255).round().to(torch.uint8).numpy())
    radius = radius_px.cpu().numpy()
    short_side = min(radius.shape)
    largest = float(np.abs(radius).max())
    small = _contour_map(radius)
    lines = [
        (level, line, labelled)
        for level in _LINE_RADII_PX
        if level < largest
        for side in (small, -small)
        for line, labelled in _contours(side, level, radius.shape)
    ]
    line_px = max(1, round(short_side / 450))
    strokes = [((255, 255, 255), line_px)]
    if short_side >= _SHORTEST_RIMMED_SIDE_PX:
        strokes.insert(0, ((0, 0, 0), line_px + 2))
    lined = canvas.copy()
    for colour, thickness in strokes:
        for _, line, _ in lines:
            cv2.polylines(lined, [np.round(line).astype(np.int32)], False, colour, thickness, cv2.LINE_AA)
    canvas = cv2.addWeighted(lined, _LINE_OPACITY, canvas, 1 - _LINE_OPACITY, 0)

    letter_px = max(_SMALLEST_LETTER_PX, short_side / 40)
    taken: list[_Box] = []
    for caption in captions:
        if not taken:
            # Players lay their controls over the bottom.
            place = (letter_px, letter_px + _text_size(caption, letter_px)[1])
            taken += _draw_text(canvas, caption, place, letter_px, taken)
    if point is not None:
        taken += _draw_point(canvas, point, letter_px, line_px)
    for level, line, labelled in lines:
        if labelled:
            taken += _label_line(canvas, line, f"{level} px", letter_px, taken)
    return torch.from_numpy(canvas).float() / 255


def _contour_map(radius_px: NDArray[Any]) -> NDArray[Any]:
    """Shrink and smooth the radius for tracing: in a grainy map equal radii form a cloud of islands."""
    height, width = radius_px.shape
    shrink = min(1.0, _CONTOUR_SIDE_PX / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    return cv2.GaussianBlur(cv2.resize(radius_px, size, interpolation=cv2.INTER_AREA), (0, 0), 1.5)


def _contours(
    small: NDArray[Any], level: float, frame_size: tuple[int, ...]
) -> list[tuple[NDArray[Any], bool]]:
    """Trace where the radius reaches a level: polylines [N, 2] of (x, y) in px, and whether to label each."""
    small_height, small_width = small.shape
    height, width = frame_size
    inside = (small >= level).astype(np.uint8)
    found, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    perimeter = 2 * (small_width + small_height)
    to_frame = np.array([width / small_width, height / small_height])
    lines = []
    for contour in found:
        if len(contour) >= _SHORTEST_LINE * perimeter:
            for piece in _pieces_off_border(contour[:, 0, :].astype(np.float64), small_width, small_height):
                if len(piece) >= _SHORTEST_LINE * perimeter:
                    smooth = _smoothed(piece)
                    lines.append(((smooth + 0.5) * to_frame - 0.5, len(piece) >= _LABELLED_LINE * perimeter))
    return lines


def _pieces_off_border(contour: NDArray[Any], width: int, height: int) -> list[NDArray[Any]]:
    """Cut a closed contour [N, 2] where it runs along the frame: there it is no line of equal radius."""
    x, y = contour[:, 0], contour[:, 1]
    on_border = (x <= 0) | (y <= 0) | (x >= width - 1) | (y >= height - 1)
    if not on_border.any():
        return [np.concatenate([contour, contour[:1]])]
    start = int(np.argmax(on_border))
    contour, on_border = np.roll(contour, -start, axis=0), np.roll(on_border, -start)
    cuts = np.flatnonzero(np.diff(on_border)) + 1
    pieces = np.split(contour, cuts)
    return [piece for piece, border in zip(pieces, on_border[np.r_[0, cuts]], strict=True) if not border]


def _smoothed(line: NDArray[Any]) -> NDArray[Any]:
    """Moving average along a polyline [N, 2]; pixel steps become curves."""
    reach = min(3, (len(line) - 1) // 2)
    if (line[0] == line[-1]).all():
        padded = np.concatenate([line[-1 - reach : -1], line, line[1 : 1 + reach]])
    else:
        padded = np.pad(line, ((reach, reach), (0, 0)), mode="edge")
    window = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.asarray(window.mean(-1))


def _label_line(
    canvas: NDArray[Any], line: NDArray[Any], text: str, letter_px: float, taken: list[_Box]
) -> list[_Box]:
    """Write a label on the first of some places along a line that is free and inside the frame."""
    text_width, text_height, _ = _text_size(text, letter_px)
    for position in np.linspace(0.5, 1.5, 17)[:-1] % 1:
        x, y = line[int(position * (len(line) - 1))]
        box = _draw_text(canvas, text, (x - text_width / 2, y + text_height / 2), letter_px, taken)
        if box:
            return box
    return []


def _draw_point(canvas: NDArray[Any], point: _Point, letter_px: float, line_px: int) -> list[_Box]:
    """Mark what is focused on by a ring with a dot, and return its box; nothing outside the frame."""
    x, y = (round(value) for value in point)
    height, width = canvas.shape[:2]
    if not (0 <= x < width and 0 <= y < height):
        return []
    radius = max(3, round(letter_px * 0.9))
    for colour, wider in (((0, 0, 0), 2), (_POINT_RGB, 0)):
        cv2.circle(canvas, (x, y), radius, colour, line_px + 1 + wider, cv2.LINE_AA)
        cv2.circle(canvas, (x, y), line_px + wider // 2, colour, cv2.FILLED, cv2.LINE_AA)
    reach = radius + line_px + 2
    return [(x - reach, y - reach, x + reach, y + reach)]


def _text_size(text: str, letter_px: float) -> tuple[float, float, int]:
    thickness = max(1, round(letter_px / 10))
    (text_width, text_height), _ = cv2.getTextSize(text, _FONT, letter_px / _FONT_HEIGHT_PX, thickness)
    return text_width, text_height, thickness


def _draw_text(
    canvas: NDArray[Any], text: str, left_bottom: tuple[float, float], letter_px: float, taken: list[_Box]
) -> list[_Box]:
    """Write white letters on a dark plate and return its box; nothing where it would not fit or be free."""
    text_width, text_height, thickness = _text_size(text, letter_px)
    height, width = canvas.shape[:2]
    left, bottom = (round(value) for value in left_bottom)
    pad = max(2, round(letter_px / 2))
    box = (left - pad, round(bottom - text_height) - pad, left + round(text_width) + pad, bottom + pad)
    if box[0] < 0 or box[1] < 0 or box[2] > width or box[3] > height:
        return []
    if any(_overlap(box, other) for other in taken):
        return []
    plate = canvas[box[1] : box[3], box[0] : box[2]]
    plate[:] = (plate * _PLATE_BRIGHTNESS).astype(np.uint8)
    scale = letter_px / _FONT_HEIGHT_PX
    cv2.putText(canvas, text, (left, bottom), _FONT, scale, (255, 255, 255), thickness, cv2.LINE_AA)
    return [box]


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
