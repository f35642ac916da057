"""The points that a focus is measured at."""

import pytest
import torch

from bokeh_core.focus.at_point import measured_points, point_keyframes
from bokeh_core.focus.pull import centres_of_masks


def test_a_point_that_follows_moves_between_keyframes_and_is_held_after_them():
    points = point_keyframes(-1, -1, "0: 2, 4; 4: 10, 8", (20, 30))
    found = measured_points(points, 6)
    assert found.tolist() == [[2, 4], [4, 5], [6, 6], [8, 7], [10, 8], [10, 8]]


def test_in_a_rack_the_point_is_the_one_that_the_focus_is_nearer_to():
    points = point_keyframes(-1, -1, "0: 2, 4; 4: 10, 8", (20, 30))
    found = measured_points(points, 5, "rack focus")
    assert found.tolist() == [[2, 4], [2, 4], [10, 8], [10, 8], [10, 8]]


def test_without_keyframes_the_one_point_is_held():
    assert measured_points(point_keyframes(-1, 7, "", (20, 31)), 2).tolist() == [[15, 7], [15, 7]]


def test_the_centre_of_a_mask_is_on_the_subject():
    # A ring has nothing at its middle; of the pixels as near to it the first in reading order is taken.
    ring = torch.ones(1, 5, 5)
    ring[0, 1:4, 1:4] = 0
    assert centres_of_masks(ring, 2, 5, 5).tolist() == [[2, 0], [2, 0]]


def test_frames_without_a_mask_keep_the_point():
    masks = torch.zeros(5, 4, 6)
    masks[1, 1, 2] = 1
    masks[3, 2:4, 5] = 0.5
    points = centres_of_masks(masks, 5, 4, 6).tolist()
    assert points == [[2, 1], [2, 1], [2, 1], [5, 2], [5, 2]]


def test_empty_masks_are_refused():
    with pytest.raises(ValueError, match="empty in all 2 frames"):
        centres_of_masks(torch.zeros(1, 4, 6), 2, 4, 6)
