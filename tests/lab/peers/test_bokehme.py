"""BokehMe's scatter against hand-computed weights and a pixel-by-pixel reference."""

import math

import numpy as np
import pytest
import torch

from bokeh_lab.peers.bokehme import bokehme, lift_highlights, scatter_weight
from tests.lab.peers.cases import clip, neighbours, noise, point_of_light


@pytest.mark.parametrize(
    ("distance_px", "radius_px", "expected"),
    [
        # (1/2 + 1/2 tanh 4) / (2^2 + 0.2) = 0.99966465 / 4.2
        (1.0, 2.0, 0.23801539),
        # (1/2 + 1/2 tanh 0) / 4.2
        (2.0, 2.0, 0.11904762),
        # (1/2 - 1/2 tanh 4) / 4.2 = 0.00033535 / 4.2
        (3.0, 2.0, 0.0000798446),
        # beyond floor(2) + 1
        (3.17, 2.0, 0.0),
        # in focus: 0.5 / 0.2 and 0.00033535 / 0.2
        (0.0, 0.0, 2.5),
        (1.0, 0.0, 0.00167675),
        (math.sqrt(2), 0.0, 0.0),
    ],
)
def test_weight(distance_px: float, radius_px: float, expected: float):
    weight = scatter_weight(distance_px, torch.tensor([radius_px])).item()
    assert weight == pytest.approx(expected, rel=5e-4, abs=1e-12)


def test_a_point_in_focus_is_left_as_soft_as_the_formula_says():
    picture = bokehme()(clip(point_of_light(11), 0.5, 0.0))[0, ..., 0]
    # Of weights 2.5 and four times 0.00167675.
    assert picture[5, 5].item() == pytest.approx(2.5 / 2.506707, rel=1e-5)
    assert picture[5, 6].item() == pytest.approx(0.00167675 / 2.506707, rel=1e-3)
    assert picture[6, 6].item() == 0


@pytest.mark.parametrize("gamma", [1.0, 4.0])
def test_equals_scattering_pixel_by_pixel(gamma: float):
    frames, disparity, strength = noise(1, 12, 10, 3), noise(1, 12, 10, seed=1), 7.0
    light = frames[0].double().numpy() ** gamma
    radius_px = strength * np.abs(disparity[0].double().numpy() - 0.5)
    total, weights = np.zeros((12, 10, 3)), np.zeros((12, 10, 1))
    for y in range(12):
        for x in range(10):
            r = radius_px[y, x]
            for row, column, p in neighbours(12, 10, y, x, 6):
                if p <= math.floor(r) + 1:
                    weight = (0.5 + 0.5 * math.tanh(4 * (r - p))) / (r * r + 0.2)
                    total[row, column] += weight * light[y, x]
                    weights[row, column] += weight
    expected = (total / weights) ** (1 / gamma)
    result = bokehme(gamma)(clip(frames, disparity, strength))[0]
    np.testing.assert_allclose(result, expected, atol=2e-5)


def test_the_tasks_gamma_is_used_unless_another_is_asked_for():
    frames, disparity = noise(1, 12, 10, 3), noise(1, 12, 10, seed=1)
    task = clip(frames, disparity, 6.0, gamma=2.2)
    assert torch.equal(bokehme()(task), bokehme(2.2)(task))
    assert not torch.allclose(bokehme()(task), bokehme(4.0)(task), atol=1e-3)


def test_highlights():
    display = torch.tensor([[[0.5, 0.95, 1.0]]]).expand(3, 1, 3)
    # Defocus 0.05 is too little: tanh(200 (0.0025 - 0.01)) < 0. At 0.5 it is 1.
    near_focus = lift_highlights(display, torch.full((1, 3), 0.05))
    assert torch.equal(near_focus, display)
    lifted = lift_highlights(display, torch.full((1, 3), 0.5))
    # tanh(10 (0.95 - 0.8627451)) = tanh 0.872549 = 0.70282; tanh 1.372549 = 0.87933
    expected = [0.5, 0.95 * (1 + 0.4 * 0.70282), 1 + 0.4 * 0.87933]
    assert lifted[0, 0].tolist() == pytest.approx(expected, rel=1e-4)


def test_highlights_are_lifted_before_the_light_is_made():
    # Flat and out of focus by 0.5 everywhere, so that nothing but the lift changes it.
    picture = bokehme(4.0, highlights=True)(clip(torch.full((1, 9, 9, 3), 0.87), 1.0, 4.0))
    # tanh(10 (0.87 - 0.8627451)) = tanh 0.072549 = 0.0724220
    expected = torch.full_like(picture, 0.87 * (1 + 0.4 * 0.0724220))
    torch.testing.assert_close(picture, expected, rtol=1e-5, atol=0)
