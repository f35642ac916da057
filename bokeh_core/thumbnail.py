"""Frames of any kind as small pictures for the eye."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .transfer import DISPLAY, as_picture

_BACKDROP = 0.5


def rgb_over_grey(frame: Tensor) -> Tensor:
    """A frame [H, W, 1 | 3 | 4] as RGB [H, W, 3] in [0, 1], with what is transparent over grey."""
    frame = frame.clamp(0, 1)
    if frame.shape[-1] == 1:
        return frame.expand(-1, -1, 3)
    if frame.shape[-1] == 3:
        return frame
    alpha = frame[..., 3:]
    return frame[..., :3] * alpha + _BACKDROP * (1 - alpha)


def thumbnail(frame: Tensor, longest_side_px: int, transfer: str = DISPLAY) -> Tensor:
    """A frame [H, W, C] as uint8 RGB [h, w, 3] on the CPU, its longer side at most this many px.

    Args:
        frame: 0 = black, 1 = white; C = 1, 3 or 4, see `rgb_over_grey`.
        longest_side_px: >= 1; smaller frames keep their size.
        transfer: how the numbers mean light, one of `transfer.TRANSFERS`.
    """
    height, width = frame.shape[:2]
    shrink = longest_side_px / max(height, width)
    picture = frame.float()
    if shrink < 1:
        size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
        channels = picture.clamp(0, 1).movedim(-1, 0)[None]  # HWC -> 1CHW
        picture = F.interpolate(channels, size, mode="area")[0].movedim(0, -1)
    return (rgb_over_grey(as_picture(picture, transfer)) * 255).round().to("cpu", torch.uint8).contiguous()
