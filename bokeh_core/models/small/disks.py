"""Means over disks of fixed radii, in the frequency domain."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

RADII_PX = (0.0, 0.7, 1.4, 2.2, 3.2, 4.5, 6.5, 9.0, 12.0, 16.0)
"""Of the disks. A disk between two of them is close to a mix of both."""

NUM_DISKS = len(RADII_PX)


class Disks:
    """Convolutions with the disks for frames of one size; outside of the frame there is nothing."""

    def __init__(self, frames: Tensor) -> None:
        """For frames [..., H, W] like these."""
        height, width = frames.shape[-2:]
        margin = int(RADII_PX[-1]) + 1
        self._size = (height, width)
        self._padded = (_fast_length(height + margin), _fast_length(width + margin))
        self._device = frames.device

    def blur(self, values: Tensor, number: int) -> Tensor:
        """Values [..., H, W] blurred by disk `number`, in float32."""
        if number == 0:
            return values.float()
        height, width = self._size
        spectrum = torch.fft.rfft2(values.float(), s=self._padded)
        blurred = torch.fft.irfft2(spectrum * _spectrum(number, self._padded, self._device), s=self._padded)
        return blurred[..., :height, :width]

    def inside(self, number: int) -> Tensor:
        """The part of each pixel's disk that is inside of the frame, [H, W]."""
        return _inside(number, self._size, self._padded, self._device)


def shares_of_radii(size_px: Tensor) -> Tensor:
    """A radius from 0 up as shares of the two of `RADII_PX` around it: [N, 1, H, W] -> [N, 10, H, W]."""
    size = size_px.clamp(max=RADII_PX[-1])
    below = torch.tensor(RADII_PX[:-1], device=size.device, dtype=size.dtype)[:, None, None]
    above = torch.tensor(RADII_PX[1:], device=size.device, dtype=size.dtype)[:, None, None]
    # 0 below the interval, 1 above it: differences of neighbours are the shares.
    steps = ((size - below) / (above - below)).clamp(0, 1)
    return F.pad(steps, (0, 0, 0, 0, 1, 0), value=1.0) - F.pad(steps, (0, 0, 0, 0, 0, 1))


@lru_cache(maxsize=32)
def _inside(number: int, size: tuple[int, int], padded: tuple[int, int], device: torch.device) -> Tensor:
    cpu = torch.device("cpu")
    spectrum = torch.fft.rfft2(torch.ones(size), s=padded) * _spectrum(number, padded, cpu)
    return torch.fft.irfft2(spectrum, s=padded)[: size[0], : size[1]].to(device)


@lru_cache(maxsize=32)
def _spectrum(number: int, size: tuple[int, int], device: torch.device) -> Tensor:
    """Of a disk of sum 1 around (0, 0), negative coordinates at the far ends; its edge is a pixel wide."""
    y, x = (torch.fft.fftfreq(side, 1 / side) for side in size)
    cover = (RADII_PX[number] + 0.5 - torch.hypot(y[:, None], x[None])).clamp(0, 1)
    return torch.fft.rfft2(cover / cover.sum()).to(device)


def _fast_length(length: int) -> int:
    """The next multiple of 16: fast Fourier transforms like small factors."""
    return -(-length // 16) * 16
