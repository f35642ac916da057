"""RM by hand."""

import pytest
import torch

from bokeh_lab.metrics import Missing
from bokeh_lab.metrics.temporal import rm


def test_three_frames_by_hand(make_pair):
    # One pixel, one value for all channels.     changes: +0.2, -0.1
    truth = torch.tensor([0.1, 0.3, 0.2]).view(3, 1, 1, 1).expand(3, 1, 1, 3)
    # changes: +0.3, +0.1
    prediction = torch.tensor([0.4, 0.7, 0.8]).view(3, 1, 1, 1).expand(3, 1, 1, 3)
    # errors: 0.1, 0.2
    assert rm(make_pair(prediction, truth)) == pytest.approx(0.15, abs=1e-6)


def test_constant_offset_does_not_count(make_pair):
    truth = torch.rand(4, 3, 3, 3, generator=torch.Generator().manual_seed(0)) * 0.5
    assert rm(make_pair(truth + 0.25, truth)) == pytest.approx(0, abs=1e-6)


def test_flicker_over_several_chunks(make_pair):
    truth = torch.full((20, 2, 2, 3), 0.5)
    prediction = truth.clone()
    prediction[1::2] += 0.1  # each of the 19 changes is off by 0.1
    prediction[19] -= 0.1  # and the last by 0
    assert rm(make_pair(prediction, truth)) == pytest.approx(18 * 0.1 / 19, abs=1e-6)


def test_one_frame(make_pair):
    clip = torch.full((1, 2, 2, 3), 0.5)
    assert rm(make_pair(clip, clip)) == Missing("needs 2 frames")
