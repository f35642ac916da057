"""MPIB's planes against hand-computed kernels and a pixel-by-pixel reference."""

import math

import numpy as np
import pytest
import torch

from bokeh_lab.peers.by_frame import Shot
from bokeh_lab.peers.mpib import composite_planes, hidden_background, mpib, soft_disk
from tests.lab.peers.cases import area_disk, clip, correlate_replicated, flat_clip, noise, point_of_light


def test_soft_disk_of_one_pixel():
    # 1/2 + 1/2 tanh of 0.75, 0.5 and 0.25: 0.8175745, 0.7310586, 0.6224593; the sum of all nine is 6.2316461.
    corner, side, middle = 0.6224593 / 6.2316461, 0.7310586 / 6.2316461, 0.8175745 / 6.2316461
    expected = [[corner, side, corner], [side, middle, side], [corner, side, corner]]
    torch.testing.assert_close(soft_disk(1), torch.tensor(expected), rtol=0, atol=1e-6)


def test_soft_disk_of_no_radius_is_a_point():
    assert soft_disk(0).tolist() == [[1.0]]


def test_a_point_of_light_is_the_soft_disk_of_the_rounded_radius():
    frames = point_of_light(21)
    for radius_px, rounded in ((3.0, 3), (3.4, 3), (3.6, 4)):
        picture = mpib()(flat_clip(frames, radius_px))[0, ..., 0]
        axis = np.arange(-rounded, rounded + 1)
        disk = 0.5 + 0.5 * np.tanh(0.25 * (rounded**2 - axis[:, None] ** 2 - axis**2) + 0.5)
        expected = np.zeros((21, 21))
        expected[10 - rounded : 11 + rounded, 10 - rounded : 11 + rounded] = disk / disk.sum()
        np.testing.assert_allclose(picture, expected, atol=1e-6)


def test_exact_disks_have_the_planes_own_radius():
    picture = mpib(exact_disks=True)(flat_clip(point_of_light(21), 3.4))[0, ..., 0]
    disk = area_disk(3.4)
    np.testing.assert_allclose(picture, np.pad(disk, 10 - disk.shape[0] // 2), atol=6e-4)


def test_planes_equal_the_formula_pixel_by_pixel():
    light, alpha, disparity, strength = noise(3, 12, 10), noise(12, 10, seed=1), noise(12, 10, seed=2), 8.0
    c, a, d = (plane.double().numpy() for plane in (light, alpha, disparity))
    total, ones = np.zeros((12, 10, 3)), np.zeros((12, 10, 1))
    for index in range(32):
        here = (a * ((d >= index / 32) & (d < (index + 1) / 32)))[..., None]
        rounded = round(strength * abs((index + 0.5) / 32 - 0.5))
        axis = np.arange(-rounded, rounded + 1)
        kernel = 0.5 + 0.5 * np.tanh(0.25 * (rounded**2 - axis[:, None] ** 2 - axis**2) + 0.5)
        kernel /= kernel.sum()
        opacity = correlate_replicated(here, kernel)
        total = total * (1 - opacity) + correlate_replicated(here * c.transpose(1, 2, 0), kernel)
        ones = ones * (1 - opacity) + opacity
    shot = Shot(light, 1.0, disparity, 0.5, strength, None)
    result = composite_planes([(light, alpha, disparity)], shot).permute(1, 2, 0)
    np.testing.assert_allclose(result, total / ones, atol=2e-5)


def test_gamma_of_the_light():
    # White beside black, a plane of radius 1: the pixel left of the edge holds 3 of 9 taps of the white side.
    frames = torch.zeros(1, 9, 20, 3)
    frames[:, :, 10:] = 1
    share = (2 * 0.6224593 + 0.7310586) / 6.2316461
    picture = mpib()(flat_clip(frames, 1.0, gamma=2.2))[0, 4, 9, 0].item()
    assert picture == pytest.approx(share ** (1 / 2.2), rel=1e-4)


def test_what_an_edge_hides_is_filled_from_the_far_side():
    disparity = torch.full((24, 24), 0.25)
    disparity[6:18, 6:18] = 0.75
    near = disparity > 0.5
    light = torch.where(near, 0.9, 0.1).expand(3, 24, 24)
    hidden, far_light, far_disparity = hidden_background(light, disparity, edge=0.1, reach_px=2)
    # The edge's inner pixels and two more: the square without its middle of 6 x 6.
    expected = near.clone()
    expected[9:15, 9:15] = False
    assert torch.equal(hidden, expected)
    torch.testing.assert_close(far_light[:, hidden], torch.full((3, int(hidden.sum())), 0.1))
    torch.testing.assert_close(far_disparity[hidden], torch.full((int(hidden.sum()),), 0.25))


def test_a_slope_hides_nothing():
    disparity = torch.linspace(0.2, 0.8, 24).expand(24, 24)
    hidden, _, _ = hidden_background(noise(3, 24, 24), disparity, edge=0.1, reach_px=4)
    assert not bool(hidden.any())


def test_dilating_moves_a_foregrounds_contour_out_by_a_pixel():
    # A white square in focus on black; the map is one pixel too small on each side.
    frames = torch.zeros(1, 24, 24, 3)
    frames[0, 6:18, 6:18] = 1
    disparity = torch.full((1, 24, 24), 0.1)
    disparity[0, 7:17, 7:17] = 0.5
    kept = [mpib(dilate_px)(clip(frames, disparity, 10.0))[0, 12, 6, 0].item() for dilate_px in (0, 1)]
    assert kept[0] < 0.7
    assert kept[1] == pytest.approx(1, abs=1e-5)


def test_disparities_of_zero_and_one_are_in_the_outermost_planes():
    light = noise(3, 4, 4)
    for disparity in (0.0, 1.0):
        plane = torch.full((4, 4), disparity)
        # The middle of an outermost plane is 31/64 from the focus: radius round(0.96875) = 1.
        shot = Shot(light, 1.0, plane, 0.5, 2.0, None)
        result = composite_planes([(light, torch.ones(4, 4), plane)], shot)
        blurred = correlate_replicated(light.permute(1, 2, 0).double().numpy(), soft_disk(1).double().numpy())
        np.testing.assert_allclose(result.permute(1, 2, 0), blurred, atol=1e-5)
        assert math.isfinite(result.sum().item())
