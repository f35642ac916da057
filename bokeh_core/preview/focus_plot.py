"""Focus over time as a picture: near above, far below, with the decisions that made it."""

from collections.abc import Iterable

import cv2
import numpy as np
import torch
from torch import Tensor

from ..clip.checks import checked_values
from ..strength import checked_strength

WIDTH_PX, HEIGHT_PX = 960, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 30, 30, 50
BACKGROUND, GRID, LETTERS = (24, 24, 24), (64, 64, 64), (190, 190, 190)
_FOCUS_RGB, _STRENGTH_RGB = (255, 210, 74), (111, 195, 255)
MOST_TICKS = 12


def focus_plot(focal_disparity: Tensor, strength: Tensor, decided: Iterable[int] = ()) -> Tensor:
    """Draw focal disparity and K over the frames.

    Args:
        focal_disparity: [T] in [0, 1], 1 = near; yellow.
        strength: [T], K in px on a frame 1024 px wide; blue, from 0 to its greatest value.
        decided: frames with a decision, drawn as diamonds; those outside of the clip are left out.

    Returns:
        float32 RGB [1, 360, 960, 3] in [0, 1].

    Raises:
        ValueError: values of other lengths, or that are no numbers.
    """
    focal = checked_values(focal_disparity, "focal_disparity").cpu().numpy()
    strengths = checked_strength(strength).cpu().numpy()
    if len(focal) != len(strengths):
        raise ValueError(f"focal_disparity has {len(focal)} values and strength {len(strengths)}.")
    canvas = np.full((HEIGHT_PX, WIDTH_PX, 3), BACKGROUND, np.uint8)
    last = len(focal) - 1
    x_of = np.linspace(_LEFT, WIDTH_PX - _RIGHT, len(focal)) if last else np.array([_LEFT])

    def y_of(share: float | np.ndarray) -> np.ndarray:
        return np.asarray(_TOP + (1 - np.asarray(share)) * (HEIGHT_PX - _TOP - _BOTTOM))

    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = int(y_of(share))
        cv2.line(canvas, (_LEFT, y), (WIDTH_PX - _RIGHT, y), GRID, 1)
        write_text(canvas, f"{share:g}", (_LEFT - 8, y + 5), to_the_left=True)
    write_text(canvas, "near", (_LEFT - 40, _TOP - 10))
    write_text(canvas, "far", (_LEFT - 40, HEIGHT_PX - _BOTTOM + 22))
    step = max(1, -(-last // MOST_TICKS))
    for frame in range(0, last + 1, step):
        x = int(x_of[frame])
        cv2.line(canvas, (x, HEIGHT_PX - _BOTTOM), (x, HEIGHT_PX - _BOTTOM + 5), GRID, 1)
        write_text(canvas, str(frame), (x - 6, HEIGHT_PX - _BOTTOM + 22))
    write_text(canvas, "frame", (WIDTH_PX - _RIGHT - 45, HEIGHT_PX - 8))
    greatest = max(float(strengths.max()), 1e-6)
    draw_curve(canvas, x_of, y_of(strengths / greatest), _STRENGTH_RGB, 1)
    low, high = f"{strengths.min():.4g}", f"{strengths.max():.4g}"
    label = f"K {high}" if low == high else f"K {low} to {high}"
    write_text(canvas, label, (_LEFT + 90, HEIGHT_PX - 8), _STRENGTH_RGB)
    draw_curve(canvas, x_of, y_of(focal), _FOCUS_RGB, 2)
    write_text(canvas, "focus", (_LEFT, HEIGHT_PX - 8), _FOCUS_RGB)
    for frame in decided:
        if 0 <= frame <= last:
            x, y = int(x_of[frame]), int(y_of(focal[frame]))
            diamond = np.array([(x, y - 8), (x + 8, y), (x, y + 8), (x - 8, y)])
            cv2.fillConvexPoly(canvas, diamond, _FOCUS_RGB, cv2.LINE_AA)
            cv2.polylines(canvas, [diamond], True, (0, 0, 0), 1, cv2.LINE_AA)
    return torch.from_numpy(canvas).float()[None] / 255


def draw_curve(
    canvas: np.ndarray, x: np.ndarray, y: np.ndarray, colour: tuple[int, int, int], thickness: int
) -> None:
    """Draw a line through points in px; one of a single point runs to the right border."""
    points = np.stack([x, y], 1).round().astype(np.int32)
    if len(points) == 1:
        # A clip of one frame has no time to run along.
        points = np.array([points[0], (WIDTH_PX - _RIGHT, points[0, 1])], np.int32)
    cv2.polylines(canvas, [points], False, colour, thickness, cv2.LINE_AA)


def write_text(
    canvas: np.ndarray,
    text: str,
    at: tuple[int, int],
    colour: tuple[int, int, int] = LETTERS,
    *,
    to_the_left: bool = False,
) -> None:
    """Write a text that begins, or ends, at a place (x, y) in px of its base line."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.45
    width = cv2.getTextSize(text, font, scale, 1)[0][0] if to_the_left else 0
    cv2.putText(canvas, text, (at[0] - width, at[1]), font, scale, colour, 1, cv2.LINE_AA)
