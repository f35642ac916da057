"""Lengths stated for a frame 1024 px wide, by hand."""

import pytest
import torch

from bokeh_core.reference_width import as_stated, in_frame_px
from bokeh_core.strength import most_strength_px


@pytest.mark.parametrize(("width_px", "expected_px"), [(1024, 12.0), (512, 6.0), (1920, 22.5)])
def test_lengths_grow_with_the_width(width_px: int, expected_px: float):
    assert in_frame_px(12.0, width_px) == expected_px
    assert in_frame_px(torch.tensor([12.0, 0.0]), width_px).tolist() == [expected_px, 0.0]
    assert as_stated(expected_px, width_px) == pytest.approx(12.0)


@pytest.mark.parametrize(("width_px", "expected_px"), [(64, 200.0), (1024, 200.0), (3840, 750.0)])
def test_small_frames_take_what_the_reference_takes(width_px: int, expected_px: float):
    assert most_strength_px(width_px) == expected_px
