"""Push-pull interpolation."""

import pytest
import torch

from bokeh_core.lens.fill import push_pull

SIZES = [(1, 1), (1, 2), (1, 9), (3, 2), (8, 8), (7, 13), (33, 21)]


@pytest.mark.parametrize("size", SIZES)
def test_known_values_are_kept(size: tuple[int, int]):
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(3, *size, generator=generator)
    known = torch.rand(1, *size, generator=generator) < 0.4
    filled = push_pull(values, known.float())
    torch.testing.assert_close(filled * known, values * known, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_one_sample_fills_everything(size: tuple[int, int]):
    weights = torch.zeros(1, *size)
    weights[0, size[0] // 2, size[1] // 2] = 1
    values = torch.where(weights > 0, torch.tensor([0.3, -2.0])[:, None, None], 77.0)
    expected = torch.tensor([0.3, -2.0])[:, None, None].expand(2, *size)
    torch.testing.assert_close(push_pull(values, weights), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_no_samples_give_zero(size: tuple[int, int]):
    assert push_pull(torch.rand(2, *size), torch.zeros(1, *size)).tolist() == torch.zeros(2, *size).tolist()


@pytest.mark.parametrize("size", [(12, 16), (7, 13), (33, 21)])
def test_a_hole_between_two_values_lies_between_them(size: tuple[int, int]):
    columns = torch.arange(size[1])
    left, right = columns < size[1] // 4, columns >= size[1] - size[1] // 4
    values = torch.where(left, 0.2, torch.where(right, 0.8, 55.0)).expand(1, *size)
    filled = push_pull(values, (left | right).float().expand(1, *size))[0]
    hole = filled[:, ~(left | right)]
    assert ((hole >= 0.2 - 1e-6) & (hole <= 0.8 + 1e-6)).all()
    assert ((hole > 0.25) & (hole < 0.75)).any()
    # Nearer the left value on the left, and a level ground up and down.
    assert hole[:, 0].max() < 0.5 < hole[:, -1].min()
    assert (filled.diff(dim=1) >= -1e-6).all()


def test_a_constant_is_reproduced_whatever_the_weights():
    weights = torch.rand(1, 19, 30, generator=torch.Generator().manual_seed(1)).square()
    filled = push_pull(torch.full((1, 19, 30), 0.7), weights)
    torch.testing.assert_close(filled, torch.full((1, 19, 30), 0.7), rtol=0, atol=1e-5)
