"""Alpha matte along depth edges: how much of a pixel belongs to the nearer surface."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .backend import backend_of
from .lamps import LEAST_SHARE, LIT, lamps_in, split_lamps
from .neighbourhood import Extremes, in_padded, with_border_repeated

_WINDOW_REACH_PX = 4
_SAMPLE_SIGMA_PX = 1.5
_PRIOR_SIGMA_PX = 0.7
_PRIOR_WIDTH = 0.15
_COLOR_NOISE = 2e-4
# Pixels of another edge's band are mixtures; they only serve where nothing cleaner is in reach.
_BAND_SAMPLE_WEIGHT = 0.01
_MAX_UNEXPLAINED = 0.1


@dataclass(frozen=True)
class EdgeMatte:
    """Every pixel that straddles a depth edge, split into a near and a far surface.

    Attributes:
        index: [M] int64, position in the flattened frames.
        alpha: [M] in [0, 1], share of the near surface.
        near_color, far_color: [C, M] linear light.
        near_radius_px, far_radius_px: [M] signed blur radius.
    """

    index: Tensor
    alpha: Tensor
    near_color: Tensor
    far_color: Tensor
    near_radius_px: Tensor
    far_radius_px: Tensor


def edge_matte(
    color: Tensor, radius_px: Tensor, around: Extremes, band: Tensor, lamps: Tensor | None = None
) -> EdgeMatte:
    """Estimate the matte in the band of pixels along every depth edge.

    The maximum a posteriori alpha balances the projection of the pixel on the line between the mean near and
    far colours against a soft step along the edge; what remains unexplained is shared between the two colours
    by their variances. Pixels that two surfaces cannot explain are left out.

    Args:
        color: [C, ..., H, W] linear light.
        radius_px: [..., H, W] signed blur radius, greater = nearer.
        around: its extremes within 1 px.
        band: bool [..., H, W], the pixels to split.
        lamps: bool [..., H, W], light beyond white, if any light is beyond black or white; see `lamps`.
    """
    index = band.flatten().nonzero()[:, 0]
    maps = torch.cat([color, radius_px[None], band[None].float()])
    top, bottom = around.top.flatten(), around.bottom.flatten()
    pixels = backend_of(index.device).matte_pixels
    padded = with_border_repeated(maps, _WINDOW_REACH_PX)
    parts = [
        _solve(maps, padded, chunk, top[chunk], bottom[chunk], lamps is not None)
        for chunk in index.split(pixels)
    ]
    if not parts:
        none = color.new_zeros(0)
        no_color = color.new_zeros(color.shape[0], 0)
        return EdgeMatte(index, none, no_color, no_color, none, none)
    return EdgeMatte(*(torch.cat(field, dim=-1) for field in zip(*parts, strict=True)))


def _solve(
    maps: Tensor, padded: Tensor, index: Tensor, top: Tensor, bottom: Tensor, with_lamps: bool
) -> tuple[Tensor, ...]:
    window, distance_squared = _windows(padded, index, maps.shape[1:])
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
    near_mean, near_variance, near_radius, near_known = _statistics(colors, radii, near_weight)
    far_mean, far_variance, far_radius, far_known = _statistics(colors, radii, far_weight)

    reach = distance_squared <= 2 * 2**2  # the soft step is as wide as a 5 x 5 window
    step_weight = torch.exp(-distance_squared / (2 * _PRIOR_SIGMA_PX**2)) * reach
    beyond = torch.gt(radii, middle[:, None], out=torch.empty_like(radii))
    prior = (beyond @ step_weight) / step_weight.sum()

    pixel = maps[:-2].flatten(1)[:, index]
    axis = near_mean - far_mean
    axis_squared = axis.square().sum(0)
    projection = ((pixel - far_mean) * axis).sum(0) / axis_squared.clamp(min=1e-8)
    alpha = prior
    for _ in range(2):
        noise = alpha.square() * near_variance + (1 - alpha).square() * far_variance + _COLOR_NOISE
        precision = axis_squared / noise
        alpha = (precision * projection + prior / _PRIOR_WIDTH**2) / (precision + 1 / _PRIOR_WIDTH**2)
        alpha = alpha.clamp(0, 1)
    alpha = torch.where(alpha < LEAST_SHARE, 0.0, torch.where(alpha > 1 - LEAST_SHARE, 1.0, alpha))

    residual = pixel - alpha * near_mean - (1 - alpha) * far_mean
    spread = alpha.square() * near_variance + (1 - alpha).square() * far_variance
    limits: tuple[Any, Any] = _range_of(maps[:-2], index) if with_lamps else (0.0, 1.0)
    near_color = (near_mean + alpha * near_variance * residual / spread).clamp(*limits)
    far_color = (far_mean + (1 - alpha) * far_variance * residual / spread).clamp(*limits)
    unexplained = (pixel - alpha * near_color - (1 - alpha) * far_color).abs().amax(0)

    keep = near_known & far_known & (unexplained < _MAX_UNEXPLAINED)
    if with_lamps:
        shines = lamps_in(pixel)
        share = prior.clamp(LEAST_SHARE, 1 - LEAST_SHARE)
        lamps = split_lamps(
            pixel, window[:-1], beyond, tolerance, distance_squared, share, (near_mean, far_mean)
        )
        alpha = torch.where(shines, lamps.alpha.clamp(LEAST_SHARE, 1 - LEAST_SHARE), alpha)
        near_radius = torch.where(shines & ~near_known, near_lit[0], near_radius)
        far_radius = torch.where(shines & ~far_known, far_lit[0], far_radius)
        near_radius = torch.where(shines & lamps.is_near, lamps.radius_px, near_radius)
        far_radius = torch.where(shines & ~lamps.is_near, lamps.radius_px, far_radius)
        near_color = torch.where(shines, lamps.near_color, near_color)
        far_color = torch.where(shines, lamps.far_color, far_color)
        keep = torch.where(shines, near_lit[1] & far_lit[1], keep)
    solved = (index, alpha, near_color, far_color, near_radius, far_radius)
    kept = keep.nonzero()[:, 0]
    return tuple(field[..., kept] for field in solved)


def _range_of(colors: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """Least and greatest light [M] of surfaces in each pixel's frame: others of a pass may be brighter."""
    light = colors[:3].reshape(3, -1, colors.shape[-2] * colors.shape[-1])
    frame = index // light.shape[-1]
    most = torch.where(light.amax((0, 2)) > 1, LIT, 1.0)
    return light.amin((0, 2)).clamp_(max=0)[frame], most[frame]


def _windows(padded: Tensor, index: Tensor, shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Square windows [C, M, k*k] around flat positions of [C, ..., H, W], and squared distances [k*k].

    Args:
        padded: the maps with a border as wide as a window reaches.
        index: [M] int64, positions in the maps without it.
        shape: [..., H, W].
    """
    reach = _WINDOW_REACH_PX
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


def _statistics(colors: Tensor, radii: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weighted mean color [C, M], variance [M], mean radius [M], and whether there was any sample [M]."""
    total = weight.sum(1)
    share = weight / total.clamp(min=1e-8)[:, None]
    mean = (colors * share).sum(2)
    # Over three channels, so that an opaque alpha as a fourth changes nothing.
    deviation = colors - mean[..., None]
    variance = deviation.square_().mul_(share).sum(2).sum(0) / 3
    return mean, variance + _COLOR_NOISE, (radii * share).sum(1), total > 1e-4
