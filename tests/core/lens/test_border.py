"""At the border of the frame a pixel is the mean of what its disk covers inside."""

import pytest
import torch

from bokeh_core.lens import Aperture
from tests.core.lens.reference import convolve, disk, random_texture, render


@pytest.mark.parametrize("radius_px", [4.0, -4.0, 8.0, 10.080002])
@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_every_pixel_is_the_mean_inside_its_disk(radius_px: float, gamma: float):
    # These radii are rungs of the slab ladder, so nothing is mixed from two kernels.
    frame = random_texture(37, 43, seed=1, low=0.1, high=0.9)
    blurred = render(frame, radius_px, gamma=gamma, contour_reach_px=0)
    light = convolve(frame.permute(2, 0, 1) ** gamma, disk(radius_px))
    torch.testing.assert_close(blurred, (light ** (1 / gamma)).permute(1, 2, 0), rtol=0, atol=2e-3)


def test_a_lamp_in_the_corner_counts_once():
    # A quarter of the disk lies inside: pi 6^2 / 4 px, plus half a pixel's width along both sides.
    frame = torch.zeros(40, 40, 3)
    frame[0, 0] = 1
    corner = render(frame, 6.0, gamma=1.0)[0, 0, 0].item()
    kernel = disk(6.0)
    expected = kernel[6, 6] / kernel[6:, 6:].sum()
    assert corner == pytest.approx(expected.item(), rel=0.05)
    # Border pixels that repeat would count it once for each pixel of the three quarters outside.
    assert corner < 0.05


@pytest.mark.parametrize("radius_px", [4.0, -10.080002])
def test_a_field_of_equal_kernels_is_no_different(radius_px: float):
    frame = random_texture(61, 71, seed=2, low=0.1, high=0.9)
    radii = torch.full((61, 71), radius_px)
    radii[20:40, 25:50] = -radius_px
    plain = render(frame, radii)
    # A barrel that cuts away nothing measurable takes the path of a kernel that changes across the frame.
    field = render(frame, radii, aperture=Aperture(cat_eye=1e-9))
    torch.testing.assert_close(field, plain, rtol=0, atol=2e-3)


def test_borders_are_the_same_on_all_four_sides():
    frame = random_texture(33, 33, seed=3, low=0, high=1)
    radii = torch.full((33, 33), 6.0)
    blurred = render(frame, radii)
    for axes in ((0,), (1,), (0, 1)):
        turned = render(frame.flip(axes), radii).flip(axes)
        torch.testing.assert_close(turned, blurred, rtol=0, atol=1e-5)
