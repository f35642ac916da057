"""Thin things of a map, which are left as they are."""

from __future__ import annotations

import torch
from torch import Tensor

from ..around import highest, lowest, sum_around

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
    opened, closed = highest(lowest(disparity, 1), 1), lowest(highest(disparity, 1), 1)
    thin = (torch.maximum(disparity - opened, closed - disparity) > _LEAST_HEIGHT).float()
    is_line = sum_around(thin, _LINE_REACH_PX) > 2 * _LINE_REACH_PX + 1
    return highest(thin * is_line, _BESIDE_PX) > 0
