"""Metrics of disparity on maps and motion that are known."""

import pytest
import torch
from torch import Tensor

from bokeh_lab.metrics import Missing
from bokeh_lab.metrics.maps import MAP_METRICS, mean_error, opw


def two_to_the_right(first: Tensor, second: Tensor) -> Tensor:
    """Everything goes 2 px to the right from frame 0 to frame 1, told by their brightness, and back."""
    flow = torch.zeros(2, *first.shape[:2])
    flow[0] = 2.0 if second.mean() > first.mean() else -2.0
    return flow


def frames() -> Tensor:
    return torch.tensor([0.2, 0.8])[:, None, None, None].expand(-1, 16, 20, 3)


def test_mean_error_by_hand():
    truth = torch.zeros(1, 2, 2)
    assert mean_error(torch.tensor([[[0.0, 0.5], [0.25, 0.25]]]), truth) == 0.25


def test_what_moves_with_the_picture_costs_nothing():
    first = torch.linspace(0, 1, 20).expand(16, 20)
    second = torch.cat([torch.full((16, 2), 0.9), first[:, :-2]], dim=1)
    assert opw(frames(), torch.stack([first, second]), two_to_the_right) == pytest.approx(0, abs=1e-6)


def test_a_shift_of_the_whole_map_is_its_own_size():
    first = torch.linspace(0, 0.5, 20).expand(16, 20)
    second = torch.cat([torch.full((16, 2), 0.9), first[:, :-2] + 0.125], dim=1)
    # The two columns that leave the frame are left out, and so is 0.9, which no pixel moves to.
    assert opw(frames(), torch.stack([first, second]), two_to_the_right) == pytest.approx(0.125, abs=1e-6)


def test_hidden_pixels_are_left_out():
    def half_hidden(first: Tensor, second: Tensor) -> Tensor:
        # In the right half the way back does not end where it began.
        flow = torch.zeros(2, 16, 20)
        flow[0, :, 10:] = 3.0
        return flow

    maps = torch.zeros(2, 16, 20)
    maps[1, :, :10] = 0.25
    maps[1, :, 10:] = 1.0
    # The flow is 3 px both ways on the right, so that pixels there return 6 px off.
    assert opw(frames(), maps, half_hidden) == pytest.approx(0.25, abs=1e-6)


def test_flicker_is_seen_by_the_flow_of_opencv(texture):
    picture = texture(140, 190, 0)
    clip = torch.stack([picture[10 - t : 130 - t, 20 - 3 * t : 180 - 3 * t] for t in range(4)])
    steady = torch.full((4, 120, 160), 0.5)
    assert opw(clip, steady) == pytest.approx(0, abs=1e-6)
    flickering = steady + torch.tensor([0.0, 0.1, 0.0, 0.1])[:, None, None]
    assert opw(clip, flickering) == pytest.approx(0.1, abs=1e-5)


def test_what_cannot_be_measured_says_why():
    assert opw(frames()[:1], torch.zeros(1, 16, 20)) == Missing("needs 2 frames")
    assert opw(frames()[:, :8], torch.zeros(2, 8, 20)) == Missing("needs frames of 12 px or more")
    assert [metric.name for metric in MAP_METRICS] == ["map_error", "opw"]
