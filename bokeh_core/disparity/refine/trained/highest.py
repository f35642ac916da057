"""The highest value around each pixel, for tensors on any device."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def highest(values: Tensor, reach_px: int) -> Tensor:
    """The highest [B, h, w] within so many px to each side, along the rows and then the columns."""
    side = 2 * reach_px + 1
    along = F.max_pool2d(values[:, None], (1, side), 1, (0, reach_px))
    return F.max_pool2d(along, (side, 1), 1, (reach_px, 0))[:, 0]
