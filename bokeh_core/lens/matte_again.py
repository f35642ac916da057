"""The matte a second time, from what the first has found: closer samples than those beside the band.

Along a thin thing every pixel is in the band, and the first matte knows its colour, and that of what lies
between two strips, from a distance at best. Once the pixels are unmixed, those beside each pixel tell.
"""

from typing import Any

import torch
from torch import Tensor

from .backend import backend_of
from .lamps import lamps_in
from .matte import MOST_UNEXPLAINED, EdgeMatte, range_of, windows
from .mixture import Side, share_of_near, unmixed
from .neighbourhood import Extremes, with_border_repeated

_REACH_PX = 2
_SAMPLE_SIGMA_PX = 0.8
# Of pixels that no two surfaces explain.
_MIXED_WEIGHT = 0.01
# Windows are smaller than those of the first matte.
_MORE_PIXELS = 3


def matte_again(
    color: Tensor,
    radius_px: Tensor,
    around: Extremes,
    band: Tensor,
    first: EdgeMatte,
    with_lamps: bool = False,
) -> EdgeMatte:
    """Split the pixels along depth edges again, given both surfaces in each of those around.

    A pixel of the band is a sample of the near surface with its near colour and weight alpha^2, and one of
    the far surface with its far colour and weight (1 - alpha)^2; outside of it a pixel is one surface. Alpha
    and colours follow as in `edge_matte`; pixels that shine keep what they have.

    Args:
        color: [C, ..., H, W] linear light.
        radius_px: [..., H, W] signed blur radius, greater = nearer.
        around: its extremes within 1 px.
        band: bool [..., H, W].
        first: the matte in the band.
        with_lamps: whether any light is beyond black or white, see `lamps`.
    """
    index = first.index
    if len(index) == 0:
        return first
    top, bottom = around.top.flatten()[index], around.bottom.flatten()[index]
    middle, tolerance = (top + bottom) / 2, torch.clamp(0.3 * (top - bottom), min=1)
    near = _side(
        _planes(color, radius_px, band, first, first.near_color, first.near_radius_px, first.alpha),
        radius_px.shape,
        index,
        torch.maximum(middle, top - tolerance),
        with_lamps,
    )
    # Upside down, so that farther is greater.
    far = _side(
        _planes(color, -radius_px, band, first, first.far_color, -first.far_radius_px, 1 - first.alpha),
        radius_px.shape,
        index,
        -torch.minimum(middle, bottom + tolerance),
        with_lamps,
    )
    pixel = color.flatten(1)[:, index]
    alpha = share_of_near(pixel, near, far, first.prior)
    limits: tuple[Any, Any] = range_of(color, index) if with_lamps else (0.0, 1.0)
    near_color, far_color, unexplained = unmixed(pixel, alpha, near, far, limits)
    better = near.known & far.known & (unexplained < MOST_UNEXPLAINED)
    if with_lamps:
        better &= ~lamps_in(pixel)
    return EdgeMatte(
        index,
        torch.where(better, alpha, first.alpha),
        torch.where(better, near_color, first.near_color),
        torch.where(better, far_color, first.far_color),
        first.near_radius_px,
        first.far_radius_px,
        first.prior,
    )


def _planes(
    color: Tensor,
    radius_px: Tensor,
    band: Tensor,
    first: EdgeMatte,
    side_color: Tensor,
    side_radius_px: Tensor,
    share: Tensor,
) -> Tensor:
    """Samples [C + 2, ..., H, W] of one side with a border: colour, radius and weight."""
    weight = torch.where(band, _MIXED_WEIGHT, 1.0)
    planes = torch.cat([color, radius_px[None], weight[None]])
    values = torch.cat([side_color, side_radius_px[None], share.square()[None]])
    planes.flatten(1)[:, first.index] = values
    return with_border_repeated(planes, _REACH_PX)


def _side(padded: Tensor, shape: torch.Size, index: Tensor, least_px: Tensor, with_lamps: bool) -> Side:
    """One surface around each of M pixels, of the samples whose radius is greater than the least [M]."""
    parts = []
    pixels = _MORE_PIXELS * backend_of(index.device).matte_pixels
    for chunk, least in zip(index.split(pixels), least_px.split(pixels), strict=True):
        window, distance_squared = windows(padded, chunk, shape, _REACH_PX)
        colors, radii, weight = window[:-2], window[-2], window[-1]
        belongs = torch.gt(radii, least[:, None], out=torch.empty_like(radii))
        weight = belongs.mul_(weight).mul_(torch.exp(-distance_squared / (2 * _SAMPLE_SIGMA_PX**2)))
        if with_lamps:
            weight.mul_(~lamps_in(colors))
        parts.append(Side.of(colors, radii, weight))
    return Side(
        torch.cat([part.color for part in parts], dim=1),
        torch.cat([part.variance for part in parts]),
        torch.cat([part.radius_px for part in parts]),
        torch.cat([part.known for part in parts]),
    )
