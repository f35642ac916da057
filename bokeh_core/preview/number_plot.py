"""Numbers over time as a picture: a strip for each, on its own scale."""

from collections.abc import Mapping

import cv2
import numpy as np
import torch
from torch import Tensor

from ..clip.checks import checked_values
from .focus_plot import BACKGROUND, GRID, MOST_TICKS, WIDTH_PX, draw_curve, write_text

STRIP_PX = 110
_MOST = 1e9
_LEFT, _RIGHT, _TOP, _BELOW = 100, 30, 34, 34
_COLOURS = ((255, 210, 74), (111, 195, 255), (140, 220, 130), (240, 140, 160), (200, 160, 255))


def number_plot(numbers: Mapping[str, Tensor]) -> Tensor:
    """Draw numbers over the frames, one below the other, each from its least to its greatest value.

    Args:
        numbers: [T] each, by what they are called, with their unit.

    Returns:
        float32 RGB [1, H, 960, 3] in [0, 1], H = 110 px for each and 34 below.

    Raises:
        ValueError: nothing to draw, values of other lengths, or that are no numbers.
    """
    if not numbers:
        raise ValueError("There are no numbers to plot; give at least one.")
    curves = {
        name: checked_values(values, name, -_MOST, _MOST).cpu().double().numpy()
        for name, values in numbers.items()
    }
    lengths = {name: len(values) for name, values in curves.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"Numbers over time of different lengths ({said}) cannot share a plot.")
    height_px = STRIP_PX * len(curves) + _BELOW
    canvas = np.full((height_px, WIDTH_PX, 3), BACKGROUND, np.uint8)
    last = next(iter(lengths.values())) - 1
    x_of = np.linspace(_LEFT, WIDTH_PX - _RIGHT, last + 1) if last else np.array([_LEFT])
    for row, (name, values) in enumerate(curves.items()):
        _strip(canvas, row * STRIP_PX, x_of, name, values, _COLOURS[row % len(_COLOURS)])
    bottom = height_px - _BELOW
    for frame in range(0, last + 1, max(1, -(-last // MOST_TICKS))):
        x = int(x_of[frame])
        cv2.line(canvas, (x, bottom), (x, bottom + 5), GRID, 1)
        write_text(canvas, str(frame), (x - 6, bottom + 20))
    write_text(canvas, "frame", (_LEFT - 75, bottom + 20))
    return torch.from_numpy(canvas).float()[None] / 255


def _strip(
    canvas: np.ndarray,
    top: int,
    x: np.ndarray,
    name: str,
    values: np.ndarray,
    colour: tuple[int, int, int],
) -> None:
    low, high = float(values.min()), float(values.max())
    # A number that stays is a line in the middle.
    share = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    floor = top + STRIP_PX - 10
    y = floor - share * (STRIP_PX - _TOP - 10)
    write_text(canvas, name, (_LEFT, top + 22), colour)
    for value, height in ((high, top + _TOP), (low, floor)) if high > low else ((low, int(y[0])),):
        cv2.line(canvas, (_LEFT, height), (WIDTH_PX - _RIGHT, height), GRID, 1)
        write_text(canvas, f"{value:.4g}", (_LEFT - 8, height + 5), to_the_left=True)
    draw_curve(canvas, x, y, colour, 2)
