"""Blurred maps whose sharp ones are known."""

import cv2
import pytest
import torch
from torch import Tensor

from bokeh_core.disparity.refine.softness import without_softness


def blocks() -> Tensor:
    """A near block and a thin bar beside it, before a slanted wall."""
    disparity = torch.linspace(0.1, 0.2, 240).repeat(72, 1)
    disparity[16:56, 12:40] = 0.7
    disparity[10:62, 46:48] = 0.7
    return disparity


def blurred(disparity: Tensor, deviation_px: float) -> Tensor:
    soft = cv2.GaussianBlur(disparity.numpy(), (0, 0), deviation_px, borderType=cv2.BORDER_REPLICATE)
    return torch.from_numpy(soft)


def test_sharp_outlines_stay_bit_for_bit() -> None:
    disparity = blocks()

    assert without_softness(disparity) is disparity


def test_a_map_of_one_value_stays() -> None:
    disparity = torch.full((20, 30), 0.4)

    assert without_softness(disparity) is disparity


@pytest.mark.parametrize("size", [(1, 40), (40, 1), (2, 2)])
def test_maps_of_a_few_px_stay(size: tuple[int, int]) -> None:
    disparity = torch.rand(*size, generator=torch.Generator().manual_seed(1))

    assert without_softness(disparity) is disparity


@pytest.mark.parametrize("deviation_px", [1.6, 2.2])
def test_soft_outlines_are_steps_where_the_ramps_have_their_middle(deviation_px: float) -> None:
    sharp = blocks()
    soft = blurred(sharp, deviation_px)

    result = without_softness(soft)

    block = (slice(8, 64), slice(4, 42))
    assert (soft - sharp)[block].abs().gt(0.2).sum().item() > 100
    # At the corners alone, which are as round ones to a blur.
    assert (result - sharp)[block].abs().gt(0.2).sum().item() < 40


def test_thin_things_come_as_near_as_what_is_nearby() -> None:
    soft = blurred(blocks(), 1.6)

    result = without_softness(soft)

    assert soft[30, 46].item() < 0.45
    assert result[30, 46].item() == pytest.approx(0.7, abs=0.1)


def test_nothing_rings_beside_a_step() -> None:
    sharp = blocks()
    sharp[:, 42:] = sharp[:, 42:43]

    result = without_softness(blurred(sharp, 1.6))

    assert result.max().item() <= 0.7 + 1e-5
    assert result[30, :10].min().item() > sharp[30, 0].item() - 0.005


def test_slopes_and_flats_stay_bit_for_bit() -> None:
    soft = blurred(blocks(), 1.6)

    result = without_softness(soft)

    assert torch.equal(result[:, 64:], soft[:, 64:])
    assert not torch.equal(result, soft)
