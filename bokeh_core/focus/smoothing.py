"""Smoothing of a measured focus over time, which stops where the picture jumps to another one."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from ..setting_checks import require_number

MOST_SMOOTHING_FRAMES = 10_000.0


def require_smoothing(smoothing_frames: float, name: str = "smoothing") -> None:
    """Check a standard deviation of smoothing over time; `name` is what the caller's users know it by.

    Raises:
        ValueError: it is no number from 0 to `MOST_SMOOTHING_FRAMES`.
    """
    require_number(name, smoothing_frames, 0, MOST_SMOOTHING_FRAMES, "frames", "0 = off")


def smooth_within_pieces(values: Tensor, smoothing_frames: float, starts: list[int]) -> Tensor:
    """`smooth_over_time` of each piece [start, next start) of values [T] alone."""
    ends = [*starts[1:], len(values)]
    pieces = [smooth_over_time(values[a:b], smoothing_frames) for a, b in zip(starts, ends, strict=True)]
    return torch.cat(pieces)


def smooth_over_time(values: Tensor, smoothing_frames: float) -> Tensor:
    """Blur values [T] with a Gaussian of that standard deviation in frames; the ends are repeated."""
    reach = math.ceil(3 * smoothing_frames)
    if reach == 0:
        return values
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (offsets / smoothing_frames) ** 2)
    kernel /= kernel.sum()
    padded = functional.pad(values.double()[None, None], (reach, reach), mode="replicate")
    smoothed = functional.conv1d(padded, kernel[None, None])[0, 0].to(values)
    # Rounding must not carry a focal disparity out of its range.
    return smoothed.clamp(values.min(), values.max())
