"""Pictures of any channels as the RGB that the network works on, and its result in the channels they had."""

import torch
from einops import rearrange, repeat
from torch import Tensor


def to_rgb(images: Tensor) -> Tensor:
    """Grey, RGB or RGBA [T, H, W, C] -> RGB [T, 3, H, W], without its alpha; a view where possible.

    Raises:
        ValueError: not a batch of pictures with 1, 3 or 4 channels.
    """
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"frames have shape {tuple(images.shape)}; they must be [T, H, W, C] with 1 (grey), 3 (RGB) or "
            "4 (RGBA) channels."
        )
    if images.shape[-1] == 1:
        return repeat(images, "t h w 1 -> t c h w", c=3)
    return rearrange(images[..., :3], "t h w c -> t c h w")


def with_channels_of(rgb: Tensor, images: Tensor) -> Tensor:
    """RGB [T, 3, H, W] -> [T, H, W, C]: grey where `images` are, and with their alpha if they have one."""
    pictures = rearrange(rgb, "t c h w -> t h w c")
    if images.shape[-1] == 1:
        return pictures.mean(dim=-1, keepdim=True)
    return torch.cat((pictures, images[..., 3:].to(pictures)), dim=-1)
