"""Blurred copies of the sharp frame, mixed pixel by pixel by learned gates (`blur_stack`)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blurred_layers import NUM_LAYERED, near_over_far
from .disks import NUM_DISKS, Disks, shares_of_radii

COLOURS = 3
GATES = NUM_DISKS + NUM_LAYERED
"""Of the copies blurred by each disk, and of the pictures in layers."""

DECODER_CHANNELS = COLOURS + GATES
"""What a decoder with the stack gives: a colour to add, and a correction of each gate."""

SHARE_CHANNELS = 2 * NUM_DISKS
"""Shares of each radius, of what is near and of what is far."""

# Gates are near 1, and a step moves a weight by the learning rate: large inputs let small weights do.
_SHARE_SCALE = 2.0


class BlurStack(nn.Module):
    """Gates made from the pixel's own blur radius and the decoder's channels; adds nothing until `start`."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = nn.Conv2d(SHARE_CHANNELS + GATES, GATES, kernel_size=1)
        nn.init.zeros_(self.gates.weight)
        nn.init.zeros_(_bias(self.gates))

    def has_started(self) -> bool:
        """Whether it adds anything yet."""
        return bool(self.gates.weight.any())

    def start(self) -> None:
        """Let each pixel be the mean over a disk of its own radius; the decoder's channels add to that."""
        own = torch.eye(NUM_DISKS) / _SHARE_SCALE
        with torch.no_grad():
            self.gates.weight[:NUM_DISKS, :SHARE_CHANNELS, 0, 0] = torch.cat([own, own], dim=1)
            self.gates.weight[:, SHARE_CHANNELS:, 0, 0] = torch.eye(GATES)

    def forward(self, decoded: Tensor, frames: Tensor, radius_px: Tensor) -> Tensor:
        """Add the mix to what the decoder gives.

        The gate of a picture in layers says how much of it replaces the mean over the pixel's own disk.

        Args:
            decoded: what the decoder gives, [N, `DECODER_CHANNELS`, H, W].
            frames: [N, 3, H, W], all in focus, about [-1, 1].
            radius_px: signed blur radius, [N, 1, H, W], near positive.

        Returns:
            [N, 3, H, W], about [-1, 1], not clamped.
        """
        if len(frames) > 1 and not torch.is_grad_enabled():
            # One by one, as the copies take far more memory than the frames.
            parts = zip(decoded.split(1), frames.split(1), radius_px.split(1), strict=True)
            return torch.cat([self(*part) for part in parts])
        dtype = self.gates.weight.dtype
        pixels, corrections = decoded.to(dtype).split([COLOURS, GATES], dim=1)
        gates = self.gates(torch.cat([_SHARE_SCALE * signed_shares(radius_px).to(dtype), corrections], dim=1))
        disk_gates, layer_gates = gates.split([NUM_DISKS, NUM_LAYERED], dim=1)
        with torch.no_grad():
            disks = Disks(frames)
            layered = near_over_far(frames, radius_px, disks)
        own: Tensor | float = 0.0
        shares = shares_of_radii(radius_px.abs())
        for number, gate in enumerate(disk_gates.split(1, dim=1)):
            blurred = disks.blur(frames, number) / disks.inside(number)
            own = own + shares[:, number : number + 1] * blurred
            pixels = pixels + gate * blurred.to(dtype)
        for picture, gate in zip(layered, layer_gates.split(1, dim=1), strict=True):
            pixels = pixels + gate * (picture - own).to(dtype)
        return pixels


def signed_shares(radius_px: Tensor) -> Tensor:
    """Shares of each radius, [N, 1, H, W] -> [N, 20, H, W]: of near pixels, then of those that are not."""
    near = (radius_px > 0).to(radius_px.dtype)
    shares = shares_of_radii(radius_px.abs())
    return torch.cat([shares * near, shares * (1 - near)], dim=1)


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
