"""The plot of focus over time: near is up, and the decisions are on the line."""

import pytest
import torch
from torch import Tensor

from bokeh_core.preview.focus_plot import focus_plot

YELLOW = torch.tensor([255, 210, 74]) / 255


def rows_of_focus(plot: Tensor, column: int) -> list[float]:
    """Return the rows in a column that have the colour of the focus."""
    close = (plot[0, :, column] - YELLOW).abs().amax(-1) < 0.1
    return [float(row) for row in close.nonzero()[:, 0]]


def test_near_is_above_far():
    plot = focus_plot(torch.tensor([1.0] * 10 + [0.0] * 10), torch.full((20,), 16.0))
    assert plot.shape == (1, 360, 960, 3)
    left, right = rows_of_focus(plot, 200), rows_of_focus(plot, 800)
    # Between the margins of 30 px above and 50 px below.
    assert min(left) == pytest.approx(30, abs=2)
    assert max(right) == pytest.approx(310, abs=2)


def test_decisions_are_drawn_and_late_ones_left_out():
    focal, strength = torch.full((9,), 0.5), torch.full((9,), 16.0)
    plain = focus_plot(focal, strength)
    assert torch.equal(focus_plot(focal, strength, [9, -1]), plain)
    assert len(rows_of_focus(focus_plot(focal, strength, [4]), 500)) > len(rows_of_focus(plain, 500)) + 8


def test_one_frame_and_no_blur():
    plot = focus_plot(torch.tensor([0.5]), torch.tensor([0.0]), [0])
    assert rows_of_focus(plot, 500) != []


def test_other_lengths_are_refused():
    with pytest.raises(ValueError, match="2 values and strength 1"):
        focus_plot(torch.zeros(2), torch.zeros(1))
