"""Clips with known answers and slow references; nothing here calls the code under test."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bokeh_lab.peers import BokehTask
from bokeh_lab.scenes.scene import LayeredFrame

FOCUS = 0.5
# The middle of MPIB's plane 19 of 32: a surface there has the same radius in planes and without.
MIDDLE_OF_A_PLANE = 19.5 / 32


def noise(*shape: int, seed: int = 0) -> Tensor:
    """Uniform in [0, 1)."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def clip(
    frames: Tensor,
    disparity: Tensor | float,
    blur_strength_px: float,
    focal_disparity: float = FOCUS,
    gamma: float = 1.0,
    layers: list[LayeredFrame] | None = None,
) -> BokehTask:
    """A task with one focus and strength for all frames [T, H, W, 3]."""
    count = len(frames)
    return BokehTask(
        frames=frames,
        disparity=torch.as_tensor(disparity, dtype=torch.float32).expand(frames.shape[:3]),
        focal_disparity=torch.full((count,), focal_disparity),
        blur_strength_px=torch.full((count,), blur_strength_px),
        gamma=gamma,
        layers=layers,
    )


def flat_layer(frame: Tensor, disparity: float) -> LayeredFrame:
    """One fronto-parallel layer that shows a frame [H, W, 3]."""
    return LayeredFrame(
        frame.permute(2, 0, 1)[None],
        torch.ones(1, *frame.shape[:2]),
        torch.tensor([[disparity, 0, 0]], dtype=torch.float64),
    )


def flat_clip(frames: Tensor, radius_px: float, gamma: float = 1.0) -> BokehTask:
    """A clip on one plane in front of the focal plane, of the same blur radius everywhere; with layers."""
    strength = radius_px / (MIDDLE_OF_A_PLANE - FOCUS)
    layers = [flat_layer(frame, MIDDLE_OF_A_PLANE) for frame in frames]
    return clip(frames, MIDDLE_OF_A_PLANE, strength, gamma=gamma, layers=layers)


def point_of_light(size_px: int = 41) -> Tensor:
    """[1, S, S, 3], black with one white pixel in the middle."""
    frames = torch.zeros(1, size_px, size_px, 3)
    frames[0, size_px // 2, size_px // 2] = 1
    return frames


def two_planes(size_px: int = 40, near: float = 0.8, far: float = 0.2) -> tuple[Tensor, Tensor, LayeredFrame]:
    """A square in front of a wall: frames [1, S, S, 3], where the square is, bool [S, S], and the layers.

    The square has disparity 25.5/32, the wall 6.5/32.
    """
    inside = torch.zeros(size_px, size_px, dtype=torch.bool)
    quarter = size_px // 4
    inside[quarter:-quarter, quarter:-quarter] = True
    frame = torch.where(inside, near, far)[..., None].expand(-1, -1, 3)
    layers = LayeredFrame(
        torch.tensor([near, far])[:, None, None, None].expand(2, 3, size_px, size_px),
        torch.stack([inside.float(), torch.ones(size_px, size_px)]),
        torch.tensor([[25.5 / 32, 0, 0], [6.5 / 32, 0, 0]], dtype=torch.float64),
    )
    return frame[None].contiguous(), inside, layers


def two_plane_clip(in_focus: str, radius_px: float, gamma: float = 1.0) -> tuple[BokehTask, Tensor]:
    """The square or the wall in focus, the other blurred by a radius; and where the square is."""
    frames, inside, layers = two_planes()
    disparity = torch.where(inside, 25.5 / 32, 6.5 / 32)
    focus = 25.5 / 32 if in_focus == "square" else 6.5 / 32
    return clip(frames, disparity, radius_px / (19 / 32), focus, gamma, [layers]), inside


def area_disk(radius_px: float) -> np.ndarray:
    """Disk on a pixel grid, each pixel the share of it inside that pixel, by fine sampling; sum 1."""
    if radius_px < 0.5:
        return np.ones((1, 1))
    half = math.ceil(radius_px)
    fine = 40
    axis = (np.arange((2 * half + 1) * fine) + 0.5) / fine - (half + 0.5)
    inside = np.hypot(axis[:, None], axis) < radius_px
    pixels = inside.reshape(2 * half + 1, fine, 2 * half + 1, fine).mean(axis=(1, 3))
    return pixels / pixels.sum()


def neighbours(height: int, width: int, y: int, x: int, reach: int) -> list[tuple[int, int, float]]:
    """(row, column, distance) of all pixels of the frame within a square around (y, x)."""
    return [
        (row, column, math.hypot(row - y, column - x))
        for row in range(max(y - reach, 0), min(y + reach + 1, height))
        for column in range(max(x - reach, 0), min(x + reach + 1, width))
    ]


def per_pixel(height: int, width: int, value: Callable[[int, int], np.ndarray]) -> np.ndarray:
    """[H, W, 3] from a function of row and column."""
    return np.array([[value(y, x) for x in range(width)] for y in range(height)])


def correlate_replicated(planes: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Correlate [H, W, C] with [k, k] pixel by pixel, border pixels repeated."""
    height, width, _ = planes.shape
    half = kernel.shape[0] // 2

    def value(y: int, x: int) -> np.ndarray:
        total = np.zeros(planes.shape[2])
        for dy in range(-half, half + 1):
            for dx in range(-half, half + 1):
                row, column = min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)
                total += kernel[dy + half, dx + half] * planes[row, column]
        return total

    return per_pixel(height, width, value)
