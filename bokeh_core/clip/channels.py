"""Grey, RGB or RGBA pictures -> the RGB that the network works on, and its result back to their channels."""

import torch
from einops import rearrange, repeat
from torch import Tensor

from .checks import checked_frames


def to_rgb(images: Tensor) -> Tensor:
    """Grey, RGB or RGBA [T, H, W, C] -> RGB [T, 3, H, W], without its alpha; a view where possible.

    Raises:
        ValueError: not a batch of pictures, see `clip_checks.checked_frames`.
    """
    images = checked_frames(images)
    if images.shape[-1] == 1:
        return repeat(images, "t h w 1 -> t c h w", c=3)
    return rearrange(images[..., :3], "t h w c -> t c h w")


def with_channels_of(rgb: Tensor, images: Tensor) -> Tensor:
    """RGB [T, 3, H, W] -> [T, H, W, C]: grey where `images` are, and with their alpha if they have one."""
    pictures = rearrange(rgb, "t c h w -> t h w c")
    if images.shape[-1] == 1:
        return pictures.mean(dim=-1, keepdim=True)
    return torch.cat((pictures, images[..., 3:].to(pictures)), dim=-1)
