"""Pixels without depth: refused, far, or filled from around."""

import math
from typing import Any

import pytest
import torch

from bokeh_core.disparity.holes import fill_from_around, holes_in
from bokeh_core.disparity.meaning import DepthMeaning
from bokeh_core.disparity.prepare import prepare_disparity
from bokeh_core.disparity.statistics import DisparityStatistics

NAN, INF = math.nan, math.inf
# Distances 1, 2 and 4 m have the disparities 1, 0.5 and 0.25 per metre.
HOLED = torch.tensor([[[1.0, 2.0, INF], [4.0, 0.0, NAN]]])


def prepared(values: torch.Tensor, **settings: Any) -> tuple[torch.Tensor, str]:
    result = prepare_disparity(values, polarity="auto", **settings)
    return result.disparity, result.report


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_holes_are_refused_unless_told_otherwise(bad: float):
    maps = torch.tensor([[[0.0, 1.0, bad]]])
    with pytest.raises(ValueError, match=r"frame 0 at column 2, row 0.*set holes to far.*fill from around"):
        prepare_disparity(maps)
    with pytest.raises(ValueError, match=r"0 or less.*set holes to fill from around"):
        prepare_disparity(torch.tensor([[[0.0, 1.0]]]), "metric depth")


def test_far_holes_of_distances_are_infinitely_far():
    disparity, report = prepared(HOLED, source="metric depth", holes="far")
    # 1 / infinity becomes 0, so that 4 m keeps a quarter of the disparity of 1 m.
    torch.testing.assert_close(disparity, torch.tensor([[[1.0, 0.5, 0.0], [0.25, 0.0, 0.0]]]))
    assert "Holes: 50.0 % of all pixels, in 1 frame; taken as infinitely far." in report


def test_filled_holes_of_distances_leave_the_range_alone():
    disparity, report = prepared(HOLED, source="metric depth", holes="fill from around")
    # 1 m becomes 1 and 4 m becomes 0: 2 m is at (0.5 - 0.25) / 0.75.
    third = 1 / 3
    assert disparity[0, 0].tolist() == pytest.approx([1, third, third])
    assert disparity[0, 1, 0].item() == 0
    # The pixel below 2 m and beside 4 m is as near to both, and takes one of them.
    assert disparity[0, 1, 1].item() in (0.0, pytest.approx(third))
    assert disparity[0, 1, 2].item() in (0.0, pytest.approx(third))
    assert "filled from around" in report


def test_holes_of_disparity():
    maps = torch.tensor([[[2.0, 3.0, 6.0, NAN, 0.0]]])
    far, _ = prepared(maps, holes="far")
    # Without a unit there is no infinity: 0 is a value, and a hole is as far as the farthest.
    assert far[0, 0].tolist() == pytest.approx([1 / 3, 0.5, 1, 0, 0])
    filled, report = prepared(maps, holes="fill from around")
    assert filled[0, 0].tolist() == pytest.approx([0, 0.25, 1, 1, 1])
    assert "40.0 %" in report
    flipped = prepare_disparity(maps, polarity="near black", holes="fill from around").disparity
    # Near black, 0 is the nearest value there is.
    assert flipped[0, 0].tolist() == pytest.approx([2 / 3, 0.5, 0, 0, 1])


def test_distances_stored_as_one_minus():
    maps = torch.tensor([[[0.5, 0.75, 1.0]]])
    disparity = prepare_disparity(maps, "metric depth", "near white", holes="far").disparity
    # Distances 0.5, 0.25 and 0.
    assert disparity[0, 0].tolist() == pytest.approx([0.5, 1, 0])


def test_percentiles_see_known_values_only():
    values = torch.linspace(0, 100, 101).repeat(2)
    maps = torch.cat((values, torch.full((98,), NAN))).reshape(1, 10, 30)
    disparity = prepare_disparity(
        maps, normalisation="robust percentiles", polarity="near white", holes="far"
    ).disparity
    # Of 0 to 100, twice each, percentiles 1 and 99 are 1 and 99.
    assert disparity[0, 0, 11].item() == pytest.approx(10 / 98, abs=1e-6)


