"""Frames blurred by disks of fixed radii, in the frequency domain."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

RADII_PX = (0.0, 0.7, 1.4, 2.2, 3.2, 4.5, 6.5, 9.0, 12.0, 16.0)
"""Of the disks, in px at the size the network works at; larger frames have larger disks."""

NUM_DISKS = len(RADII_PX)

# Wide disks are made of a smaller frame, in which they are still this wide.
_LEAST_RADIUS_PX = 4.0


def blurred_copies(frames: Tensor, scale: float, beyond_frame: bool) -> Iterator[tuple[range, Tensor]]:
    """Frames blurred by each disk, several disks at a time, from the narrowest on.

    Args:
        frames: [N, C, H, W]; where the sums need it, in float64.
        scale: px of these frames in a px of `RADII_PX`.
        beyond_frame: let the border's pixels go on beyond the frame; else nothing lies there, and a disk is
            the mean over its part inside.

    Returns:
        Numbers of disks, and the copies [N, disks, C, H, W] in float32. Rounding apart, a frame of one value
        keeps it.
    """
    for shrink, numbers in _by_size(scale):
        if numbers == range(1):
            yield numbers, frames[:, None].float()
            continue
        small = _shrunk(frames, shrink)
        radii_px = tuple(RADII_PX[number] * scale / shrink for number in numbers)
        copies = _blurred(small, radii_px, beyond_frame).float()
        yield numbers, _enlarged(copies, shrink, frames.shape[-2:])


def _by_size(scale: float) -> list[tuple[int, range]]:
    """How much smaller a frame each disk may be made of, and which disks that are."""
    groups: list[tuple[int, range]] = [(1, range(1))]
    for number in range(1, NUM_DISKS):
        shrink = 1
        while RADII_PX[number] * scale >= 2 * shrink * _LEAST_RADIUS_PX:
            shrink *= 2
        last_shrink, last = groups[-1]
        if number > 1 and shrink == last_shrink:
            groups[-1] = (shrink, range(last.start, number + 1))
        else:
            groups.append((shrink, range(number, number + 1)))
    return groups


def _shrunk(frames: Tensor, shrink: int) -> Tensor:
    if shrink == 1:
        return frames
    height, width = frames.shape[-2:]
    whole = F.pad(frames, (0, -width % shrink, 0, -height % shrink), mode="replicate")
    return F.avg_pool2d(whole, shrink)


def _enlarged(copies: Tensor, shrink: int, size: torch.Size) -> Tensor:
    """[N, disks, C, h, w] at a whole fraction of the size -> [N, disks, C, H, W]."""
    if shrink == 1:
        return copies
    large = F.interpolate(copies.flatten(0, 1), scale_factor=shrink, mode="bilinear", align_corners=False)
    return large[..., : size[0], : size[1]].unflatten(0, copies.shape[:2])


def _blurred(frames: Tensor, radii_px: tuple[float, ...], beyond_frame: bool) -> Tensor:
    """Frames [N, C, H, W] blurred by each of the disks, [N, disks, C, H, W]."""
    margin = int(max(radii_px)) + 1
    height, width = frames.shape[-2:]
    before = margin if beyond_frame else 0
    if beyond_frame:
        frames = F.pad(frames, (margin,) * 4, mode="replicate")
    padded = (_fast_length(height + before + margin), _fast_length(width + before + margin))
    spectra = _spectra(radii_px, padded, frames.device, frames.dtype)
    blurred = torch.fft.irfft2(torch.fft.rfft2(frames, s=padded)[:, None] * spectra[:, None], s=padded)
    blurred = blurred[..., before : before + height, before : before + width]
    if beyond_frame:
        return blurred
    return blurred / _inside(radii_px, (height, width), padded, frames.device, frames.dtype)[:, None]


@lru_cache(maxsize=8)
def _inside(
    radii_px: tuple[float, ...],
    size: tuple[int, int],
    padded: tuple[int, int],
    device: torch.device,
    dtype: torch.dtype,
) -> Tensor:
    """The part of each pixel's disk that is inside of the frame, [disks, H, W]."""
    spectra = _spectra(radii_px, padded, torch.device("cpu"), dtype)
    # Training reads it, too, whoever asks first.
    with torch.inference_mode(False), torch.no_grad():
        ones = torch.fft.rfft2(torch.ones(size, dtype=dtype), s=padded)
        return torch.fft.irfft2(ones * spectra, s=padded)[:, : size[0], : size[1]].to(device)


@lru_cache(maxsize=8)
def _spectra(
    radii_px: tuple[float, ...], size: tuple[int, int], device: torch.device, dtype: torch.dtype
) -> Tensor:
    """Of disks of sum 1 around (0, 0), negative coordinates at the far ends; their edges are a px wide."""
    with torch.inference_mode(False), torch.no_grad():
        y, x = (torch.fft.fftfreq(side, 1 / side, dtype=torch.float64) for side in size)
        distance = torch.hypot(y[:, None], x[None])
        covers = torch.stack([(radius + 0.5 - distance).clamp(0, 1) for radius in radii_px])
        return torch.fft.rfft2((covers / covers.sum((1, 2), keepdim=True)).to(dtype)).to(device)


def _fast_length(length: int) -> int:
    """The next multiple of 16: fast Fourier transforms like small factors."""
    return -(-length // 16) * 16
