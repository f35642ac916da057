"""The picture of what a refinement changed, by numbers found by hand."""

import pytest
import torch

from bokeh_core.disparity.refine import changes_view


def test_nearer_is_orange_and_farther_blue_over_the_dimmed_map():
    before = torch.tensor([[[0.5, 0.5, 0.5, 0.5]]])
    after = torch.tensor([[[0.5, 0.8, 0.2, 0.55]]])
    same, nearer, farther, half = changes_view(before, after)[0, 0].tolist()
    assert same == pytest.approx([0.3, 0.3, 0.3])
    assert nearer == pytest.approx([1.0, 0.35, 0.1])
    assert farther == pytest.approx([0.1, 0.5, 1.0])
    # Half of the orange, and half of 0.6 x 0.55.
    assert half == pytest.approx([0.5 + 0.165, 0.175 + 0.165, 0.05 + 0.165], abs=1e-5)


def test_one_map_for_all_frames():
    after = torch.full((3, 2, 2), 0.5)
    assert changes_view(after[:1], after).shape == (3, 2, 2, 3)
