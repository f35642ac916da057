"""Where the lens is focused: one focal disparity per frame, from a number, a point or a mask."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..clip.checks import checked_mask, checked_masks
from ..clip.lengths import broadcast_over_frames
from ..clip.masks import empty_mask_advice
from ..motion.map_cuts import MapCutFinder
from ..schedule.text import MOST_FRAME
from ..schedule.values import (
    Keyframes,
    interpolate_keyframes,
    parse_keyframes,
    schedule_values,
    segment_at_frames,
)
from ..setting_checks import require_choice, require_number, require_whole_number
from .maps import FrameMaps, checked_stream
from .measure import disk_at, hold_gaps, mean_inside, surface_in
from .smoothing import require_smoothing, smooth_within_pieces

# What happens between two point keyframes: the point travels with one subject, or the focus moves
# from the subject at one point to the subject at the other.
BETWEEN_POINTS = ("follow the point", "rack focus")

CENTRE = -1

_MOST_RADIUS_PX = 100_000


def focus_at_value(
    num_frames: int, focal_disparity: float = 0.5, keyframes: str = "", easing: str = "linear"
) -> Tensor:
    """Return a given focal disparity for every frame.

    Args:
        num_frames: length of the clip.
        focal_disparity: in [0, 1], used where `keyframes` is blank.
        keyframes: text for `schedule.schedule_values` with the column "focal_disparity".
        easing: curve between keyframes; see `schedule.EASINGS`.

    Returns:
        float32 [T] in [0, 1].

    Raises:
        ValueError: a value outside [0, 1], unreadable text, or fewer values than frames.
    """
    if not isinstance(keyframes, str) or keyframes.strip():
        return schedule_values(
            keyframes, num_frames, column="focal_disparity", easing=easing, minimum=0.0, maximum=1.0
        )
    require_whole_number("The length of the clip", num_frames, 1, MOST_FRAME, "frames")
    require_number("focal_disparity", focal_disparity, 0, 1, meaning="0 = farthest, 1 = nearest")
    return torch.full((num_frames,), float(focal_disparity))


def focus_at_point(
    disparity: FrameMaps,
    x_px: int = CENTRE,
    y_px: int = CENTRE,
    radius_px: int = 8,
    smoothing_frames: float = 2.0,
    keyframes: str = "",
    between_keyframes: str = "follow the point",
    easing: str = "linear",
) -> Tensor:
    """Focus on what lies at a point: the median disparity in a disk around it, per frame.

    The median of an even count is the lower one, so that a disk across an edge picks one of the
    two surfaces and never the empty space between.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        x_px: column, 0 = left; -1 = centre of the frame.
        y_px: row, 0 = top; -1 = centre of the frame.
        radius_px: radius of the disk, >= 0.
        smoothing_frames: standard deviation in frames of the smoothing over time, 0 = off; it stops where the
            whole map jumps, see `motion.map_cuts`.
        keyframes: "frame: x, y" entries that replace x_px and y_px.
        between_keyframes: one of `BETWEEN_POINTS`.
        easing: curve between keyframes; see `schedule.EASINGS`.

    Returns:
        float32 [T] in [0, 1].

    Raises:
        ValueError: a point outside the frame, a negative radius or smoothing, unreadable keyframes.
    """
    disparity = checked_stream(disparity)
    num_frames, height, width = disparity.shape
    require_whole_number("radius", radius_px, 0, _MOST_RADIUS_PX, "px", "0 = the pixel alone")
    require_choice("between_keyframes", between_keyframes, BETWEEN_POINTS)
    require_smoothing(smoothing_frames)
    points = point_keyframes(x_px, y_px, keyframes, (height, width))

    pieces = MapCutFinder()
    if between_keyframes == "follow the point":
        path = interpolate_keyframes(points, num_frames, easing)
        focal = torch.tensor(
            [_disparity_at(frame, path[t], radius_px) for t, frame in _looked_at(disparity, pieces)]
        )
    else:
        before, after, weight = segment_at_frames(points, num_frames, easing)
        ends = [
            [_disparity_at(frame, points.values[index[t]], radius_px) for index in (before, after)]
            for t, frame in _looked_at(disparity, pieces)
        ]
        start, end = torch.tensor(ends).unbind(1)
        focal = start + (end - start) * weight.float()
    return smooth_within_pieces(focal, smoothing_frames, pieces.starts())


def point_keyframes(x_px: int, y_px: int, keyframes: str, size: tuple[int, int]) -> Keyframes:
    """Return the points that `focus_at_point` measures at, (x, y) in px; arguments as there.

    Raises:
        ValueError: a point outside the frame of `size`, (height, width) in px; unreadable keyframes.
    """
    height, width = size
    if not isinstance(keyframes, str) or keyframes.strip():
        points = parse_keyframes(keyframes, 2, "Point keyframes")
    else:
        for name, value, length in (("x", x_px, width), ("y", y_px, height)):
            require_whole_number(name, value, -(10**9), 10**9, "px", f"0 to {length - 1} here, -1 = centre")
        x = width // 2 if x_px == CENTRE else x_px
        y = height // 2 if y_px == CENTRE else y_px
        points = Keyframes((0,), torch.tensor([[x, y]], dtype=torch.float64))
    for x, y in points.values.tolist():
        require_inside(x, y, width, height)
    return points


def focus_on_mask(disparity: FrameMaps, mask: Tensor | FrameMaps, smoothing_frames: float = 2.0) -> Tensor:
    """Focus on a masked subject: the mean disparity inside the mask without its extremes, per frame.

    Pixels count where the mask is at least 0.5, weighted by the mask; the lowest and highest 20 %
    of that weight are left out. A frame with an empty mask keeps the value of the last frame that
    had one; leading empty frames take the first.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        mask: [T, h, w] or [1, h, w] in [0, 1], resized to the disparity.
        smoothing_frames: standard deviation in frames of the smoothing over time, 0 = off.

    Returns:
        float32 [T] in [0, 1].

    Raises:
        ValueError: every mask is empty, another number of masks than frames, negative smoothing.
    """
    disparity = checked_stream(disparity)
    num_frames = disparity.shape[0]
    require_smoothing(smoothing_frames)
    masks: FrameMaps
    if isinstance(mask, FrameMaps) and not isinstance(mask, Tensor):
        masks = mask
    else:
        masks = broadcast_over_frames(checked_masks(mask), num_frames, "mask")
    focal = torch.full((num_frames,), math.nan)
    largest = -math.inf
    pieces = MapCutFinder()
    for (t, frame), frame_mask in zip(_looked_at(disparity, pieces), masks, strict=True):
        frame_mask = checked_mask(frame_mask, t)
        largest = max(largest, frame_mask.max().item())
        focal[t] = mean_inside(frame, frame_mask)
    if bool(focal.isnan().all()):
        raise ValueError(
            f"The mask is empty in all {num_frames} frames (its largest value is {largest:g}, 0.5 "
            f"is needed somewhere); {empty_mask_advice(frame_mask.shape, largest)}."
        )
    return smooth_within_pieces(hold_gaps(focal), smoothing_frames, pieces.starts())


def _looked_at(disparity: FrameMaps, pieces: MapCutFinder) -> Iterator[tuple[int, Tensor]]:
    """Each map with its number, shown to the finder of pieces on the way."""
    for t, frame in enumerate(disparity):
        pieces.add(frame)
        yield t, frame


def require_inside(x: float, y: float, width: int, height: int) -> None:
    """Check that a point lies in a frame.

    Raises:
        ValueError: it does not.
    """
    if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
        raise ValueError(
            f"The point ({x:g}, {y:g}) is outside the frame of {width} x {height} px; "
            f"x must be 0 to {width - 1} and y 0 to {height - 1}."
        )


def _disparity_at(disparity: Tensor, point: Tensor, radius_px: int) -> float:
    x, y = (round(value) for value in point.tolist())
    return surface_in(disk_at(disparity, x, y, radius_px))[0]
