"""The highest value, and the sum, of the square around each pixel, for tensors on any device.

Windows are doubled: a window of 13 px takes five passes of a whole plane, where pooling looks at 13 values of
each pixel. Beyond the border there is nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

_Join = Callable[[Tensor, Tensor], Tensor]


def highest(values: Tensor, reach_px: int) -> Tensor:
    """The highest of values [..., h, w] within so many px to each side."""
    return _of_squares(values, reach_px, torch.maximum, float("-inf"))


def lowest(values: Tensor, reach_px: int) -> Tensor:
    """The lowest of values [..., h, w] within so many px to each side."""
    return _of_squares(values, reach_px, torch.minimum, float("inf"))


def sum_around(values: Tensor, reach_px: int) -> Tensor:
    """The sum of values [..., h, w] within so many px to each side."""
    return _of_squares(values, reach_px, torch.add, 0.0)


def _of_squares(values: Tensor, reach_px: int, join: _Join, nothing: float) -> Tensor:
    length = 2 * reach_px + 1
    rows = _of_windows(F.pad(values, (reach_px, reach_px), value=nothing), length, -1, join)
    return _of_windows(F.pad(rows, (0, 0, reach_px, reach_px), value=nothing), length, -2, join)


def _of_windows(values: Tensor, length: int, dim: int, join: _Join) -> Tensor:
    """Join each value of an axis with the `length` - 1 that follow it; as many fewer are left."""
    left = values.shape[dim] - length + 1
    result: Tensor | None = None
    # Each binary digit of the length is a window that begins where the one before it ends.
    done, part = 0, 1
    while True:
        if length & part:
            piece = values.narrow(dim, done, left)
            result = piece if result is None else join(result, piece)
            done += part
        if 2 * part > length:
            assert result is not None
            return result
        pairs = values.shape[dim] - part
        values = join(values.narrow(dim, 0, pairs), values.narrow(dim, part, pairs))
        part *= 2
