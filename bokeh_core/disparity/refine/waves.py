"""Slow waves over a map that come and go from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .course import steady_value
from .neighbour import Neighbour

_CELL_PX = 8
# Standard deviation of the window that a wave is measured in, as a part of the width.
_SIGMA_OF_WIDTH = 1 / 48
# Of disparity: what differs by more is no wave.
_OUTLIER = 0.12
# Left alone, as rounding to 8 bits, and motion known to a part of a px, leave it.
_DEAD = 0.001


def wave(own: Tensor, flat: Tensor, neighbours: Sequence[Neighbour], seen: Tensor) -> Tensor:
    """Shift that brings a map to the course that it and its neighbours in time follow, without fine detail.

    Args:
        own: [h, w].
        flat: [h, w], see `SmallFrame`.
        neighbours: N of them.
        seen: [N, h, w], their maps as seen from the frame.

    Returns:
        [h', w'], one value a cell of 8 px; mostly 0.
    """
    away = seen - own
    trust = torch.stack([neighbour.match.trust for neighbour in neighbours]) * flat
    trust = trust / (1 + (away / _OUTLIER).square()).square()
    cells = [max(1, round(side / _CELL_PX)) for side in own.shape]
    sums = F.interpolate(torch.cat([away * trust, trust])[:, None], cells, mode="area")
    sums = _blurred(sums, max(1.0, own.shape[1] * _SIGMA_OF_WIDTH / _CELL_PX))[:, 0]
    shifts, weights = sums.chunk(2)
    shifts = shifts / weights.clamp(min=1e-6)
    own_place = torch.zeros_like(shifts[:1])
    places = [0.0, *(float(neighbour.place) for neighbour in neighbours)]
    at = torch.tensor(places, dtype=own.dtype, device=own.device)
    target = steady_value(
        at, torch.cat([own_place, shifts]), torch.cat([torch.ones_like(own_place), weights + 1e-6])
    )
    return target.sign() * (target.abs() - _DEAD).clamp(min=0)


def of_size(cells: Tensor, size: Sequence[int]) -> Tensor:
    """A wave by cells as a smooth field [H, W]."""
    return F.interpolate(cells[None, None], tuple(size), mode="bicubic", align_corners=False)[0, 0]


def _blurred(values: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of [N, 1, h, w], with nothing around it."""
    reach = int(3 * sigma)
    at = torch.arange(-reach, reach + 1, dtype=values.dtype, device=values.device)
    kernel = torch.exp(-(at / sigma).square() / 2)
    kernel = kernel / kernel.sum()
    values = F.conv2d(values, kernel.view(1, 1, 1, -1), padding=(0, reach))
    return F.conv2d(values, kernel.view(1, 1, -1, 1), padding=(reach, 0))
