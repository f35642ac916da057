"""Small pictures for the eye."""

import torch

from bokeh_core.thumbnail import rgb_over_grey, thumbnail


def test_each_pixel_is_the_mean_of_those_it_stands_for():
    frame = torch.zeros(4, 8, 3)
    frame[:2, :2] = 1.0  # One block.
    frame[2, 4] = 2.0  # A quarter of another, brighter than white.
    small = thumbnail(frame, 4)
    assert (small.shape, small.dtype) == ((2, 4, 3), torch.uint8)
    assert small[..., 0].tolist() == [[255, 0, 0, 0], [0, 0, 64, 0]]


def test_small_frames_keep_their_size():
    frame = torch.full((3, 5, 3), 0.2)
    assert torch.equal(thumbnail(frame, 5), torch.full((3, 5, 3), 51, dtype=torch.uint8))


def test_linear_light_is_shown_as_display_values_of_the_mean_light():
    frame = torch.tensor([0.0, 0.5])[:, None, None].expand(2, 2, 3)
    # A quarter of white to the power of 1 / 2.2, times 255: 135.8.
    assert thumbnail(frame, 1, "linear").flatten().tolist() == [136, 136, 136]


def test_an_extreme_shape_keeps_a_pixel():
    assert thumbnail(torch.zeros(1000, 2, 3), 10).shape == (10, 1, 3)


def test_grey_is_repeated_and_transparent_parts_are_grey():
    assert rgb_over_grey(torch.full((1, 1, 1), 0.25)).tolist() == [[[0.25] * 3]]
    assert rgb_over_grey(torch.tensor([[[1.0, 0.0, 0.5, 0.5]]])).tolist() == [[[0.75, 0.25, 0.5]]]
