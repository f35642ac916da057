"""Depth edges: found, sharpened, and moved to where the picture has its own edges.

A disparity map that comes from a network, a codec or a smaller size has soft edges a few pixels away from the
true contour. Colour of the near surface then lies on pixels that claim to be far, and shows up as dark specks
and jagged rims as soon as either side is blurred.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .areas import Area, areas_of, grown_area, inside, part_of
from .backend import backend_of
from .convolve import gaussian, gaussian_reach_px
from .fill import push_pull
from .neighbourhood import (
    Extremes,
    Surroundings,
    dilate,
    local_max,
    pixels_around,
    with_border_repeated,
)
from .portions import in_bands

EDGE_STEP_PX = 1.0
"""Neighbours whose blur radii differ by more than this are two surfaces."""

# So are those that differ by this much in a step: a slope rises over 5 px twice as far as over 3.
_SMALL_STEP_PX = 0.5
_STEP_IN_WIDER_WINDOW = 1.5
# Noise of a map within a surface, and no more than half of what makes an edge.
_SURFACE_NOISE_PX = 0.5

_RAMP_STEP_PX = 0.5
_RAMP_RISE_PX = 1.5
_RINGING_SHARE = 0.25
_MIN_COLOR_VARIANCE = 2e-4
_MIN_SHARE_OF_SAMPLES = 0.01
_LOG_RATIO_LIMIT = 20.0
_LOG_RATIO_NEEDED = 4.0
_PROJECTION_MARGIN = 0.1


def edge_band(radius: Surroundings, contour_reach_px: int) -> Tensor:
    """Find the pixels next to a depth edge, one on each side.

    Args:
        radius: [H, W] signed blur radius in px.
        contour_reach_px: within this distance of a greater step a small one is taken for ringing of the map.

    Returns:
        bool [H, W].
    """
    step, wider = radius.within(1).step(), radius.within(2).step()
    least = torch.where(wider < _STEP_IN_WIDER_WINDOW * step, _SMALL_STEP_PX, EDGE_STEP_PX)
    if contour_reach_px == 0:
        return step > least
    return step > torch.maximum(_RINGING_SHARE * local_max(step, contour_reach_px), least)


def sharpen_ramps(radius_px: Tensor, passes: int) -> Tensor:
    """Turn a ramp between two surfaces into a step.

    Each pass moves a pixel to the nearer extreme of its 3 x 3 neighbourhood, so a ramp of about 2 * `passes`
    pixels closes. Slanted surfaces rise more slowly than the thresholds and stay.

    Args:
        radius_px: [H, W] signed blur radius.
        passes: how often; 0 leaves the map alone.

    Returns:
        [H, W] signed blur radius.
    """
    for _ in range(passes):
        around = Extremes.of(radius_px)
        top, bottom, step = around.top, around.bottom, around.step()
        rises = Extremes.of(radius_px, 2).step() > _RAMP_RISE_PX
        on_ramp = rises & (step > torch.clamp(_RINGING_SHARE * local_max(step, passes), min=_RAMP_STEP_PX))
        nearer_extreme = torch.where(top - radius_px < radius_px - bottom, top, bottom)
        radius_px = torch.where(on_ramp, nearer_extreme, radius_px)
    return radius_px


def smooth_surfaces(radius_px: Tensor, contour_reach_px: int) -> Tensor:
    """Average out the noise of a map within its surfaces.

    Each pixel becomes the mean of those of its 3 x 3 neighbours that lie on the same surface, twice. Noise
    would let neighbours blur by different radii, which tears small gaps into a surface.

    Args:
        radius_px: [H, W] signed blur radius.
        contour_reach_px: see `edge_band`.

    Returns:
        [H, W] signed blur radius.
    """
    for _ in range(2):
        step = Extremes.of(radius_px).step()
        tolerance = torch.clamp(_RINGING_SHARE * local_max(step, contour_reach_px), min=_SURFACE_NOISE_PX)
        # Elsewhere all nine lie on one surface.
        torn = (step > tolerance).flatten().nonzero()[:, 0]
        own, neighbours = pixels_around(radius_px, torn)
        same = (neighbours - own).abs() <= tolerance.flatten()[torn]
        smooth_px = _box_mean(radius_px).flatten()
        smooth_px[torn] = (neighbours * same).sum(0) / same.sum(0)
        radius_px = smooth_px.view_as(radius_px)
    return radius_px


def _box_mean(values: Tensor) -> Tensor:
    """Mean of the 3 x 3 pixels around each of [..., H, W]."""
    height, width = values.shape[-2:]
    padded = with_border_repeated(values, 1)
    total = torch.zeros_like(values)
    for y in range(3):
        for x in range(3):
            total += padded[..., y : y + height, x : x + width]
    return total.div_(9)


def align_to_picture(radius_px: Tensor, color: Tensor, reach_px: int, lamps: Tensor | None = None) -> Tensor:
    """Give pixels beside a depth edge to the surface whose colour they have.

    Within `reach_px` of an edge, a pixel's colour is compared with Gaussian models of the near and the far
    surface, taken farther from the edge. Only clear evidence overrules the map: a smoothed log-likelihood
    ratio beyond 4, and a projection on the line between the two colours that agrees.

    Args:
        radius_px: [H, W] signed blur radius.
        color: [C, H, W] linear light.
        reach_px: how far a contour of the map may be off, >= 1.
        lamps: bool [H, W], pixels whose colour tells nothing of their surface, as a lamp has one of its own.

    Returns:
        [H, W] signed blur radius.
    """
    radius = Surroundings(radius_px)
    zone = dilate(edge_band(radius, reach_px), reach_px - 1)
    around = radius.within(reach_px)
    zone &= around.step() > _RAMP_RISE_PX
    if not bool(zone.any()):
        return radius_px

    near_surface, far_surface, index = _surfaces(color, radius_px, around, zone, reach_px)
    own_px, own_color = radius_px.flatten()[index], color.flatten(1).index_select(1, index)
    known = (near_surface.share > _MIN_SHARE_OF_SAMPLES) & (far_surface.share > _MIN_SHARE_OF_SAMPLES)

    log_ratio = far_surface.misfit(own_color) - near_surface.misfit(own_color)  # positive: looks near
    log_ratio = log_ratio.clamp(-_LOG_RATIO_LIMIT, _LOG_RATIO_LIMIT) * known
    if lamps is not None:
        log_ratio = log_ratio * ~lamps.flatten()[index]
    ratios = torch.zeros_like(radius_px)
    ratios.view(-1)[index] = log_ratio
    log_ratio = gaussian(ratios[None], 0.8).view(-1)[index]
    axis = near_surface.color - far_surface.color
    projection = ((own_color - far_surface.color) * axis).sum(0) / axis.square().sum(0).clamp(min=1e-8)

    says_near = own_px > around.middle().flatten()[index]
    looks_near = (log_ratio > _LOG_RATIO_NEEDED) & (projection > 0.5 + _PROJECTION_MARGIN)
    looks_far = (log_ratio < -_LOG_RATIO_NEEDED) & (projection < 0.5 - _PROJECTION_MARGIN)
    moves = known & torch.where(says_near, looks_far, looks_near)
    if lamps is not None:
        moves &= ~lamps.flatten()[index]
    surface_px = torch.where(says_near ^ moves, near_surface.radius_px, far_surface.radius_px)
    # Beside a great step, small deviations from the surface are ringing of the map's codec or resampling.
    gap_px = near_surface.radius_px - far_surface.radius_px
    rings = known & ((own_px - surface_px).abs() < _RINGING_SHARE * gap_px)
    aligned = radius_px.flatten().clone()
    aligned[index] = torch.where(moves | rings, surface_px, own_px)
    return aligned.view_as(radius_px)


@dataclass(frozen=True)
class _Surface:
    """Gaussian model of one side of the closest edge, from the clean samples around each of M pixels.

    Attributes:
        share: [M] weight of clean samples around the pixel, in [0, 1].
        color: [C, M] mean linear light.
        variance: [M] of the colour, mean of the three channels.
        radius_px: [M] mean signed blur radius.
    """

    share: Tensor
    color: Tensor
    variance: Tensor
    radius_px: Tensor

    @classmethod
    def of(cls, sums: Tensor) -> "_Surface":
        """From weighted sums [2 C + 2, M]: of colour, its square, radius, and the weights themselves."""
        channels = sums.shape[0] // 2 - 1
        means = sums[:-1] / sums[-1].clamp(min=1e-6)
        mean = means[:channels]
        # Over three channels, so that an opaque alpha as a fourth changes nothing.
        variance = (means[channels:-1] - mean.square()).clamp(min=0).sum(0) / 3
        return cls(sums[-1], mean, variance + _MIN_COLOR_VARIANCE, means[-1])

    def misfit(self, color: Tensor) -> Tensor:
        """Negative log-likelihood of the colours [C, M] of the pixels, up to a constant."""
        return (color - self.color).square().sum(0) / (3 * self.variance) + self.variance.log()


def _surfaces(
    color: Tensor, radius_px: Tensor, around: Extremes, zone: Tensor, reach_px: int
) -> tuple[_Surface, _Surface, Tensor]:
    """Near and far surface of the closest edge for each pixel of the zone, whose flat positions come third.

    The surfaces are known from the pixels outside the zone.
    """
    near_far = push_pull(torch.stack([around.top, around.bottom]), zone[None].float())
    sigma_px = (reach_px + 5) / 2.5
    margin_px = gaussian_reach_px(sigma_px)
    height, width = zone.shape[-2:]
    whole = (slice(0, height), slice(0, width))
    sums, indices = [], []
    backend = backend_of(zone.device)
    frames = zone.numel() // (height * width)
    pieces = areas_of(zone, margin_px, backend.piece_cost_px)
    for area in (band for piece in pieces for band in in_bands(piece, backend.band_pixels // frames)):
        source = grown_area(area, margin_px, whole)
        *frame, row, column = part_of(zone, area).nonzero(as_tuple=True)
        rows, columns = inside(area, source)
        # Every plane is blurred on its own anyway; what a border beyond the source would add is out of reach.
        blurred = gaussian(_clean_samples(color, radius_px, near_far, zone, source), sigma_px)
        where = (slice(None), *frame, row + rows.start, column + columns.start)
        sums.append(blurred[where])
        index = (row + area[0].start) * width + (column + area[1].start)
        indices.append(index + frame[0] * (height * width) if frame else index)
    by_side = torch.cat(sums, dim=1).chunk(2)
    return _Surface.of(by_side[0]), _Surface.of(by_side[1]), torch.cat(indices)


def _clean_samples(color: Tensor, radius_px: Tensor, near_far: Tensor, zone: Tensor, area: Area) -> Tensor:
    """[2 (2 C + 2), ..., h, w]: of the near and the far samples colour, its square, radius and weight."""
    radius_px, color = part_of(radius_px, area), part_of(color, area)
    near_px, far_px = part_of(near_far, area)
    middle = (near_px + far_px) / 2
    tolerance = torch.clamp(0.3 * (near_px - far_px), min=1)
    clean, beyond_middle = ~part_of(zone, area), radius_px > middle
    is_near = clean & beyond_middle & ((radius_px - near_px).abs() < tolerance)
    is_far = clean & ~beyond_middle & ((radius_px - far_px).abs() < tolerance)
    values = torch.cat([color, color.square(), radius_px[None], torch.ones_like(radius_px)[None]])
    return (values * torch.stack([is_near, is_far]).float()[:, None]).flatten(0, 1)
