"""The Frechet distance against closed forms and a matrix root."""

import numpy as np
import pytest
import torch
from scipy import linalg

from bokeh_lab.metrics.frechet import frechet_distance


def spread(*deviations):
    """2 D points about 0 whose sample covariance (divided by N) is diagonal, deviation^2 x 1 / D."""
    axes = torch.diag(torch.tensor(deviations, dtype=torch.float64))
    return torch.cat((axes, -axes))


def test_identical():
    features = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-12)


def test_shift_counts_as_its_squared_length():
    features = torch.randn(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert frechet_distance(features, features + torch.tensor([1.0, -2.0, 2.0])) == pytest.approx(9)


def test_diagonal_covariances():
    # Standard deviations (4, 2, 6) / sqrt(3) and (1, 2, 3) / sqrt(3): sum of squared differences.
    first, second = spread(4, 2, 6), spread(1, 2, 3)
    assert frechet_distance(first, second, correction=0) == pytest.approx((9 + 0 + 9) / 3)
    # Six points: N / (N - 1) = 6 / 5.
    assert frechet_distance(first, second, correction=1) == pytest.approx((9 + 0 + 9) / 3 * 6 / 5)


def test_sets_of_different_size():
    # The same points twice: the sample covariance stays, the unbiased one goes from 6 / 5 to 12 / 11.
    features = spread(1, 2, 3)
    assert frechet_distance(features, features.repeat(2, 1), correction=0) == pytest.approx(0, abs=1e-12)
    expected = (np.sqrt(6 / 5) - np.sqrt(12 / 11)) ** 2 * (1 + 4 + 9) / 3
    assert frechet_distance(features, features.repeat(2, 1), correction=1) == pytest.approx(expected)


def test_against_the_matrix_root():
    generator = torch.Generator().manual_seed(1)
    mix = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    first = torch.randn(40, 6, generator=generator, dtype=torch.float64) @ mix
    second = torch.randn(30, 6, generator=generator, dtype=torch.float64) + 0.5
    covariances = np.cov(first.numpy(), rowvar=False), np.cov(second.numpy(), rowvar=False)
    root = linalg.sqrtm(covariances[0] @ covariances[1])
    expected = ((first.mean(0) - second.mean(0)) ** 2).sum().item() + np.trace(
        covariances[0] + covariances[1] - 2 * root.real
    )
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-9)


def test_fewer_samples_than_dimensions():
    # Two points each on lines at 60 degrees: traces 2, and tr((S_1 S_2)^(1/2)) = 2 |cos 60|.
    first, second = torch.zeros(2, 100), torch.zeros(2, 100)
    first[:, 0] = torch.tensor([1.0, -1.0])
    second[:, 0], second[:, 1] = first[:, 0] * 0.5, first[:, 0] * 0.75**0.5
    assert frechet_distance(first, second) == pytest.approx(2 + 2 - 2 * 2 * 0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [(((1, 3), (4, 3)), "at least 2"), (((4, 3), (4, 2)), "must be"), (((4, 3, 1), (4, 3)), "must be")],
)
def test_refusals(shapes, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(*(torch.zeros(shape) for shape in shapes))
