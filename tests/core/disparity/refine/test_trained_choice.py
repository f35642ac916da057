"""Which candidate a pixel gets, by arithmetic done by hand."""

import pytest
import torch

from bokeh_core.disparity.refine.trained.choice import KEPT, chosen


def choice(values: list[float], likelihoods: list[float]) -> float:
    return chosen(torch.tensor([values]), torch.tensor([likelihoods])).item()


@pytest.mark.parametrize(
    ("likelihoods", "wanted"),
    [
        # By value: 0.1, 0.2, 0.7, 0.9.
        ([0.6, 0.2, 0.1, 0.1], 0.7),
        ([0.3, 0.1, 0.3, 0.3], 0.7),
        ([0.1, 0.4, 0.2, 0.3], 0.2),
        ([0.0, 0.0, 0.0, 1.0], 0.1),
    ],
)
def test_the_median_is_one_of_the_candidates_to_the_bit(likelihoods: list[float], wanted: float):
    assert choice([0.7, 0.2, 0.9, 0.1], likelihoods) == torch.tensor(wanted).item()


@pytest.mark.parametrize(
    ("below", "wanted"), [(0.48, 0.8), (0.49, 0.65), (0.5, 0.5), (0.51, 0.35), (0.52, 0.2), (0.6, 0.2)]
)
def test_two_that_are_as_likely_are_mixed_so_that_rounding_chooses_nothing(below: float, wanted: float):
    assert choice([0.2, 0.8], [below, 1 - below]) == pytest.approx(wanted, abs=1e-5)


def test_what_is_kept_by_its_likelihood_alone_is_what_the_median_keeps():
    random = torch.Generator().manual_seed(3)
    values = torch.rand(9, 500, generator=random)
    rest = torch.rand(8, 500, generator=random)
    likelihoods = torch.cat([torch.full((1, 500), KEPT + 1e-4), rest / rest.sum(0) * (1 - KEPT - 1e-4)])
    assert torch.equal(chosen(values.T, likelihoods.T), values[0])


def test_candidates_of_one_value_give_that_value():
    likelihoods = torch.rand(40, 7, generator=torch.Generator().manual_seed(1)).softmax(1)
    alike = torch.full((40, 7), 0.37)
    assert torch.equal(chosen(alike, likelihoods), alike[:, 0])


def test_likelihoods_that_rounding_leaves_short_of_one_have_a_median():
    assert choice([0.2, 0.8], [0.3, 0.1]) == torch.tensor(0.8).item()
