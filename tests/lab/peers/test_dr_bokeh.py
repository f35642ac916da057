"""Dr.Bokeh's gather with occlusion against hand-computed weights and a pixel-by-pixel reference."""

import math

import numpy as np
import pytest
import torch

from bokeh_lab.peers.by_frame import Shot
from bokeh_lab.peers.dr_bokeh import Sheet, box_mean, gather_sheet, render_sheets, softstep, split_at_otsu
from tests.lab.peers.cases import neighbours, noise, per_pixel


def shot_of(display: torch.Tensor, disparity: torch.Tensor, strength: float = 6.0) -> Shot:
    return Shot(display, 1.0, disparity, 0.5, strength, None)


def test_softstep():
    # 0.1 / (0.1 + 1), 0.1 / (0.1 + e^-3), 0.1 / (0.1 + e^3)
    assert softstep(torch.tensor([0.0, 1.0, -1.0])).tolist() == pytest.approx(
        [0.0909091, 0.6676144, 0.0049540], abs=1e-6
    )


def test_two_pixels_by_hand():
    # c in focus (R = 1), n in front of it by 0.3 of disparity: with K = 10, 3 px out of focus, R = 4.
    light = torch.tensor([[[1.0, 0.0]]]).expand(3, 1, 2)
    sheet = Sheet(light, torch.ones(1, 2), torch.tensor([[0.5, 0.8]]))
    picture = gather_sheet(sheet, 0.5, 10.0)[0, 0]
    # c sees itself by softstep(1) = 0.6676144 and n by softstep(3) / 16 * occ, where softstep(3) = 0.9987674
    # and occ = 1/2 + 1/2 tanh(10 (0.3 - 0 - 0.1)) = 1/2 + 1/2 tanh 2 = 0.9820138: 0.0613002.
    assert picture[0].item() == pytest.approx(0.6676144 / (0.6676144 + 0.0613002), rel=1e-5)
    # n is out of focus, so occ = f = 1 - exp(-27): itself softstep(4) / 16 = 0.0624962, c softstep(0) =
    # 0.0909091.
    assert picture[1].item() == pytest.approx(0.0909091 / (0.0624962 + 0.0909091), rel=1e-5)


def test_a_neighbour_on_the_same_plane_hardly_counts_in_focus():
    light = torch.tensor([[[1.0, 0.0]]]).expand(3, 1, 2)
    sheet = Sheet(light, torch.ones(1, 2), torch.full((1, 2), 0.5))
    # occ = 1/2 + 1/2 tanh(-1) = 0.1192029, softstep(0) = 0.0909091: 0.0108366
    expected = 0.6676144 / (0.6676144 + 0.0108366)
    assert gather_sheet(sheet, 0.5, 10.0)[0, 0, 0].item() == pytest.approx(expected, rel=1e-5)


def test_gather_equals_the_formula_pixel_by_pixel():
    light, alpha, disparity, strength = noise(3, 12, 10), noise(12, 10, seed=1), noise(12, 10, seed=2), 6.0
    c, a, d = (plane.double().numpy() for plane in (light, alpha, disparity - 0.5))
    reach = math.ceil(strength * np.abs(d).max() + 1)

    def value(y: int, x: int) -> np.ndarray:
        total, weights = np.zeros(3), 0.0
        f = 1 - math.exp(-3 * (abs(d[y, x]) * strength) ** 2)
        for row, column, p in neighbours(12, 10, y, x, reach):
            if p > reach:
                continue
            radius_px = abs(d[row, column]) * strength + 1
            occlusion = f + (1 - f) * (0.5 + 0.5 * math.tanh(10 * (d[row, column] - d[y, x] - 0.1)))
            weight = 0.1 / (0.1 + math.exp(-3 * (radius_px - p))) / radius_px**2
            weight *= a[row, column] * (1 if p == 0 else occlusion)
            total += weight * c[:, row, column]
            weights += weight
        return total / weights

    result = gather_sheet(Sheet(light, alpha, disparity), 0.5, strength).permute(1, 2, 0)
    np.testing.assert_allclose(result, per_pixel(12, 10, value), atol=2e-5)


def test_box_mean_equals_the_mean_of_each_box():
    plane, half = noise(12, 10), (noise(12, 10, seed=1) * 4).long()

    def value(y: int, x: int) -> np.ndarray:
        h = int(half[y, x])
        box = plane[max(y - h, 0) : y + h + 1, max(x - h, 0) : x + h + 1]
        return np.array([box.mean()])

    np.testing.assert_allclose(box_mean(plane, half), per_pixel(12, 10, value)[..., 0], atol=1e-6)


def test_sheets_are_laid_over_each_other_front_to_back():
    # Everything in focus: boxes are single pixels, and light of one colour stays that colour.
    alpha = torch.tensor([[0.0, 0.25, 1.0]])
    front = Sheet(torch.full((3, 1, 3), 0.8), alpha, torch.full((1, 3), 0.5))
    back = Sheet(torch.full((3, 1, 3), 0.2), torch.ones(1, 3), torch.full((1, 3), 0.5))
    picture = render_sheets([front, back], shot_of(torch.zeros(3, 1, 3), torch.zeros(1, 3)))
    assert picture[0, 0].tolist() == pytest.approx([0.2, 0.25 * 0.8 + 0.75 * 0.2, 0.8], abs=1e-6)


def test_otsu_splits_two_planes_and_fills_what_the_nearer_hides():
    disparity = torch.full((16, 16), 0.2)
    disparity[4:12, 4:12] = 0.9
    display = torch.where(disparity > 0.5, 0.8, 0.3).expand(3, 16, 16)
    front, back = split_at_otsu(shot_of(display, disparity))
    assert torch.equal(front.alpha, (disparity > 0.5).float())
    torch.testing.assert_close(front.disparity, torch.full((16, 16), 0.9))
    torch.testing.assert_close(front.light, torch.full((3, 16, 16), 0.8))
    torch.testing.assert_close(back.light, torch.full((3, 16, 16), 0.3))
    torch.testing.assert_close(back.disparity, torch.full((16, 16), 0.2))


def test_a_flat_disparity_is_one_sheet():
    (sheet,) = split_at_otsu(shot_of(noise(3, 6, 6), torch.full((6, 6), 0.4)))
    assert torch.equal(sheet.alpha, torch.ones(6, 6))
