"""The sharp frame at several scales, mixed pixel by pixel as the decoder says (option `input_pyramid`)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SCALES_PX = (1, 2, 4, 8, 16)
"""Frames averaged over squares of these sides; blurred about as much as by a disk of that radius."""

COLOURS = 3
DECODER_CHANNELS = COLOURS + len(SCALES_PX)
"""What a decoder with the pyramid gives: a colour to add, and a number for each scale."""


class InputPyramid(nn.Module):
    """Gates from the decoder's extra channels; adds nothing until `start`."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = nn.Conv2d(len(SCALES_PX), len(SCALES_PX), kernel_size=1)
        for parameter in self.gates.parameters():
            nn.init.zeros_(parameter)

    def has_started(self) -> bool:
        """Whether it adds anything yet."""
        return bool(self.gates.weight.any())

    def start(self) -> None:
        """Let the gates be the decoder's channels plus 1 for the sharp frame itself."""
        scales = len(SCALES_PX)
        assert self.gates.bias is not None
        with torch.no_grad():
            self.gates.weight.copy_(torch.eye(scales)[:, :, None, None])
            self.gates.bias.copy_(torch.eye(scales)[0])

    def forward(self, decoded: Tensor, frames: Tensor) -> Tensor:
        """Decoded [N, 3 + 5, H, W] and sharp frames [N, 3, H, W] -> [N, 3, H, W], all about [-1, 1]."""
        pixels, channels = decoded.split([COLOURS, len(SCALES_PX)], dim=1)
        for scale_px, gate in zip(SCALES_PX, self.gates(channels).split(1, dim=1), strict=True):
            pixels = pixels + gate * at_scale(frames, scale_px).to(gate.dtype)
        return pixels


def at_scale(frames: Tensor, scale_px: int) -> Tensor:
    """Means over squares of `scale_px`, interpolated linearly: [N, C, H, W] -> the same shape.

    Squares that the frame's border cuts are averaged over what lies inside.
    """
    if scale_px == 1:
        return frames
    height, width = frames.shape[-2:]
    means = F.avg_pool2d(frames, scale_px, ceil_mode=True, count_include_pad=False)
    return F.interpolate(means, scale_factor=scale_px, mode="bilinear")[..., :height, :width]
