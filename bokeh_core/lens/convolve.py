"""Convolution of image planes with lens kernels and Gaussians, frame borders replicated."""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .areas import Area, part_of

# Up to this width a direct convolution beats a Fourier transform: a depthwise one on an accelerator, and
# OpenCV's on a CPU, which beyond that transforms too, in larger blocks and more slowly.
_DIRECT_WIDTH_PX, _DIRECT_WIDTH_ON_CPU_PX = 9, 11


def spread(planes: Tensor, kernel: np.ndarray, inner: Area | None = None) -> Tensor:
    """Let every pixel spread over its surroundings in the shape of `kernel`.

    Args:
        planes: [C, H, W].
        kernel: [k, k] float32, k odd, the image of one bright point.
        inner: the part of the planes to return, from where the rest is only as far away as light comes from;
            None = all of it.

    Returns:
        [C, H, W], or `inner` of it; beyond the planes their border pixels are repeated.
    """
    whole = (slice(0, planes.shape[1]), slice(0, planes.shape[2]))
    inner = inner or whole
    if kernel.shape == (1, 1):
        return part_of(planes, inner) * float(kernel[0, 0])
    # Correlation with the mirrored kernel is scattering with the kernel itself.
    mirrored = np.ascontiguousarray(kernel[::-1, ::-1])
    on_cpu = planes.device.type == "cpu"
    if kernel.shape[0] > (_DIRECT_WIDTH_ON_CPU_PX if on_cpu else _DIRECT_WIDTH_PX):
        return _correlate_fourier(planes, mirrored, inner)
    if on_cpu:
        border = cv2.BORDER_REPLICATE
        blurred = _plane_by_plane(
            planes, lambda plane, out: cv2.filter2D(plane, -1, mirrored, dst=out, borderType=border)
        )
        return part_of(blurred, inner)
    return part_of(correlate_direct(planes, mirrored), inner)


def gaussian(planes: Tensor, sigma_px: float) -> Tensor:
    """Blur [C, H, W] planes with a Gaussian cut at three sigma."""
    width = 2 * gaussian_reach_px(sigma_px) + 1
    if planes.device.type == "cpu":
        size, border = (width, width), cv2.BORDER_REPLICATE
        return _plane_by_plane(
            planes, lambda plane, out: cv2.GaussianBlur(plane, size, sigma_px, dst=out, borderType=border)
        )
    profile = cv2.getGaussianKernel(width, sigma_px, cv2.CV_32F)
    return correlate_direct(correlate_direct(planes, profile), profile.T)


def gaussian_reach_px(sigma_px: float) -> int:
    """How far `gaussian` reaches."""
    return int(3 * sigma_px)


def correlate_direct(planes: Tensor, kernel: np.ndarray) -> Tensor:
    """Correlate [C, H, W] planes with [kh, kw] taps in the pixel domain."""
    weight = torch.from_numpy(np.ascontiguousarray(kernel)).to(planes)
    padded = _replicate(planes, kernel.shape[0] // 2, kernel.shape[1] // 2)
    return F.conv2d(padded[:, None], weight[None, None])[:, 0]


def correlate_fourier(planes: Tensor, kernel: np.ndarray) -> Tensor:
    """Correlate [C, H, W] planes with [kh, kw] taps in the frequency domain."""
    return _correlate_fourier(planes, kernel, (slice(0, planes.shape[1]), slice(0, planes.shape[2])))


def _correlate_fourier(planes: Tensor, kernel: np.ndarray, inner: Area) -> Tensor:
    half = (kernel.shape[0] // 2, kernel.shape[1] // 2)
    # Only the margin that the planes do not bring along themselves is made up.
    before, after = [], []
    for length, reach, part in zip(planes.shape[1:], half, inner, strict=True):
        before.append(max(reach - part.start, 0))
        after.append(max(reach - (length - part.stop), 0))
    padded = planes
    if any(before + after):
        padded = F.pad(planes[None], (before[1], after[1], before[0], after[0]), mode="replicate")[0]
    size = [fast_transform_length(length) for length in padded.shape[-2:]]
    taps = torch.from_numpy(np.ascontiguousarray(kernel[::-1, ::-1])).to(planes)
    spectrum = torch.fft.rfft2(padded, s=size).mul_(torch.fft.rfft2(taps, s=size))
    wrapped = torch.fft.irfft2(spectrum, s=size)
    # Circular wrap-around only reaches the first k - 1 rows and columns, which are cut here.
    rows, columns = (
        slice(part.start + pad + reach, part.stop + pad + reach)
        for part, pad, reach in zip(inner, before, half, strict=True)
    )
    return wrapped[:, rows, columns]


@lru_cache(maxsize=4096)
def fast_transform_length(length: int) -> int:
    """The next greater length without prime factors above 7, which Fourier transforms take fastest."""
    candidate = length
    while True:
        rest = candidate
        for prime in (2, 3, 5, 7):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return candidate
        candidate += 1


def _replicate(planes: Tensor, rows: int, columns: int) -> Tensor:
    return F.pad(planes[None], (columns, columns, rows, rows), mode="replicate")[0]


def _plane_by_plane(planes: Tensor, filter_into: Callable[[np.ndarray, np.ndarray], object]) -> Tensor:
    """Filter with OpenCV, one contiguous plane at a time: interleaving channels and back takes longer."""
    filtered = torch.empty_like(planes, memory_format=torch.contiguous_format)
    for plane, out in zip(planes.numpy(), filtered.numpy(), strict=True):
        filter_into(plane, out)
    return filtered
