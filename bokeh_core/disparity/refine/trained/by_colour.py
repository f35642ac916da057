"""What the colour of a pixel says of its disparity, by the colours and disparities around it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..around import sum_around

# Statistics are gathered at half the size: He and Sun, Fast Guided Filter (2015).
_SMALLER = 2
_REACH_PX = 6
# Variance of colours that says nothing, display values in [0, 1].
_SMOOTHNESS = 1e-4
_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def told_by_colour(colours: Tensor, values: Tensor) -> Tensor:
    """The guided filter of He, Sun and Tang (2013), Eq. 14 to 16, in torch: it runs where the frames are.

    Args:
        colours: [B, 3, h, w].
        values: [B, N, h, w].

    Returns:
        [B, N, h, w], slopes . colour + offset, fitted to all windows that a pixel lies in.
    """
    # Colours near 0 lose fewer digits to the differences of their squares.
    colours = colours - 0.5
    small, given = (F.avg_pool2d(planes, _SMALLER, ceil_mode=True) for planes in (colours, values))
    pixels = sum_around(torch.ones_like(small[0, 0]), _REACH_PX)
    squares = [small[:, i] * small[:, j] for i, j in _PAIRS]
    colour = _mean(small, pixels)
    xx, xy, xz, yy, yz, zz = (
        mean - colour[:, i] * colour[:, j] + (_SMOOTHNESS if i == j else 0.0)
        for mean, (i, j) in zip(_mean(torch.stack(squares, 1), pixels).unbind(1), _PAIRS, strict=True)
    )
    # The inverse of the covariance of the colours, by its cofactors.
    a, b, c = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    d, e, f = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    determinant = xx * a + xy * b + xz * c
    told = []
    for value in given.split(1, 1):
        mean = _mean(value, pixels)
        along = (_mean(small * value, pixels) - colour * mean) / determinant[:, None]
        x, y, z = along.unbind(1)
        slopes = torch.stack([a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z], 1)
        offset = mean - (slopes * colour).sum(1, keepdim=True)
        fitted = F.interpolate(
            _mean(torch.cat([slopes, offset], 1), pixels),
            colours.shape[-2:],
            mode="bilinear",
            align_corners=False,
        )
        told.append((fitted[:, :3] * colours).sum(1) + fitted[:, 3])
    return torch.stack(told, 1)


def _mean(planes: Tensor, pixels: Tensor) -> Tensor:
    """Mean over the window around each pixel, as much of it as lies inside, which is `pixels` [h, w]."""
    return sum_around(planes, _REACH_PX) / pixels
