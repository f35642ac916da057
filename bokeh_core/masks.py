"""Masks of any size brought to the size of the frames."""

import torch.nn.functional as F
from torch import Tensor


def resize_mask(mask: Tensor, height: int, width: int) -> Tensor:
    """Resize masks [T, h, w] or one mask [h, w] in [0, 1] to [T, height, width], antialiased."""
    masks = (mask if mask.ndim == 3 else mask[None]).float()
    if masks.shape[1:] == (height, width):
        return masks
    return F.interpolate(
        masks[:, None], (height, width), mode="bilinear", antialias=True, align_corners=False
    )[:, 0]
