"""Values of a plane at places between its pixels."""

from __future__ import annotations

import cv2
import numpy as np

from .extremes import Plane

# OpenCV's remap takes fewer than 32768 rows: places are laid out in rows of so many.
_COLUMNS = 256


def sampled(values: Plane, y: Plane, x: Plane) -> Plane:
    """Values [H, W] at places of any shape, of that shape: linear, beyond the border the nearest ones."""
    rows = -(-x.size // _COLUMNS)
    if rows == 0:
        return np.zeros(x.shape, np.float32)
    at_x, at_y = (np.resize(place.astype(np.float32), (rows, _COLUMNS)) for place in (x, y))
    found = cv2.remap(values, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(-1)[: x.size].reshape(x.shape))
