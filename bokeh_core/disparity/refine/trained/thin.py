"""Thin things of a map, which are left as they are."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Of disparity: what stands out by less is no thing.
_LEAST_HEIGHT = 0.03
# What an uneven outline has is shorter than a line that crosses a window of this reach.
_LINE_REACH_PX = 4
_BESIDE_PX = 2


def thin_things(disparity: Tensor) -> Tensor:
    """Find lines, and gaps, no wider than 2 px, and what lies right beside them.

    Where a thin thing may be a px off, what is behind it is the likeliest everywhere, so it would be eaten.

    Args:
        disparity: [h, w].

    Returns:
        bool [h, w].
    """
    opened = _highest(_lowest(disparity, 1), 1)
    closed = _lowest(_highest(disparity, 1), 1)
    thin = (torch.maximum(disparity - opened, closed - disparity) > _LEAST_HEIGHT).float()
    side = 2 * _LINE_REACH_PX + 1
    pixels = F.avg_pool2d(thin[None], side, 1, _LINE_REACH_PX)[0] * side * side
    # Whole numbers: rounding must not decide.
    return _highest(thin * (pixels > side + 0.5), _BESIDE_PX) > 0


def _highest(values: Tensor, reach_px: int) -> Tensor:
    return F.max_pool2d(values[None], 2 * reach_px + 1, 1, reach_px)[0]


def _lowest(values: Tensor, reach_px: int) -> Tensor:
    return -_highest(-values, reach_px)
