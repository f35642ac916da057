"""Greatest and least values around each pixel, on either backend."""

import pytest
import torch

from bokeh_core.lens.backend import ACCELERATOR, CPU
from bokeh_core.lens.neighbourhood import Extremes, Surroundings, dilate, local_max, local_min


def test_extremes_of_a_ramp_by_hand():
    ramp = torch.arange(5.0)[None].expand(3, 5)

    assert local_max(ramp)[1].tolist() == [1, 2, 3, 4, 4]
    assert local_min(ramp)[1].tolist() == [0, 0, 1, 2, 3]
    assert local_max(ramp, 2)[0].tolist() == [2, 3, 4, 4, 4]
    assert Extremes.of(ramp).step()[0].tolist() == [1, 2, 2, 2, 1]
    assert Extremes.of(ramp, 2).middle()[0].tolist() == [1, 1.5, 2, 2.5, 3]


def test_dilate_reaches_a_square():
    mask = torch.zeros(5, 7, dtype=torch.bool)
    mask[2, 3] = True

    assert dilate(mask, 1).sum() == 9
    assert dilate(mask, 2).sum() == 25


@pytest.mark.parametrize("reach_px", [0, 1, 4, 30])
def test_both_backends_agree(reach_px):
    values = torch.randn(11, 17, generator=torch.Generator().manual_seed(reach_px))

    assert torch.equal(ACCELERATOR.local_max(values, reach_px), CPU.local_max(values, reach_px))
    assert torch.equal(ACCELERATOR.local_min(values, reach_px), CPU.local_min(values, reach_px))
    assert torch.equal(ACCELERATOR.dilate(values > 1, reach_px), CPU.dilate(values > 1, reach_px))


def test_extremes_of_a_map_are_found_once_for_each_reach():
    around = Surroundings(torch.arange(5.0)[None].expand(3, 5))

    assert around.within(2).top[0].tolist() == [2, 3, 4, 4, 4]
    assert around.within(1).bottom[0].tolist() == [0, 0, 1, 2, 3]
    assert around.within(2) is around.within(2)
