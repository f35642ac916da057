"""Convolution backends against each other and against sums by hand."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.lens.aperture import Aperture, lens_kernel
from bokeh_core.lens.convolve import (
    correlate_direct,
    correlate_fourier,
    fast_transform_length,
    gaussian,
    spread,
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


SIZES = [(12, 17, 3), (16, 9, 7), (5, 6, 11), (1, 1, 5), (1, 8, 9), (7, 2, 15), (20, 20, 13)]


@pytest.mark.parametrize(("height", "width", "kernel_px"), SIZES)
def test_the_backends_agree_with_the_sum(height: int, width: int, kernel_px: int):
    image, kernel = planes(height, width), taps(kernel_px, kernel_px)
    expected = correlation_by_hand(image, kernel)
    torch.testing.assert_close(correlate_direct(image, kernel), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(correlate_fourier(image, kernel), expected, rtol=0, atol=1e-5)
    # Spreading is correlation with the mirrored kernel; this is OpenCV's turn.
    mirrored = np.ascontiguousarray(kernel[::-1, ::-1])
    torch.testing.assert_close(spread(image, mirrored), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("kernel_height", "kernel_width"), [(3, 9), (9, 1), (1, 5)])
def test_oblong_kernels(kernel_height: int, kernel_width: int):
    image, kernel = planes(11, 14), taps(kernel_height, kernel_width)
    expected = correlation_by_hand(image, kernel)
    torch.testing.assert_close(correlate_direct(image, kernel), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(correlate_fourier(image, kernel), expected, rtol=0, atol=1e-5)


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


def test_a_gaussian_of_a_point():
    image = torch.zeros(2, 25, 25)
    image[0, 12, 12] = 1
    image[1] = 0.25
    blurred = gaussian(image, 2.0)
    offsets = torch.arange(-12, 13).float()
    profile = torch.exp(-offsets.square() / 8) * (offsets.abs() <= 6)
    profile = profile / profile.sum()
    torch.testing.assert_close(blurred[0], profile[:, None] * profile, rtol=0, atol=1e-5)
    torch.testing.assert_close(blurred[1], image[1], rtol=0, atol=1e-5)


# Below and above the width from which a CPU transforms, with margins wider and narrower than the reach.
@pytest.mark.parametrize("radius_px", [1.0, 3.3, 5.0, 6.0, 9.7])
@pytest.mark.parametrize("margin_px", [0, 4, 12])
def test_a_part_of_the_planes_gets_what_the_whole_gets(radius_px: float, margin_px: int):
    image = planes(50, 61)
    kernel = np.ascontiguousarray(lens_kernel(Aperture(blades=5), radius_px))
    mirrored = np.ascontiguousarray(kernel[::-1, ::-1])
    by_opencv = [
        cv2.filter2D(plane.astype(np.float64), -1, mirrored, borderType=cv2.BORDER_REPLICATE)
        for plane in image.numpy()
    ]
    inner = (slice(margin_px, 50), slice(0, 61 - margin_px))
    expected = torch.from_numpy(np.stack(by_opencv)).float()[:, inner[0], inner[1]]
    torch.testing.assert_close(spread(image, kernel, inner), expected, rtol=0, atol=2e-6)


def test_lengths_that_transform_fast():
    # 7-smooth: 1, ..., 10, 12, 14, 15, 16, 18, 20, 21, 24; 2 * 7^2 = 98; 5^3 = 125; 2 * 3^2 * 7 = 126.
    lengths = {1: 1, 10: 10, 11: 12, 13: 14, 17: 18, 19: 20, 22: 24, 97: 98, 121: 125, 126: 126}
    assert {length: fast_transform_length(length) for length in lengths} == lengths
