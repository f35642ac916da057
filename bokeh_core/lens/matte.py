"""Alpha matte along depth edges: how much of a pixel belongs to the nearer surface."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .backend import backend_of
from .lamps import LEAST_SHARE, LIT, SplitLamps, lamps_in, split_lamps
from .mixture import Prior, Side, share_of_near, unmixed
from .neighbourhood import Extremes, in_padded, with_border_repeated
from .pixel_shares import MapShares

_WINDOW_REACH_PX = 4
_SAMPLE_SIGMA_PX = 1.5
_PRIOR_SIGMA_PX = 0.7
# Pixels of another edge's band are mixtures; they only serve where nothing cleaner is in reach.
_BAND_SAMPLE_WEIGHT = 0.01
MOST_UNEXPLAINED = 0.1
"""Pixels of whose light two surfaces leave more than this unexplained are not split."""


@dataclass(frozen=True)
class EdgeMatte:
    """Every pixel that straddles a depth edge, split into a near and a far surface.

    Attributes:
        index: [M] int64, position in the flattened frames.
        alpha: [M] in [0, 1], share of the near surface.
        near_color, far_color: [C, M] linear light.
        near_radius_px, far_radius_px: [M] signed blur radius.
        prior: share of the near surface as far as the map tells.
    """

    index: Tensor
    alpha: Tensor
    near_color: Tensor
    far_color: Tensor
    near_radius_px: Tensor
    far_radius_px: Tensor
    prior: Prior


def edge_matte(
    color: Tensor, radius_px: Tensor, around: Extremes, band: Tensor, lamps: Tensor | None = None
) -> EdgeMatte:
    """Estimate the matte in the band of pixels along every depth edge.

    The maximum a posteriori alpha balances the projection of the pixel on the line between the mean near and
    far colours against what the map tells; what remains unexplained is shared between the two colours
    by their variances. Pixels that two surfaces cannot explain are left out.

    Args:
        color: [C, ..., H, W] linear light.
        radius_px: [..., H, W] signed blur radius, greater = nearer.
        around: its extremes within 1 px.
        band: bool [..., H, W], the pixels to split.
        lamps: bool [..., H, W], light beyond white, if any light is beyond black or white; see `lamps`.
    """
    index = band.flatten().nonzero()[:, 0]
    if len(index) == 0:
        none, no_color = color.new_zeros(0), color.new_zeros(color.shape[0], 0)
        return EdgeMatte(index, none, no_color, no_color, none, none, Prior(none, none))
    maps = torch.cat([color, radius_px[None], band[None].float()])
    top, bottom = around.top.flatten()[index], around.bottom.flatten()[index]
    padded = with_border_repeated(maps, _WINDOW_REACH_PX)
    pixels = backend_of(index.device).matte_pixels
    parts = [
        _looked_around(maps, padded, *chunk, with_lamps=lamps is not None)
        for chunk in zip(index.split(pixels), top.split(pixels), bottom.split(pixels), strict=True)
    ]
    found = [torch.cat(part, dim=-1) for part in zip(*parts, strict=True)]
    near, far, share = Side(*found[:4]), Side(*found[4:8]), found[8]

    pixel = color.flatten(1)[:, index]
    shines = None if lamps is None else lamps_in(pixel)
    known = near.known & far.known
    is_near = radius_px.flatten()[index] > (top + bottom) / 2
    by_map = MapShares(is_near, torch.where(is_near, 1 - share, share))
    tells = known if shines is None else known & ~shines
    prior = by_map.prior(by_map.softness(pixel, near, far, tells, index, radius_px.shape))
    alpha = share_of_near(pixel, near, far, prior)
    limits: tuple[Any, Any] = (0.0, 1.0) if shines is None else range_of(color, index)
    near_color, far_color, unexplained = unmixed(pixel, alpha, near, far, limits)
    near_radius, far_radius = near.radius_px, far.radius_px

    keep = known & (unexplained < MOST_UNEXPLAINED)
    if shines is not None:
        near_lit, far_lit, lamp = (found[9], found[10]), (found[11], found[12]), SplitLamps(*found[13:])
        alpha = torch.where(shines, lamp.alpha.clamp(LEAST_SHARE, 1 - LEAST_SHARE), alpha)
        near_radius = torch.where(shines & ~near.known, near_lit[0], near_radius)
        far_radius = torch.where(shines & ~far.known, far_lit[0], far_radius)
        near_radius = torch.where(shines & lamp.is_near, lamp.radius_px, near_radius)
        far_radius = torch.where(shines & ~lamp.is_near, lamp.radius_px, far_radius)
        near_color = torch.where(shines, lamp.near_color, near_color)
        far_color = torch.where(shines, lamp.far_color, far_color)
        keep = torch.where(shines, near_lit[1] & far_lit[1], keep)
    kept = keep.nonzero()[:, 0]
    return EdgeMatte(
        index[kept],
        alpha[kept],
        near_color[:, kept],
        far_color[:, kept],
        near_radius[kept],
        far_radius[kept],
        Prior(prior.share[kept], prior.width[kept]),
    )


def _looked_around(
    maps: Tensor, padded: Tensor, index: Tensor, top: Tensor, bottom: Tensor, *, with_lamps: bool
) -> tuple[Tensor, ...]:
    """Of M pixels: the fields of both sides, the share of near pixels around, and what lamps are there."""
    window, distance_squared = windows(padded, index, maps.shape[1:], _WINDOW_REACH_PX)
    colors, radii, in_band = window[:-2], window[-2], window[-1]
    middle = (top + bottom) / 2
    tolerance = torch.clamp(0.3 * (top - bottom), min=1)

    # Masks of the maps' own type: bool ones take several times as long on a CPU.
    weight = torch.exp(-distance_squared / (2 * _SAMPLE_SIGMA_PX**2)) * (
        1 - (1 - _BAND_SAMPLE_WEIGHT) * in_band
    )
    unlit = weight * ~lamps_in(colors) if with_lamps else weight
    least_near, most_far = torch.maximum(middle, top - tolerance), torch.minimum(middle, bottom + tolerance)
    is_near = torch.gt(radii, least_near[:, None], out=torch.empty_like(radii))
    is_far = torch.lt(radii, most_far[:, None], out=torch.empty_like(radii))
    if with_lamps:
        # A small lamp may be all there is of its surface.
        (near_lit, far_lit) = (_radius(radii, side * weight) for side in (is_near, is_far))
    near_weight, far_weight = is_near.mul_(unlit), is_far.mul_(unlit)
    near, far = Side.of(colors, radii, near_weight), Side.of(colors, radii, far_weight)

    reach = distance_squared <= 2 * 2**2  # the soft step is as wide as a 5 x 5 window
    step_weight = torch.exp(-distance_squared / (2 * _PRIOR_SIGMA_PX**2)) * reach
    beyond = torch.gt(radii, middle[:, None], out=torch.empty_like(radii))
    share = (beyond @ step_weight) / step_weight.sum()

    found = (*vars(near).values(), *vars(far).values(), share)
    if not with_lamps:
        return found
    lamps = split_lamps(
        maps[:-2].flatten(1)[:, index],
        window[:-1],
        beyond,
        tolerance,
        distance_squared,
        share.clamp(LEAST_SHARE, 1 - LEAST_SHARE),
        (near.color, far.color),
    )
    return (*found, *near_lit, *far_lit, *vars(lamps).values())


def range_of(colors: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """Least and greatest light [M] of surfaces in each pixel's frame: others of a pass may be brighter."""
    light = colors[:3].reshape(3, -1, colors.shape[-2] * colors.shape[-1])
    frame = index // light.shape[-1]
    most = torch.where(light.amax((0, 2)) > 1, LIT, 1.0)
    return light.amin((0, 2)).clamp_(max=0)[frame], most[frame]


def windows(padded: Tensor, index: Tensor, shape: torch.Size, reach: int) -> tuple[Tensor, Tensor]:
    """Square windows [C, M, k*k] around flat positions of [C, ..., H, W], and squared distances [k*k].

    Args:
        padded: the maps with a border as wide as a window reaches.
        index: [M] int64, positions in the maps without it.
        shape: [..., H, W].
        reach: of the windows to each side, px.
    """
    offset = torch.arange(-reach, reach + 1, device=padded.device)
    rows, columns = (grid.flatten() for grid in torch.meshgrid(offset, offset, indexing="ij"))
    center = in_padded(index, shape, reach)
    flat = center[:, None] + (rows * padded.shape[-1] + columns)
    window = padded.flatten(1).index_select(1, flat.flatten()).unflatten(1, flat.shape)
    return window, (rows.square() + columns.square()).to(padded)


def _radius(radii: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean radius [M], and whether there was any sample [M]."""
    total = weight.sum(1)
    return (radii * weight).sum(1) / total.clamp(min=1e-8), total > 1e-4
