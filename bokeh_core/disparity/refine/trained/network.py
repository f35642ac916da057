"""The network: for each pixel of a map, what tells which candidate the scene has there."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .evidence import CHANNELS, TOLD_BY_COLOUR
from .scores import OUTPUTS, WANTED

_FULL, _HALF, _QUARTER = 12, 48, 64
_ENTERED = 16
_LAST = 24
_DEEPEST = 8
# Before it has learned anything, a pixel keeps what it has.
_KEEPS = 5.0
_SURE = 3.0


class MenderNetwork(nn.Module):
    """A U-Net of four levels, 36 thousand multiplications a pixel, all of them in convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _convolution(CHANNELS, _FULL)
        self.enter = _convolution(4 * _FULL, _HALF)
        self.near = _convolution(_HALF, _HALF)
        self.down = _convolution(_HALF, _QUARTER, stride=2)
        self.middle = nn.ModuleList([_convolution(_QUARTER, _QUARTER) for _ in range(2)])
        self.deeper = _convolution(_QUARTER, _QUARTER, stride=2)
        self.deepest = nn.ModuleList([_convolution(_QUARTER, _QUARTER) for _ in range(2)])
        self.rise = _convolution(_QUARTER, _QUARTER)
        self.up = nn.Conv2d(_QUARTER, _HALF, 1)
        self.near_again = _convolution(_HALF, _HALF)
        self.leave = nn.Conv2d(_HALF, 4 * _ENTERED, 1)
        self.last = _convolution(_ENTERED + _FULL, _LAST)
        self.tell = nn.Conv2d(_LAST, OUTPUTS, 1)
        with torch.no_grad():
            self.tell.weight.mul_(0.1)
            assert self.tell.bias is not None
            self.tell.bias.zero_()
            self.tell.bias[0] = _KEEPS
            self.tell.bias[WANTED + 1] = _SURE

    def forward(self, shown: Tensor) -> Tensor:
        """Told [B, `OUTPUTS`, h, w], see `scores`, of planes [B, `CHANNELS`, h, w] of any size."""
        told = self.tell(F.relu(self.last(self._seen(shown))))
        told = told[..., : shown.shape[-2], : shown.shape[-1]]
        # What is wanted is learned as a difference from what the colours tell.
        by_colour = shown[:, TOLD_BY_COLOUR : TOLD_BY_COLOUR + 1]
        return told + F.pad(by_colour, (0, 0, 0, 0, WANTED, OUTPUTS - WANTED - 1))

    def told_at(self, shown: Tensor, y: Tensor, x: Tensor) -> Tensor:
        """What `forward` tells of pixels [P] of one frame, [P, `OUTPUTS`]; the rest is not computed."""
        seen = F.pad(self._seen(shown)[0].movedim(0, -1), (0, 0, 1, 1, 1, 1)).contiguous()
        _, width, channels = seen.shape
        # Three pixels of a row lie together, so each of the kernel's rows is one piece.
        rows = seen.as_strided((seen.shape[0] * width - 2, 3 * channels), (channels, 1))
        # [24, C, 3, 3] -> [3, 3 C, 24]
        kernel = self.last.weight.permute(2, 3, 1, 0).reshape(3, 3 * channels, -1)
        parts = [rows[(y + row) * width + x] @ kernel[row] for row in range(3)]
        assert self.last.bias is not None
        last = F.relu(parts[0] + parts[1] + parts[2] + self.last.bias)
        told = F.linear(last, self.tell.weight.flatten(1), self.tell.bias)
        told[:, WANTED] += shown[0, TOLD_BY_COLOUR, y, x]
        return told

    def _seen(self, shown: Tensor) -> Tensor:
        """What the last layers look at, [B, `_ENTERED` + `_FULL`, H, W], H and W multiples of `_DEEPEST`."""
        missing = (0, -shown.shape[-1] % _DEEPEST, 0, -shown.shape[-2] % _DEEPEST)
        if any(missing):
            shown = F.pad(shown, missing, mode="replicate")
        full = F.relu(self.stem(shown.contiguous(memory_format=torch.channels_last)))
        half = F.relu(self.enter(F.pixel_unshuffle(full, 2)))
        half = half + F.relu(self.near(half))
        quarter = F.relu(self.down(half))
        for layer in self.middle:
            quarter = quarter + F.relu(layer(quarter))
        eighth = F.relu(self.deeper(quarter))
        for layer in self.deepest:
            eighth = eighth + F.relu(layer(eighth))
        quarter = quarter + F.interpolate(eighth, scale_factor=2, mode="nearest")
        quarter = quarter + F.relu(self.rise(quarter))
        half = half + F.interpolate(self.up(quarter), scale_factor=2, mode="nearest")
        half = half + F.relu(self.near_again(half))
        entered = F.pixel_shuffle(F.relu(self.leave(half)), 2)
        return torch.cat([entered, full], 1)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
