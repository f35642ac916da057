"""Copies of the sharp frame blurred by disks, mixed pixel by pixel by learned gates (`blur_stack`)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RADII_PX = (0.0, 0.7, 1.4, 2.2, 3.2, 4.5, 6.5, 9.0, 12.0, 16.0)
"""Of the disks. A disk between two of them is close to a mix of both."""

COLOURS = 3
DECODER_CHANNELS = COLOURS + len(RADII_PX)
"""What a decoder with the stack gives: a colour to add, and a correction of each gate."""

RADIUS_CHANNELS = 2 * len(RADII_PX)
"""Shares of each radius, of what is near and of what is far."""

# Gates are near 1, and a step moves a weight by the learning rate: large inputs let small weights do.
_SHARE_SCALE = 2.0


class BlurStack(nn.Module):
    """Gates made from the pixel's own blur radius and the decoder's channels; adds nothing until `start`."""

    def __init__(self) -> None:
        super().__init__()
        count = len(RADII_PX)
        self.gates = nn.Conv2d(RADIUS_CHANNELS + count, count, kernel_size=1)
        nn.init.zeros_(self.gates.weight)
        nn.init.zeros_(_bias(self.gates))

    def has_started(self) -> bool:
        """Whether it adds anything yet."""
        return bool(self.gates.weight.any())

    def start(self) -> None:
        """Let each pixel be the mean over a disk of its own radius; the decoder's channels add to that."""
        own = torch.eye(len(RADII_PX))
        with torch.no_grad():
            self.gates.weight[..., 0, 0] = torch.cat([own / _SHARE_SCALE, own / _SHARE_SCALE, own], dim=1)

    def forward(self, decoded: Tensor, frames: Tensor, radius_px: Tensor) -> Tensor:
        """Add the mix to what the decoder gives.

        Args:
            decoded: [N, 3 + 10, H, W].
            frames: [N, 3, H, W], all in focus, about [-1, 1].
            radius_px: signed blur radius, [N, 1, H, W], near positive.

        Returns:
            [N, 3, H, W], about [-1, 1], not clamped.
        """
        dtype = self.gates.weight.dtype
        pixels, corrections = decoded.to(dtype).split([COLOURS, len(RADII_PX)], dim=1)
        shares = shares_of_radii(radius_px).to(dtype)
        gates = self.gates(torch.cat([_SHARE_SCALE * shares, corrections], dim=1))
        for blurred, gate in zip(blurred_by_disks(frames), gates.split(1, dim=1), strict=True):
            pixels = pixels + gate * blurred.to(gate.dtype)
        return pixels


def shares_of_radii(radius_px: Tensor) -> Tensor:
    """A radius as shares of the two of `RADII_PX` that enclose it: [N, 1, H, W] -> [N, 20, H, W] in [0, 1].

    The first ten are those of near pixels, the others those of pixels that are not.
    """
    size = radius_px.abs().clamp(max=RADII_PX[-1])
    below = torch.tensor(RADII_PX[:-1], device=size.device, dtype=size.dtype)[:, None, None]
    above = torch.tensor(RADII_PX[1:], device=size.device, dtype=size.dtype)[:, None, None]
    # 0 below the interval, 1 above it: differences of neighbours are the shares.
    steps = ((size - below) / (above - below)).clamp(0, 1)
    ends = F.pad(steps, (0, 0, 0, 0, 1, 0), value=1.0), F.pad(steps, (0, 0, 0, 0, 0, 1))
    shares = ends[0] - ends[1]
    near = (radius_px > 0).to(shares.dtype)
    return torch.cat([shares * near, shares * (1 - near)], dim=1)


def blurred_by_disks(frames: Tensor) -> Iterator[Tensor]:
    """Means over each disk of `RADII_PX`, of what lies inside the frame: [N, C, H, W] -> 10 of this shape.

    They come one by one, as all of them are ten times the frames. Frames have no gradients.
    """
    height, width = frames.shape[-2:]
    margin = int(RADII_PX[-1]) + 1
    padded = (height + margin, width + margin)
    spectrum = torch.fft.rfft2(frames.float(), s=padded)
    inside = torch.fft.rfft2(torch.ones(height, width, device=frames.device), s=padded)
    yield frames
    for radius_px in RADII_PX[1:]:
        disk = torch.fft.rfft2(_wrapped_disk(radius_px, padded).to(frames.device))
        share = torch.fft.irfft2(inside * disk, s=padded)[:height, :width]
        blurred = torch.fft.irfft2(spectrum * disk, s=padded)[..., :height, :width]
        yield (blurred / share).to(frames.dtype)


@lru_cache(maxsize=32)
def _wrapped_disk(radius_px: float, size: tuple[int, int]) -> Tensor:
    """A disk of sum 1 around (0, 0), negative coordinates at the far ends; its edge is a pixel wide."""
    y, x = (torch.fft.fftfreq(side, 1 / side) for side in size)
    cover = (radius_px + 0.5 - torch.hypot(y[:, None], x[None])).clamp(0, 1)
    return cover / cover.sum()


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
