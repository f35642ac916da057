"""The guided filter: values as a straight function of the colours around each pixel."""

from __future__ import annotations

import cv2
import numpy as np

from ..extremes import Plane

# Variance of colours that says nothing, display values in [0, 1].
_SMOOTHNESS = 1e-4


def guide(picture: Plane, values: Plane, weights: Plane, reach_px: int) -> tuple[Plane, Plane]:
    """Fit values = slopes . colour + offset around each pixel, by weighted least squares.

    He, Sun and Tang, Guided Image Filtering (2013), Eq. 14 to 16, with a weight for each pixel.

    Args:
        picture: [H, W, 3].
        values: [H, W].
        weights: [H, W], > 0.
        reach_px: half of the window's side.

    Returns:
        Slopes [H, W, 3] and offset [H, W], each the mean of all windows that a pixel lies in.
    """
    side = (2 * reach_px + 1,) * 2

    def mean(planes: Plane) -> Plane:
        return np.asarray(cv2.boxFilter(planes, -1, side, borderType=cv2.BORDER_REFLECT))

    total = mean(weights)
    weighted = picture * weights[..., None]
    colour = mean(weighted) / total[..., None]
    value = mean(values * weights) / total
    along = mean(weighted * values[..., None]) / total[..., None] - colour * value[..., None]
    red, green, blue = (weighted[..., i] for i in range(3))
    xx, xy, xz, yy, yz, zz = (
        mean(first * picture[..., j]) / total - colour[..., i] * colour[..., j]
        for first, i, j in [(red, 0, 0), (red, 0, 1), (red, 0, 2), (green, 1, 1), (green, 1, 2), (blue, 2, 2)]
    )
    xx, yy, zz = xx + _SMOOTHNESS, yy + _SMOOTHNESS, zz + _SMOOTHNESS
    # The inverse of the covariance of the colours, by its cofactors.
    cofactors = (yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy)
    determinant = xx * cofactors[0] + xy * cofactors[1] + xz * cofactors[2]
    x, y, z = (along[..., i] / determinant for i in range(3))
    middle, lower, last = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    slopes = np.stack(
        [
            cofactors[0] * x + cofactors[1] * y + cofactors[2] * z,
            cofactors[1] * x + middle * y + lower * z,
            cofactors[2] * x + lower * y + last * z,
        ],
        -1,
    )
    offset = value - (slopes * colour).sum(-1)
    return mean(slopes), mean(offset)
