"""Single pixels that were given another surface than all around them."""

from __future__ import annotations

import torch
from torch import Tensor

# A corner of a surface has three beside it that are of the surface too.
_LEAST_BESIDE = 3


def without_specks(disparity: Tensor, y: Tensor, x: Tensor, values: Tensor) -> Tensor:
    """Give pixels [P] other values, but where fewer than three beside them are rather of the new one.

    Args:
        disparity: [H, W].
        y, x: [P], each pixel once.
        values: [P].

    Returns:
        [H, W], the very tensor given where nothing changes.
    """
    before = disparity[y, x]
    changed = values != before
    y, x, before, values = y[changed], x[changed], before[changed], values[changed]
    height, width = disparity.shape
    result = disparity.clone()
    result[y, x] = values
    beside = torch.zeros_like(y)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            if (down, right) != (0, 0):
                # Beyond the border lies the nearest pixel.
                other = result[(y + down).clamp(0, height - 1), (x + right).clamp(0, width - 1)]
                beside += (other - values).abs() < (other - before).abs()
    speck = beside < _LEAST_BESIDE
    if bool(speck.all()):
        return disparity
    result[y[speck], x[speck]] = before[speck]
    return result
