"""Lines, medians and fits, by numbers found by hand."""

import pytest
import torch

from bokeh_core.disparity.refine.affine import IDENTITY, Affine, fitted, steady
from bokeh_core.disparity.refine.course import steady_value
from bokeh_core.disparity.refine.weighted_median import weighted_median


def at_zero(at: list[float], values: list[float], weights: list[float] | None = None) -> float:
    given = torch.tensor(weights or [1.0] * len(at), dtype=torch.float64)
    return steady_value(
        torch.tensor(at, dtype=torch.float64), torch.tensor(values, dtype=torch.float64), given
    ).item()


def test_weighted_median_is_the_value_at_half_of_the_weight():
    values = torch.tensor([[3.0, 1.0], [1.0, 2.0], [2.0, 9.0]])
    weights = torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 5.0]])
    assert weighted_median(values, weights).tolist() == [2.0, 9.0]


def test_a_straight_course_goes_on():
    assert at_zero([0, 1, 2, 3], [0.5, 0.6, 0.7, 0.8]) == pytest.approx(0.5)
    assert at_zero([-2, -1, 0, 1, 2], [0.1, 0.2, 0.3, 0.4, 0.5]) == pytest.approx(0.3)


def test_between_frames_on_both_sides_it_is_the_mean():
    assert at_zero([-1, 0, 1], [0.3, 0.9, 0.3]) == pytest.approx(0.5)


def test_a_slope_is_followed_as_far_as_it_is_unlikely_to_be_chance():
    # Residuals 0.008 sqrt(2.5) (1, -1, -1, 1): the slope's variance is 4 * 2.5 * 0.008^2 / 2 / 5 = 0.008^2,
    # as large as that of slopes themselves, so half of it is followed.
    off = 0.008 * 2.5**0.5
    values = [off, 0.1 - off, 0.2 - off, 0.3 + off]
    assert at_zero([0, 1, 2, 3], values) == pytest.approx(0.15 - 0.5 * 0.15)
    # Residuals 10 times as large: the variance is 100 times as large.
    values = [10 * off, 0.1 - 10 * off, 0.2 - 10 * off, 0.3 + 10 * off]
    assert at_zero([0, 1, 2, 3], values) == pytest.approx(0.15 - 0.15 / 101)


def test_two_values_make_no_slope():
    assert at_zero([0, 1], [0.2, 0.6]) == pytest.approx(0.4)
    assert at_zero([0, 1, 2], [0.2, 0.6, 9.0], [1.0, 1.0, 0.0]) == pytest.approx(0.4)


def test_fit_finds_scale_and_shift_past_outliers():
    own = torch.linspace(0, 0.8, 400)
    other = 1.1 * own + 0.05
    other[:60] = 0.0
    fit = fitted(own, other, torch.ones(400))
    assert fit.scale == pytest.approx(1.1, abs=0.01)
    assert fit.shift == pytest.approx(0.05, abs=0.01)


def test_fit_without_trust_or_depth():
    own = torch.linspace(0, 0.8, 400)
    assert fitted(own, 1 - own, torch.zeros(400)) == IDENTITY
    flat = fitted(torch.full((400,), 0.3), torch.full((400,), 0.35), torch.ones(400))
    assert flat.scale == 1.0
    assert flat.shift == pytest.approx(0.05)


def test_transforms_follow_one_another_and_lead_back():
    first, then = Affine(2.0, 0.1), Affine(0.5, 0.3)
    assert then.after(first) == Affine(1.0, 0.35)
    assert first.inverse() == Affine(0.5, -0.05)


def test_a_frame_is_brought_to_the_mean_of_those_around():
    to_others = [Affine(), Affine(0.9, 0.05), Affine(0.9, 0.05)]
    found = steady(to_others, [0, -1, 1], (0.2, 0.8))
    # Its ends 0.2 and 0.8 are 0.23 and 0.77 in the others: 0.22 and 0.78 on average.
    assert found.of(0.2) == pytest.approx(0.22)
    assert found.of(0.8) == pytest.approx(0.78)


def test_a_flat_map_is_only_shifted():
    found = steady([Affine(), Affine(2.0, 0.0), Affine(2.0, 0.0)], [0, -1, 1], (0.3, 0.3))
    assert found.scale == 1.0
    assert found.shift == pytest.approx(0.2)
