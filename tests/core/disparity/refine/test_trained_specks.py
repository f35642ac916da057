"""Which changed pixels are given back."""

import torch

from bokeh_core.disparity.refine.trained.specks import without_specks


def changed(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """A map that all pixels shall become those of another map in."""
    y, x = torch.ones_like(before).nonzero(as_tuple=True)
    return without_specks(before, y, x, after[y, x])


def test_single_pixels_are_given_back_and_parts_of_surfaces_stay():
    before = torch.full((20, 30), 0.2)
    before[:, 20:] = 0.8
    after = before.clone()
    # An outline that moved, a square with its corners, and two specks of one and of two px.
    after[:, 18:20] = 0.8
    after[4:8, 4:8] = 0.7
    wanted = after.clone()
    after[15, 3] = 0.8
    after[15, 9:11] = 0.8
    assert torch.equal(changed(before, after), wanted)


def test_where_specks_are_all_the_very_map_comes_back():
    before = torch.full((8, 8), 0.2)
    after = before.clone()
    after[2, 2] = after[5, 5] = 0.9
    assert changed(before, after) is before
    assert changed(before, before) is before
