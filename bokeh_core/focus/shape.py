"""A subject by its shape in the maps: what lies at its disparity, for where the pictures say nothing."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .view import Points, View

# Gaps this wide between hairs and leaves, in widths of the view, are closed, so that a shape that turns a
# little fits itself.
_GAP = 0.018
# What is moved far has to fit better: by this much at the end of the search.
_FAR_COST = 0.05
# Something that comes out from behind something else still has nearly all of what was seen of it.
_STILL_HAS, _MOST_GROWTH = 0.9, 2.5
LEAST_FIT = 0.75
"""A shape that fits less is another one."""


def shape_at(view: View, focal: float, gate: float) -> NDArray[np.float32]:
    """What lies nearer to a disparity than a gate, [h, w] of 0 and 1."""
    near = np.abs(view.disparity.astype(np.float32) - focal) < gate
    gap_px = 2 * round(_GAP * near.shape[1] / 2) + 1
    kernel = np.ones((gap_px, gap_px), np.uint8)
    return cv2.morphologyEx(near.astype(np.uint8), cv2.MORPH_CLOSE, kernel).astype(np.float32)


def found_shape(
    first: NDArray[np.float32], second: NDArray[np.float32], place: Points, reach: int, search: int
) -> tuple[Points, float] | None:
    """How a shape around a place has moved from one view to another.

    Args:
        first, second: [h, w] of 0 and 1.
        place: (x, y) in px, in the first.
        reach: the shape is what lies at most this many px from the place, along x and y.
        search: how far it has moved at most.

    Returns:
        (x, y) of the motion in px and how well it fits, from `LEAST_FIT` to 1; None where nothing fits.
    """
    height, width = first.shape
    if not (0 <= place[0] <= width - 1 and 0 <= place[1] <= height - 1):
        return None
    border = reach + search
    one, other = (np.pad(mask, border) for mask in (first, second))
    x, y = (round(float(value)) + border for value in place)
    shape = one[y - reach : y + reach + 1, x - reach : x + reach + 1]
    around = other[y - border : y + border + 1, x - border : x + border + 1]
    area = float(shape.sum())
    if area == 0:
        return None
    both = cv2.matchTemplate(around, shape, cv2.TM_CCORR)
    there = cv2.boxFilter(around, -1, shape.shape[::-1], normalize=False)[reach:-reach, reach:-reach]
    fit = both / (area + there - both)
    grown = (both > _STILL_HAS * area) & (there < _MOST_GROWTH * area)
    fit = np.where(grown, np.maximum(fit, LEAST_FIT), fit)
    rows, columns = np.mgrid[-search : search + 1, -search : search + 1]
    best = np.argmax(fit - _FAR_COST * np.hypot(rows, columns) / search)
    row, column = np.unravel_index(int(best), fit.shape)
    if fit[row, column] < LEAST_FIT:
        return None
    return np.array([column - search, row - search], np.float32), min(1.0, float(fit[row, column]))
