"""Circle of confusion, Eq. 1: r = K |d - d_f|."""

import math

import pytest
import torch

from bokeh_core.coc import EQ_1, Falloff, circle_of_confusion_px, signed_circle_of_confusion_px

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


class TestFalloff:
    # Disparity from 0 to 1 around a focus at 0.5, K = 8.
    FOCUS, STRENGTH = torch.tensor([0.5]), torch.tensor([8.0])

    @pytest.mark.parametrize(
        ("falloff", "radius_px"),
        [
            (EQ_1, [4, 0, -2, -4]),
            # Half of the range is taken off each side, and within it all is sharp.
            (Falloff(focus_range=0.25), [3, 0, -1, -3]),
            (Falloff(focus_range=0.5), [2, 0, 0, -2]),
            (Falloff(near_strength=0.5, far_strength=2), [2, 0, -4, -8]),
            (Falloff(near_strength=0), [0, 0, -2, -4]),
            (Falloff(largest_radius_px=3), [3, 0, -2, -3]),
            # The limit comes last.
            (Falloff(0.25, 4, 1, 5), [5, 0, -1, -3]),
            (Falloff(largest_radius_px=0), [0, 0, 0, 0]),
        ],
    )
    def test_radius(self, falloff: Falloff, radius_px: list[float]):
        found = signed_circle_of_confusion_px(DISPARITY, self.FOCUS, self.STRENGTH, falloff)
        assert found.flatten().tolist() == radius_px

    @pytest.mark.parametrize(
        "falloff",
        [
            EQ_1,
            Falloff(focus_range=0.25),
            Falloff(0.25, 0.5, 2.0, 6.0),
            Falloff(0.0, 2.0, 3.0),
            Falloff(0.0, 0.0, 0.5),
        ],
    )
    def test_a_disparity_between_focus_and_the_given_one_blurs_alike(self, falloff: Falloff):
        wanted = signed_circle_of_confusion_px(DISPARITY, self.FOCUS, self.STRENGTH, falloff)
        scaled, factor = falloff.scaled_to_one()
        strength = self.STRENGTH * factor
        seen = scaled.disparity_that_blurs_alike(DISPARITY, self.FOCUS, strength)
        torch.testing.assert_close(signed_circle_of_confusion_px(seen, self.FOCUS, strength), wanted)
        assert bool(((seen - 0.5).abs() <= (DISPARITY - 0.5).abs() + 1e-6).all())

    def test_without_any_strength_nothing_blurs(self):
        scaled, factor = Falloff(near_strength=0, far_strength=0).scaled_to_one()
        assert (scaled, factor) == (EQ_1, 0.0)
        for limit in (0.0, 3.0, math.inf):
            falloff = Falloff(focus_range=0.25, largest_radius_px=limit)
            seen = falloff.disparity_that_blurs_alike(DISPARITY, self.FOCUS, torch.zeros(1))
            assert bool(seen.isfinite().all())

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"focus_range": -0.1}, "focus_range is -0.1 of disparity; it must be 0 to 1"),
            ({"focus_range": math.nan}, "focus_range is nan"),
            ({"near_strength": 101}, "near_strength is 101; it must be 0 to 100"),
            ({"far_strength": -1}, "far_strength is -1"),
            ({"largest_radius_px": -1}, "largest_radius is -1 px; it must be 0 to 1000000 px"),
            ({"largest_radius_px": math.nan}, "largest_radius is nan"),
            ({"largest_radius_px": 10**400}, "largest_radius is a number of hundreds of digits"),
        ],
    )
    def test_out_of_range(self, settings: dict[str, float], said: str):
        with pytest.raises(ValueError, match=said):
            Falloff(**settings)
