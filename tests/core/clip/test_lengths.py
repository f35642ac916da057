"""One value or one map serves a whole clip; other lengths are refused."""

import pytest
import torch

from bokeh_core.clip.lengths import broadcast_over_frames


def test_one_value_serves_every_frame():
    assert broadcast_over_frames(torch.tensor([0.3]), 4, "focus").tolist() == pytest.approx([0.3] * 4)


def test_one_map_serves_every_frame_without_a_copy():
    disparity = torch.rand(1, 2, 3)
    shared = broadcast_over_frames(disparity, 5, "disparity")
    assert shared.shape == (5, 2, 3)
    assert shared[4].data_ptr() == disparity.data_ptr()


def test_one_value_per_frame_is_kept():
    values = torch.tensor([1.0, 2.0, 3.0])
    assert broadcast_over_frames(values, 3, "focus") is values


def test_another_length_is_an_error_that_names_both():
    with pytest.raises(
        ValueError, match=r"3 disparity frames for 10 video frames; give 10, or 1 for the whole"
    ):
        broadcast_over_frames(torch.zeros(3, 2, 2), 10, "disparity")


def test_a_clip_of_one_frame_takes_one_value():
    with pytest.raises(ValueError, match=r"2 focus frames for 1 video frames; give 1\."):
        broadcast_over_frames(torch.zeros(2), 1, "focus")


def test_no_values_are_an_error():
    with pytest.raises(ValueError, match="0 focus frames for 5 video frames"):
        broadcast_over_frames(torch.zeros(0), 5, "focus")
