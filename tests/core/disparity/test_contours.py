"""Widths of contours that are known by a formula."""

import math

import numpy as np
import pytest
import torch

from bokeh_core.disparity.contours import contour_widths_px, share_of_ramps


@pytest.mark.parametrize("degrees", [0, 30, 45])
@pytest.mark.parametrize("deviation_px", [1.5, 2.0])
def test_a_blurred_edge_is_as_wide_on_a_slant_as_along_the_rows(degrees: float, deviation_px: float):
    y, x = np.mgrid[:60, :60] - 29.5
    across_px = x * math.cos(math.radians(degrees)) + y * math.sin(math.radians(degrees))
    edge = torch.erf(torch.from_numpy(across_px) / (deviation_px * math.sqrt(2))).numpy().astype(np.float32)

    widths = contour_widths_px(edge, 8, 0.5)

    # A blurred step rises by 1 / (s sqrt(2 pi)) a px in its middle; differences of pixels are a little less.
    expected_px = deviation_px * math.sqrt(2 * math.pi)
    assert np.median(widths[widths > 0]) == pytest.approx(expected_px, rel=0.06)


@pytest.mark.parametrize("size", [(1, 9), (9, 1), (1, 1)])
def test_a_row_or_a_column_has_no_contours(size: tuple[int, int]):
    assert contour_widths_px(np.random.default_rng(0).random(size, np.float32), 4, 0.1).sum() == 0


def test_ramps_are_counted_beside_steps():
    # In each row a step and a ramp of two px: three rises, and one pair of them is a ramp.
    row = torch.tensor([0.0, 0, 0, 4, 4, 4, 4, 7, 10, 10])

    assert share_of_ramps(row.repeat(5, 1), 2.0).item() == pytest.approx(1 / 4)
    assert share_of_ramps(torch.stack([row.repeat(5, 1), torch.zeros(5, 10)]), 2.0).tolist() == [0.25, 1.0]
