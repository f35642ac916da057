"""Single pixels that were given another surface than all around them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# A corner of a surface has three beside it that are of the surface too.
_LEAST_BESIDE = 3


def without_specks(before: Tensor, after: Tensor) -> Tensor:
    """Give changed pixels their value back where fewer than three beside them are rather of the other one.

    Args:
        before: [H, W].
        after: [H, W].

    Returns:
        [H, W], the very `before` where nothing else is left of the change.
    """
    y, x = (after != before).nonzero(as_tuple=True)
    old, new = before[y, x], after[y, x]
    padded = F.pad(after[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    beside = torch.zeros_like(y)
    for down in range(3):
        for right in range(3):
            if (down, right) != (1, 1):
                other = padded[y + down, x + right]
                beside += (other - new).abs() < (other - old).abs()
    speck = beside < _LEAST_BESIDE
    if bool(speck.all()):
        return before
    result = after.clone()
    result[y[speck], x[speck]] = old[speck]
    return result
