"""Searches along a short first dimension."""

import torch

from bokeh_core.lens.first_of import first_greatest, first_true


def test_the_first_true_value_is_found_or_else_the_last_place():
    mask = torch.tensor([[0, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 1]], dtype=torch.bool)

    assert first_true(mask).tolist() == [1, 0, 2, 2]


def test_of_equal_values_the_first_is_the_greatest():
    values = torch.tensor([[3.0, -1.0, 2.0], [3.0, -2.0, 5.0], [1.0, -1.0, 4.0]])

    assert first_greatest(values).tolist() == [0, 0, 1]
