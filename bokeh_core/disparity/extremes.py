"""Largest and least values of a plane around each of its pixels; beyond the border there are none."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def highest_around(values: Plane, reach_px: int) -> Plane:
    """Largest value [h, w] of the square that reaches so many px to each side."""
    return np.asarray(cv2.dilate(values, _square(reach_px)))


def lowest_around(values: Plane, reach_px: int) -> Plane:
    """Least value [h, w] of the square that reaches so many px to each side."""
    return np.asarray(cv2.erode(values, _square(reach_px)))


def _square(reach_px: int) -> NDArray[np.uint8]:
    return np.ones((2 * reach_px + 1,) * 2, np.uint8)
