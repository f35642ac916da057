"""Circle of confusion, Eq. 1: r = K |d - d_f|."""

import pytest
import torch

from bokeh_core.coc import circle_of_confusion_px, signed_circle_of_confusion_px

DISPARITY = torch.tensor([[[1.0, 0.5, 0.25, 0.0]]])


def test_radius_is_strength_times_distance_from_the_focal_plane():
    radius_px = circle_of_confusion_px(DISPARITY, torch.tensor([0.5]), torch.tensor([8.0]))
    assert radius_px.tolist() == [[[4.0, 0.0, 2.0, 4.0]]]


def test_the_signed_radius_is_positive_in_front_of_the_focal_plane():
    radius_px = signed_circle_of_confusion_px(DISPARITY, torch.tensor([0.5]), torch.tensor([8.0]))
    assert radius_px.tolist() == [[[4.0, 0.0, -2.0, -4.0]]]


def test_every_frame_has_its_own_focus_and_strength():
    radius_px = signed_circle_of_confusion_px(
        torch.full((3, 1, 1), 0.5), torch.tensor([0.0, 1.0, 0.25]), torch.tensor([16.0, 4.0, 0.0])
    )
    assert radius_px.flatten().tolist() == [8.0, -2.0, 0.0]


@pytest.mark.parametrize("function", [circle_of_confusion_px, signed_circle_of_confusion_px])
def test_shape_and_dtype_are_those_of_the_disparity(function):
    radius_px = function(torch.rand(2, 3, 5, dtype=torch.float64), torch.rand(2), torch.ones(2))
    assert (radius_px.dtype, radius_px.shape) == (torch.float64, (2, 3, 5))


@pytest.mark.parametrize("function", [circle_of_confusion_px, signed_circle_of_confusion_px])
def test_another_length_is_refused(function):
    disparity = torch.zeros(3, 2, 2)
    with pytest.raises(
        ValueError, match=r"focal_disparity has shape \(2,\) for 3 disparity frames; give one"
    ):
        function(disparity, torch.zeros(2), torch.zeros(3))
    with pytest.raises(
        ValueError, match=r"blur_strength_px has shape \(1,\) for 3 disparity frames; give one"
    ):
        function(disparity, torch.zeros(3), torch.zeros(1))


@pytest.mark.parametrize("function", [circle_of_confusion_px, signed_circle_of_confusion_px])
def test_negative_strength_is_refused(function):
    with pytest.raises(ValueError, match=r"blur_strength_px is -2.*must be 0 or more"):
        function(torch.zeros(2, 1, 1), torch.zeros(2), torch.tensor([3.0, -2.0]))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_strength_and_focus_must_be_finite(value: float):
    with pytest.raises(ValueError, match="blur_strength_px"):
        circle_of_confusion_px(torch.zeros(1, 1, 1), torch.zeros(1), torch.tensor([value]))
    with pytest.raises(ValueError, match="focal_disparity"):
        circle_of_confusion_px(torch.zeros(1, 1, 1), torch.tensor([value]), torch.ones(1))
