"""Gather against a mean over each pixel's own disk, pixel by pixel."""

import numpy as np
import pytest
import torch

from bokeh_lab.peers.disk import radius_steps
from bokeh_lab.peers.gather import render
from tests.lab.peers.cases import area_disk, clip, correlate_replicated, noise, per_pixel


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_equals_the_mean_over_each_disk(gamma: float):
    frames = noise(1, 12, 10, 3)
    # Steps of 1/8 at K = 8: whole radii, so that nothing is interpolated.
    disparity = (noise(1, 12, 10, seed=1) * 8).round() / 8
    light = frames[0].double().numpy() ** gamma
    blurred = [correlate_replicated(light, area_disk(radius)) for radius in range(5)]
    radius_px = (8 * (disparity[0] - 0.5)).abs().round().int()
    expected = per_pixel(12, 10, lambda y, x: blurred[radius_px[y, x]][y, x]) ** (1 / gamma)
    result = render(clip(frames, disparity, 8.0, gamma=gamma))[0]
    np.testing.assert_allclose(result, expected, atol=2e-3)


def test_radii_between_two_steps_mix_both():
    steps = {radius: weight.tolist() for radius, weight in radius_steps(torch.tensor([0.0, 0.3, 1.0]), 0.25)}
    expected = {0.0: [1, 0, 0], 0.25: [0, 0.8, 0], 0.5: [0, 0.2, 0], 1.0: [0, 0, 1]}
    assert steps.keys() == expected.keys()
    for radius, weights in expected.items():
        assert steps[radius] == pytest.approx(weights, abs=1e-6)


def test_one_radius_everywhere_is_taken_as_it_is():
    ((radius_px, weight),) = radius_steps(torch.full((2, 2), 3.17), 0.25)
    assert radius_px == pytest.approx(3.17)
    assert torch.equal(weight, torch.ones(2, 2))
