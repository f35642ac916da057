"""The cameras of the Motorcycle pair, and where a point of one view lands in another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
Floats = NDArray[np.floating]
Indices = NDArray[np.int64]

# Calibration of the down-sampled pair, as scikit-image documents it, in pixels. Lengths elsewhere are in
# baselines (193 mm).
FOCAL_PX = 994.978
CENTRE_X_PX, CENTRE_Y_PX = 311.193, 254.877
PRINCIPAL_POINT_SHIFT_PX = 31.086  # of the right camera; depth = FOCAL_PX / (disparity + this)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: position (right, down, forward) in baselines, and a sideways lens shift in pixels."""

    right: float = 0.0
    down: float = 0.0
    forward: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0


LEFT = Camera()
RIGHT = Camera(right=1.0, shift_x=PRINCIPAL_POINT_SHIFT_PX)


def pixel_grid(height: int, width: int) -> tuple[Array, Array]:
    """The x and the y of every pixel [h,w]."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return x, y


def reproject(
    x: Floats, y: Floats, disparity: Floats, seen: Camera, target: Camera
) -> tuple[Array, Array, Array]:
    """Where points at (x, y) px with full disparity (px) in `seen` land in `target`: x, y, full disparity."""
    right = (x - CENTRE_X_PX - seen.shift_x) / disparity + seen.right - target.right
    down = (y - CENTRE_Y_PX - seen.shift_y) / disparity + seen.down - target.down
    new = FOCAL_PX / (FOCAL_PX / disparity + seen.forward - target.forward)
    new_x = right * new + CENTRE_X_PX + target.shift_x
    new_y = down * new + CENTRE_Y_PX + target.shift_y
    return new_x.astype(np.float32), new_y.astype(np.float32), new.astype(np.float32)
