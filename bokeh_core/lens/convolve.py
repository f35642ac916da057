"""Convolution of image planes with lens kernels and Gaussians."""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .areas import Area, part_of
from .backend import backend_of
from .portions import by_planes


def spread(planes: Tensor, kernel: np.ndarray) -> Tensor:
    """Let every pixel spread over its surroundings in the shape of `kernel`.

    Args:
        planes: [C, ..., H, W].
        kernel: [k, k] float32, k odd, the image of one bright point.

    Returns:
        [C, ..., H, W]; beyond the planes their border pixels are repeated.
    """
    if kernel.shape == (1, 1):
        return planes * float(kernel[0, 0])
    # Correlation with the mirrored kernel is scattering with the kernel itself.
    mirrored = np.ascontiguousarray(kernel[::-1, ::-1])
    backend = backend_of(planes.device)
    if kernel.shape[0] > backend.direct_width_px:
        return correlate_fourier(planes, mirrored)
    return backend.correlate(planes, mirrored, "repeated")


def spread_in_darkness(planes: Tensor, kernel: np.ndarray, target: Area) -> Tensor:
    """Let every pixel spread in the shape of `kernel`, with no light from beyond the planes.

    Args:
        planes: [C, ..., h, w].
        kernel: [k, k] float32, k odd, the image of one bright point.
        target: what to return, counted from the corner of the planes; it may begin before them and end behind
            them, by no more than the kernel reaches.

    Returns:
        [C, ..., h', w'], the light that arrives in `target`.
    """
    if kernel.shape == (1, 1):
        return part_of(planes, target) * float(kernel[0, 0])
    backend = backend_of(planes.device)
    if kernel.shape[0] > backend.direct_width_px:
        return _spread_fourier(planes, kernel, target)
    before = [max(-part.start, 0) for part in target]
    after = [max(part.stop - length, 0) for part, length in zip(target, planes.shape[-2:], strict=True)]
    if any(before + after):
        planes = F.pad(planes, (before[1], after[1], before[0], after[0]))
    blurred = backend.correlate(planes, np.ascontiguousarray(kernel[::-1, ::-1]), "dark")
    rows, columns = (
        slice(part.start + pad, part.stop + pad) for part, pad in zip(target, before, strict=True)
    )
    return blurred[..., rows, columns]


def gaussian(planes: Tensor, sigma_px: float) -> Tensor:
    """Blur [C, ..., H, W] planes with a Gaussian cut at three sigma."""
    return backend_of(planes.device).gaussian(planes, sigma_px, 2 * gaussian_reach_px(sigma_px) + 1)


def gaussian_reach_px(sigma_px: float) -> int:
    """How far `gaussian` reaches."""
    return int(3 * sigma_px)


def correlate_fourier(planes: Tensor, kernel: np.ndarray) -> Tensor:
    """Correlate [C, ..., H, W] planes with [kh, kw] taps in the frequency domain."""
    rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2
    inner = (slice(rows, rows + planes.shape[-2]), slice(columns, columns + planes.shape[-1]))
    stack = planes.reshape(1, -1, *planes.shape[-2:])
    repeated = F.pad(stack, (columns, columns, rows, rows), mode="replicate")[0]
    return _spread_fourier(repeated, kernel[::-1, ::-1], inner).view_as(planes)


def _spread_fourier(planes: Tensor, kernel: np.ndarray, target: Area) -> Tensor:
    """`spread_in_darkness` in the frequency domain, for [kh, kw] taps."""
    # A transform wraps around: it has to be long enough that nothing is wrapped into the target.
    size, wanted = [], []
    for length, width, part in zip(planes.shape[-2:], kernel.shape, target, strict=True):
        reach = width // 2
        size.append(fast_transform_length(max(length + reach - part.start, part.stop + reach, length, width)))
        wanted.append(slice(part.start + reach, part.stop + reach))
    of_kernel = torch.fft.rfft2(torch.from_numpy(np.ascontiguousarray(kernel)).to(planes), s=size)

    def spread_some(some: Tensor) -> Tensor:
        rows = torch.fft.ifft(torch.fft.rfft2(some, s=size).mul_(of_kernel), dim=-2)
        # Only the rows of the target go through the second half of the way back.
        return torch.fft.irfft(rows[..., wanted[0], :], n=size[1])[..., wanted[1]]

    return by_planes(spread_some, planes, backend_of(planes.device).band_pixels)


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