def test_a_frame_without_depth():
    maps = torch.tensor([[[1.0, 2.0]], [[NAN, NAN]], [[3.0, NAN]]])
    far, report = prepared(maps, holes="far")
    assert far.tolist() == [[[0.0, 0.5]], [[0.0, 0.0]], [[1.0, 0.0]]]
    assert "in 2 frames, at most 100.0 % in frame 1" in report
    with pytest.raises(ValueError, match=r"Frame 1 has no depth at all.*set holes to far"):
        prepared(maps, holes="fill from around")
    with pytest.raises(ValueError, match="No pixel of any map has depth"):
        prepared(maps[1:2], holes="far")


def test_a_wall_in_front_of_sky():
    disparity, _ = prepared(torch.tensor([[[5.0, 5.0, INF]]]), source="metric depth", holes="far")
    assert disparity[0, 0].tolist() == [1, 1, 0]


@pytest.mark.parametrize("holes", ["far", "fill from around"])
def test_maps_without_holes_are_as_ever(holes: str):
    maps = torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(0)) + 1
    for source in ("disparity", "metric depth"):
        with_holes = prepare_disparity(maps, source, holes=holes)
        without = prepare_disparity(maps, source)
        assert torch.equal(with_holes.disparity, without.disparity) and with_holes.report == without.report


def test_the_nearest_pixel_fills():
    disparity = torch.arange(35, dtype=torch.float32).reshape(5, 7)
    hole = torch.zeros(5, 7, dtype=torch.bool)
    hole[1:4, 1:3] = True
    filled = fill_from_around(disparity, hole)
    assert torch.equal(filled[~hole], disparity[~hole])
    # Left column of the hole lies beside column 0, right one beside column 3.
    assert filled[2, 1].item() == disparity[2, 0].item() and filled[2, 2].item() == disparity[2, 3].item()


def test_the_input_is_not_written_to():
    maps = HOLED.clone()
    prepare_disparity(maps, "metric depth", holes="far")
    assert torch.equal(maps.nan_to_num(-1), HOLED.nan_to_num(-1))


def test_holes_are_found_where_they_are():
    assert holes_in(torch.tensor([[0.0, 1.0]]), distance=False, one_minus=False, zero=False) is None
    found = holes_in(torch.tensor([[-1.0, 1.0, INF]]), distance=True, one_minus=False, zero=False)
    assert found is not None and found.tolist() == [[True, False, True]]


def test_an_unknown_choice():
    with pytest.raises(ValueError, match="holes is 'near'; choose one of refuse, far, fill from around"):
        DisparityStatistics(DepthMeaning(holes="near"))


class TestZeros:
    def test_zeros_far_from_all_else_may_be_holes(self):
        maps = torch.linspace(0.5, 1, 100).reshape(1, 10, 10)
        maps[0, 0, :4] = 0
        report = prepared(maps)[1]
        assert "4.0 % of the pixels of maps with 0 are exactly 0, and the next value is 0.520202" in report
        assert "exactly 0" not in prepared(maps, holes="fill from around")[1]
        assert "exactly 0" not in prepare_disparity(maps, polarity="near black").report

    def test_the_far_end_of_a_slope_is_no_hole(self):
        maps = torch.linspace(0, 1, 100).reshape(1, 10, 10)
        maps[0, 0, :4] = 0
        assert "Warning" not in prepared(maps)[1]

    def test_a_mask_is_told_from_depth(self):
        maps = torch.zeros(2, 10, 10)
        maps[:, :5] = 1
        assert "the maps hold two values only, as a mask does" in prepared(maps)[1]
        maps[1, 9] = 0.5
        assert "two values" not in prepared(maps)[1]
