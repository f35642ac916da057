"""How planes move: smooth paths in all six directions, and the random walk of the authors' clips."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .draws import Draws

AUTHORS_STEP_PX = 40
"""Largest step of the random walk between two frames, on a frame 1024 px wide."""


@dataclass(frozen=True)
class Track:
    """Where a plane is in every frame.

    Attributes:
        x, y: float64 [T], frame px of the middle of the texture.
        inverse_depth: float64 [T], 1 / z at that middle, > 0.
        tilt: float64 [T, 2], change of 1 / z per frame px to the right and downwards.
        rotation: float64 [T], radians, clockwise on the screen.
        scale: float64 [T], frame px per texture px.
    """

    x: Tensor
    y: Tensor
    inverse_depth: Tensor
    tilt: Tensor
    rotation: Tensor
    scale: Tensor

    def __len__(self) -> int:
        return len(self.x)


def smooth_path(
    draws: Draws, num_frames: int, *, middle: float, amplitude: float, period_frames: tuple[float, float]
) -> Tensor:
    """Sum of two sinusoids around `middle`, never farther from it than `amplitude`: float64 [T].

    A shorter clip is the beginning of a longer one.

    Args:
        period_frames: range of the periods in frames.
    """
    frames = torch.arange(num_frames, dtype=torch.float64)
    share = draws.uniform(0.6, 0.9)
    path = torch.full((num_frames,), float(middle), dtype=torch.float64)
    for part in (share, 1 - share):
        period, phase = draws.uniform(*period_frames), draws.uniform(0, 2 * math.pi)
        path += amplitude * part * torch.sin(2 * math.pi * frames / period + phase)
    return path


def random_walk(draws: Draws, num_frames: int, *, start: float, step: float) -> Tensor:
    """Start, then uniform steps of -step to step between frames: float64 [T]."""
    steps = step * (2 * draws.numbers(num_frames) - 1)
    steps[0] = start
    return steps.cumsum(0)


def scale_with_depth(inverse_depth: Tensor, nearest: float) -> Tensor:
    """Frame px per texture px [T]: apparent size is proportional to 1 / z, and 1 where 1 / z is `nearest`."""
    return inverse_depth / nearest


def tilt_towards(
    direction: Tensor, deviation: float, inverse_depth: Tensor, reach_px: Tensor, middle: float
) -> Tensor:
    """Tilt [T, 2] that makes 1 / z differ by `deviation` from the middle at the plane's farthest corner.

    Args:
        direction: [T], radians, where the plane comes nearer.
        deviation: at inverse depth `middle`; it grows and shrinks with the plane.
        inverse_depth: [T].
        reach_px: [T], frame px from the plane's middle to its corners.
    """
    steepness = deviation * (inverse_depth / middle) / reach_px
    return steepness[:, None] * torch.stack([direction.cos(), direction.sin()], dim=1)
