"""Masks of any size brought to the size of the frames."""

import torch.nn.functional as F
from torch import Tensor

from .aspect import require_same_picture

# Below this a mask pixel is more background than subject.
INSIDE_MASK = 0.5
# What the host's Load Image gives for a picture without alpha.
_NO_ALPHA_SIZE = (64, 64)


def empty_mask_advice(size: tuple[int, ...], largest: float) -> str:
    """What to do about masks of this (height, width) that are nowhere above `largest`."""
    if tuple(size) == _NO_ALPHA_SIZE and largest == 0:
        return (
            "64 x 64 zeros are what Load Image gives for a picture without alpha: use Load Image (as Mask) "
            "with the channel red, or Convert Image to Mask"
        )
    return "check the segmenter, or use Focus at Point"


def resize_mask(mask: Tensor, height: int, width: int) -> Tensor:
    """Resize masks [T, h, w] or one mask [h, w] in [0, 1] to [T, height, width], antialiased.

    Raises:
        ValueError: the masks lie where the frames stand, or are of quite another shape.
    """
    masks = (mask if mask.ndim == 3 else mask[None]).float()
    if masks.shape[1:] == (height, width):
        return masks
    # A mask of one value, as nodes make them, shows no picture.
    lowest, highest = masks.aminmax()
    if bool(lowest != highest):
        require_same_picture(masks.shape[1:], (height, width), "masks")
    return F.interpolate(
        masks[:, None], (height, width), mode="bilinear", antialias=True, align_corners=False
    )[:, 0]
