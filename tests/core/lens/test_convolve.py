"""Convolution backends against each other and against sums by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.lens.aperture import Aperture, lens_kernel
from bokeh_core.lens.backend import ACCELERATOR, BACKENDS, CPU, Backend
from bokeh_core.lens.convolve import (
    correlate_fourier,
    fast_transform_length,
    gaussian_reach_px,
    spread,
    spread_in_darkness,
)


def planes(height: int, width: int) -> Tensor:
    return torch.rand(4, height, width, generator=torch.Generator().manual_seed(height * width))


def taps(height: int, width: int) -> np.ndarray:
    """Random, without any symmetry, of sum 1."""
    values = np.random.default_rng(height + width).random((height, width), np.float32)
    return values / values.sum()


def correlation_by_hand(image: Tensor, kernel: np.ndarray) -> Tensor:
    """sum_ij kernel[i, j] image[y + i - h, x + j - w], indices held at the borders."""
    height, width = image.shape[-2:]
    half_height, half_width = kernel.shape[0] // 2, kernel.shape[1] // 2
    result = torch.zeros(image.shape, dtype=torch.float64)
    rows, columns = torch.arange(height), torch.arange(width)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            y = (rows + i - half_height).clamp(0, height - 1)
            x = (columns + j - half_width).clamp(0, width - 1)
            result += float(kernel[i, j]) * image[:, y][:, :, x].double()
    return result.float()


def in_every_way(image: Tensor, kernel: np.ndarray) -> list[Tensor]:
    """Both backends, and a Fourier transform."""
    direct = [backend.correlate(image, kernel, "repeated") for backend in (CPU, ACCELERATOR)]
    return [*direct, correlate_fourier(image, kernel)]


SIZES = [(12, 17, 3), (16, 9, 7), (5, 6, 11), (1, 1, 5), (1, 8, 9), (7, 2, 15), (20, 20, 13)]


@pytest.mark.parametrize(("height", "width", "kernel_px"), SIZES)
def test_the_backends_agree_with_the_sum(height: int, width: int, kernel_px: int):
    image, kernel = planes(height, width), taps(kernel_px, kernel_px)
    expected = correlation_by_hand(image, kernel)
    for found in in_every_way(image, kernel):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    # Spreading is correlation with the mirrored kernel.
    mirrored = np.ascontiguousarray(kernel[::-1, ::-1])
    torch.testing.assert_close(spread(image, mirrored), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("kernel_height", "kernel_width"), [(3, 9), (9, 1), (1, 5)])
def test_oblong_kernels(kernel_height: int, kernel_width: int):
    image, kernel = planes(11, 14), taps(kernel_height, kernel_width)
    expected = correlation_by_hand(image, kernel)
    for found in in_every_way(image, kernel):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kernel_px", [3, 5, 11])
def test_a_point_spreads_in_the_shape_of_the_kernel(kernel_px: int):
    kernel, half = taps(kernel_px, kernel_px), kernel_px // 2
    image = torch.zeros(1, 31, 31)
    image[0, 15, 14] = 1
    expected = torch.zeros(1, 31, 31)
    expected[0, 15 - half : 16 + half, 14 - half : 15 + half] = torch.from_numpy(kernel)
    torch.testing.assert_close(spread(image, kernel), expected, rtol=0, atol=1e-6)


def test_a_kernel_of_one_pixel_scales():
    image = planes(4, 5)
    torch.testing.assert_close(spread(image, np.full((1, 1), 0.5, np.float32)), image / 2)


@pytest.mark.parametrize("backend", [CPU, ACCELERATOR])
def test_a_gaussian_of_a_point(backend: Backend):
    image = torch.zeros(2, 25, 25)
    image[0, 12, 12] = 1
    image[1] = 0.25
    blurred = backend.gaussian(image, 2.0, 13)
    assert gaussian_reach_px(2.0) == 6
    offsets = torch.arange(-12, 13).float()
    profile = torch.exp(-offsets.square() / 8) * (offsets.abs() <= 6)
    profile = profile / profile.sum()
    torch.testing.assert_close(blurred[0], profile[:, None] * profile, rtol=0, atol=1e-5)
    torch.testing.assert_close(blurred[1], image[1], rtol=0, atol=1e-5)


# Below and above the width from which a CPU transforms; targets inside the planes, across and around them.
@pytest.mark.parametrize("backend", [CPU, ACCELERATOR])
@pytest.mark.parametrize("radius_px", [0.0, 1.0, 3.3, 5.0, 6.0, 9.7])
@pytest.mark.parametrize("cut", [-1.0, 0.0, 0.4, 3.0])
def test_a_target_gets_all_light_that_reaches_it(
    monkeypatch: pytest.MonkeyPatch, radius_px: float, cut: float, backend: Backend
):
    monkeypatch.setitem(BACKENDS, "cpu", backend)
    image = planes(50, 61)
    kernel = lens_kernel(Aperture(blades=5), radius_px)
    reach = kernel.shape[0] // 2
    far = F.pad(image, (40,) * 4).double()
    mirrored = torch.from_numpy(kernel[::-1, ::-1].astype(np.float64))
    everywhere = F.conv2d(far[:, None], mirrored[None, None], padding=reach)[:, 0].float()
    # `cut` times the reach off the top and the right; up to the reach beyond on the other sides.
    off = round(cut * reach)
    target = (slice(off, 50 + reach), slice(-reach, 61 - off))
    expected = everywhere[:, 40 + off : 90 + reach, 40 - reach : 101 - off]
    torch.testing.assert_close(spread_in_darkness(image, kernel, target), expected, rtol=0, atol=2e-6)


def test_lengths_that_transform_fast():
    # 7-smooth: 1, ..., 10, 12, 14, 15, 16, 18, 20, 21, 24; 2 * 7^2 = 98; 5^3 = 125; 2 * 3^2 * 7 = 126.
    lengths = {1: 1, 10: 10, 11: 12, 13: 14, 17: 18, 19: 20, 22: 24, 97: 98, 121: 125, 126: 126}
    assert {length: fast_transform_length(length) for length in lengths} == lengths
