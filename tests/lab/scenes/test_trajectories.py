"""Paths stay within their amplitude, are smooth, and do not depend on the clip's length."""

import math

import pytest
import torch

from bokeh_lab.scenes.draws import Draws
from bokeh_lab.scenes.trajectories import random_walk, scale_with_depth, smooth_path


def path(seed, num_frames, amplitude=10.0):
    return smooth_path(Draws.named(seed), num_frames, middle=100, amplitude=amplitude, period_frames=(30, 80))


@pytest.mark.parametrize("seed", range(20))
def test_a_smooth_path_stays_near_its_middle_and_bends_slowly(seed):
    values = path(seed, 500)
    assert float((values - 100).abs().max()) <= 10
    # A sinusoid of amplitude A and period P moves by at most 2 pi A / P and bends by (2 pi / P)^2 A a frame.
    assert float(values.diff().abs().max()) <= 2 * math.pi * 10 / 30
    assert float(values.diff().diff().abs().max()) <= (2 * math.pi / 30) ** 2 * 10
    assert float(values.max() - values.min()) > 5


def test_a_shorter_clip_is_the_beginning_of_a_longer_one():
    assert torch.equal(path(3, 10), path(3, 40)[:10])


def test_random_walk_starts_where_asked_and_steps_within_its_limit():
    walk = random_walk(Draws.named("walk"), 2000, start=7.0, step=4.0)
    steps = walk.diff()
    assert float(walk[0]) == 7
    assert float(steps.abs().max()) <= 4
    # Uniform on [-4, 4]: mean 0, standard deviation 8 / sqrt(12).
    assert float(steps.mean()) == pytest.approx(0, abs=0.2)
    assert float(steps.std()) == pytest.approx(8 / math.sqrt(12), rel=0.05)


def test_size_is_proportional_to_inverse_depth():
    scale = scale_with_depth(torch.tensor([0.2, 0.4, 0.8]), 0.8)
    assert scale.tolist() == pytest.approx([0.25, 0.5, 1.0])
