"""Depth edges: found, sharpened, and moved to where the picture has its own edges.

A disparity map that comes from a network, a codec or a smaller size has soft edges a few pixels away from the
true contour. Colour of the near surface then lies on pixels that claim to be far, and shows up as dark specks
and jagged rims as soon as either side is blurred.
"""

import torch
from torch import Tensor

from ..disparity.contours import share_of_ramps
from .convolve import gaussian
from .neighbourhood import (
    Extremes,
    Surroundings,
    dilate,
    local_max,
    pixels_around,
    with_border_repeated,
)
from .surface_models import along_axis, continued_beside, surfaces_beside

EDGE_STEP_PX = 1.0
"""Neighbours whose blur radii differ by more than this are two surfaces."""

CONTOUR_PX = 2.0
"""Contours whose blur radii differ by more than this tell whether a map is soft."""

# So are those that differ by this much in a step: a slope rises over 5 px twice as far as over 3.
_SMALL_STEP_PX = 0.5
_STEP_IN_WIDER_WINDOW = 1.5
# Noise of a map within a surface, and no more than half of what makes an edge.
_SURFACE_NOISE_PX = 0.5

# Shares of ramps in crisp and in soft maps.
_CRISP_TO_SOFT = (0.15, 0.25)

_RAMP_STEP_PX = 0.5
_RAMP_RISE_PX = 1.5
_RINGING_SHARE = 0.25
_LEAST_RINGING_PX = 2
_MIN_SHARE_OF_SAMPLES = 0.01
_LOG_RATIO_LIMIT = 20.0
_LOG_RATIO_NEEDED = 4.0
_PROJECTION_MARGIN = 0.1


def edge_band(radius: Surroundings, contour_reach_px: int) -> Tensor:
    """Find the pixels next to a depth edge, one on each side.

    Args:
        radius: [H, W] signed blur radius in px.
        contour_reach_px: how far the map's contours may be off; within this distance of a greater step, and
            at least within 2 px, a small one is taken for ringing of the map or for the slope of a surface.

    Returns:
        bool [H, W].
    """
    step, wider = radius.within(1).step(), radius.within(2).step()
    least = torch.where(wider < _STEP_IN_WIDER_WINDOW * step, _SMALL_STEP_PX, EDGE_STEP_PX)
    reach_px = max(contour_reach_px, _LEAST_RINGING_PX)
    return step > torch.maximum(_RINGING_SHARE * local_max(step, reach_px), least)


def contour_zone(radius: Surroundings, reach_px: int) -> Tensor:
    """Pixels bool [..., H, W] over which a contour may pass that is off by as much as the reach."""
    zone = dilate(edge_band(radius, reach_px), reach_px - 1)
    return zone & (radius.within(reach_px).step() > _RAMP_RISE_PX)


def softness(radius_px: Tensor) -> Tensor:
    """Say whether a map has ramps where its contours are, as one that is blurred or was smaller.

    See `share_of_ramps`.

    Args:
        radius_px: [..., H, W] signed blur radius.

    Returns:
        [..., 1, 1], 0 in crisp maps, 1 in soft ones and in those without any contour.
    """
    share = share_of_ramps(radius_px, CONTOUR_PX)
    low, high = _CRISP_TO_SOFT
    return ((share - low) / (high - low)).clamp(0, 1)[..., None, None]


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


def align_to_picture(
    radius_px: Tensor, color: Tensor, reach_px: int, softness: Tensor, lamps: Tensor | None = None
) -> Tensor:
    """Give pixels beside the edges of a soft map to the surface whose colour they have.

    Within `reach_px` of an edge, a pixel's colour is compared with Gaussian models of the near and the far
    surface, taken farther from the edge. Only clear evidence overrules the map: a smoothed log-likelihood
    ratio beyond 4, and a projection on the line between the two colours that agrees. In a crisp map pixels
    do not decide one by one, see `contour_shift`.

    Args:
        radius_px: [H, W] signed blur radius.
        color: [C, H, W] linear light.
        reach_px: how far a contour of the map may be off, >= 1.
        softness: [..., 1, 1] in [0, 1], see there; evidence counts as much.
        lamps: bool [H, W], pixels whose colour tells nothing of their surface, as a lamp has one of its own.

    Returns:
        [H, W] signed blur radius.
    """
    radius = Surroundings(radius_px)
    zone = contour_zone(radius, reach_px)
    if not bool(zone.any()):
        return radius_px

    around = radius.within(reach_px)
    near_far = continued_beside(around, zone)
    near_surface, far_surface, index = surfaces_beside(color, radius_px, near_far, zone, reach_px)
    own_px, own_color = radius_px.flatten()[index], color.flatten(1).index_select(1, index)
    known = (near_surface.share > _MIN_SHARE_OF_SAMPLES) & (far_surface.share > _MIN_SHARE_OF_SAMPLES)

    log_ratio = far_surface.misfit(own_color) - near_surface.misfit(own_color)  # positive: looks near
    log_ratio = log_ratio.clamp(-_LOG_RATIO_LIMIT, _LOG_RATIO_LIMIT) * known
    if lamps is not None:
        log_ratio = log_ratio * ~lamps.flatten()[index]
    ratios = torch.zeros_like(radius_px)
    ratios.view(-1)[index] = log_ratio
    log_ratio = (gaussian(ratios[None], 0.8)[0] * softness).view(-1)[index]
    projection = along_axis(own_color, near_surface, far_surface)

    says_near = own_px > around.middle().flatten()[index]
    looks_near = (log_ratio > _LOG_RATIO_NEEDED) & (projection > 0.5 + _PROJECTION_MARGIN)
    looks_far = (log_ratio < -_LOG_RATIO_NEEDED) & (projection < 0.5 - _PROJECTION_MARGIN)
    moves = known & torch.where(says_near, looks_far, looks_near)
    if lamps is not None:
        moves &= ~lamps.flatten()[index]
    surface_px = torch.where(says_near ^ moves, near_surface.radius_px, far_surface.radius_px)
    # Beside a great step, small deviations from the surface are ringing of the map's codec or resampling.
    gap_px = near_surface.radius_px - far_surface.radius_px
    is_soft = (softness > 0).expand_as(radius_px).flatten()[index]
    rings = known & is_soft & ((own_px - surface_px).abs() < _RINGING_SHARE * gap_px)
    aligned = radius_px.flatten().clone()
    aligned[index] = torch.where(moves | rings, surface_px, own_px)
    return aligned.view_as(radius_px)
