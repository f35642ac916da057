"""Thin things of a map, which are left as they are."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .highest import highest

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
    own = disparity[None]
    opened, closed = highest(_lowest(own, 1), 1), _lowest(highest(own, 1), 1)
    thin = (torch.maximum(own - opened, closed - own) > _LEAST_HEIGHT).float()
    side = 2 * _LINE_REACH_PX + 1
    pixels = F.avg_pool2d(thin, side, 1, _LINE_REACH_PX) * side * side
    # Whole numbers: rounding must not decide.
    return highest(thin * (pixels > side + 0.5), _BESIDE_PX)[0] > 0


def _lowest(values: Tensor, reach_px: int) -> Tensor:
    return -highest(-values, reach_px)
