"""Depth maps arrive as pictures: take their one channel, and refuse colour maps."""

from typing import Any

import torch
from torch import Tensor

# A grey map that went through JPEG or a 4:2:0 codec differs between channels by less than this on
# average; a colour-mapped one by ten times more.
_MAX_GREY_SPREAD = 0.02


def grey_maps(images: Tensor, name: str = "The depth map") -> Tensor:
    """Take the one channel of grey pictures.

    Args:
        images: [T, H, W, C] with C = 1, 3 or 4; alpha is ignored, 8-bit integers are divided by 255.
        name: what they are, for messages.

    Returns:
        float32 [T, H, W].

    Raises:
        ValueError: no pictures, or coloured ones: a colour map cannot be turned back into depth.
    """
    images = with_frame_axes(images, name)
    # 8-bit levels of other programs; bool and half are converted below.
    images = images.detach() / 255 if images.dtype == torch.uint8 else images.detach()
    channels = images.shape[-1]
    if channels == 1:
        return images[..., 0].float()
    if channels not in (3, 4):
        raise ValueError(f"{name} has {channels} channels; a grey picture has 1, 3 or 4.")
    maps = torch.empty(images.shape[:3])
    spread = mean = 0.0
    for t, image in enumerate(images):
        colours = image[..., :3].float()
        lowest, highest = colours.aminmax(dim=-1)
        # Holes may be NaN or infinite in every channel.
        frame_spread = (highest - lowest).nan_to_num(0, 0, 0).mean().item()
        spread += frame_spread / len(images)
        # Equal channels are taken as they are: a mean would add rounding.
        maps[t] = colours.mean(-1) if frame_spread > 0 else colours[..., 0]
        mean += maps[t].nan_to_num(0, 0, 0).mean().item() / len(images)
    # Distances run beyond 1, and their rounding with them.
    most = _MAX_GREY_SPREAD * max(1.0, mean)
    if spread > most:
        raise ValueError(
            f"{name} is coloured (its channels differ by {spread:.2f} on average; grey is at most "
            f"{most:.2g}); a colour map cannot be turned back into depth. Use a grey depth "
            "map; Estimate Depth makes one from the pictures themselves."
        )
    return maps


def with_frame_axes(images: Any, name: str) -> Tensor:
    """Return pictures as they are, checked to have the axes [T, H, W, C] and at least one pixel.

    Raises:
        ValueError: not pictures, or none.
    """
    if isinstance(images, Tensor) and images.ndim == 4 and 0 not in images.shape:
        return images
    found = (
        f"has shape {tuple(images.shape)}" if isinstance(images, Tensor) else f"is {type(images).__name__}"
    )
    raise ValueError(f"{name} {found}; it must be pictures [T, H, W, C], at least one.")
