"""What reports say of the outlines of maps: crisp, or soft over so many px."""

import pytest
import torch
from torch import Tensor

from bokeh_core.lens.contour_counts import contour_report, contour_width_px


def outline(width_px: int) -> Tensor:
    """A map [1, H, W] that rises from 0.2 to 0.8 over so many px, once in each row."""
    x = torch.arange(64.0)
    return (0.2 + 0.6 * ((x - 30) / width_px).clamp(0, 1)).expand(1, 40, 64)


@pytest.mark.parametrize("width_px", [1, 2, 4, 6])
def test_an_outline_rises_over_as_many_px_as_it_was_drawn(width_px: int):
    assert contour_width_px(20 * outline(width_px)[0]) == pytest.approx(width_px, abs=0.01)


def test_a_slope_and_a_wall_have_no_outline():
    slope = torch.linspace(0, 1, 64).expand(1, 40, 64)
    for maps in (slope, torch.full((1, 40, 64), 0.5)):
        assert contour_width_px(60 * maps[0]) == 0
        assert contour_report(maps, torch.tensor([60.0]), 4.0) == ""


@pytest.mark.parametrize(
    ("width_px", "tolerance_px", "expected"),
    [
        (1, 4.0, "Outlines of the disparity are crisp: kept as steps"),
        (1, 0.0, "Outlines of the disparity are crisp: taken as they are."),
        (3, 4.0, "Outlines of the disparity are soft, over about 3 px: made steps"),
        (3, 0.0, "Outlines of the disparity are soft, over about 3 px. Warning: contour_tolerance 0"),
    ],
)
def test_the_report_says_what_was_found_and_what_is_done(width_px: int, tolerance_px: float, expected: str):
    assert contour_report(outline(width_px), torch.tensor([20.0]), tolerance_px).startswith(expected)


def test_every_eighth_map_is_looked_at_with_its_own_strength():
    # Maps 0, 8 and 16 are; the last is not blurred enough to have outlines.
    maps = torch.cat([outline(1)] * 8 + [outline(3)] * 16)
    strength_px = torch.tensor([20.0] * 16 + [1.0] * 8)

    assert "soft in 1 of 2 maps looked at" in contour_report(maps, strength_px, 4.0)
