"""Squares around pixels against pooling, which looks at each of their pixels."""

import pytest
import torch
import torch.nn.functional as F

from bokeh_core.disparity.refine.around import highest, lowest, sum_around


@pytest.mark.parametrize("reach_px", [0, 1, 2, 3, 6, 7])
@pytest.mark.parametrize("size", [(1, 1), (3, 20), (21, 17)])
def test_extremes_and_sums_are_those_of_the_square(size: tuple[int, int], reach_px: int):
    values = torch.randint(-9, 10, (2, 3, *size), generator=torch.Generator().manual_seed(0)).double()
    side = 2 * reach_px + 1
    assert torch.equal(highest(values, reach_px), F.max_pool2d(values, side, 1, reach_px))
    assert torch.equal(lowest(values, reach_px), -F.max_pool2d(-values, side, 1, reach_px))
    total = F.conv2d(values, values.new_ones(3, 1, side, side), padding=reach_px, groups=3)
    assert torch.equal(sum_around(values, reach_px), total)


def test_one_plane_is_enough():
    assert highest(torch.tensor([[0.0, 2.0], [1.0, 0.0]]), 1).tolist() == [[2.0, 2.0], [2.0, 2.0]]
