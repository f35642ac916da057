"""Depth edges: found, sharpened, and moved to where the picture has its own edges.

A disparity map that comes from a network, a codec or a smaller size has soft edges a few pixels away from the
true contour. Colour of the near surface then lies on pixels that claim to be far, and shows up as dark specks
and jagged rims as soon as either side is blurred.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .convolve import gaussian
from .fill import push_pull
from .neighbourhood import local_max, local_min, near

EDGE_STEP_PX = 1.0
"""Neighbours whose blur radii differ by more than this are two surfaces."""

_RAMP_STEP_PX = 0.5
_RAMP_RISE_PX = 1.5
_RINGING_SHARE = 0.25
_MIN_COLOR_VARIANCE = 2e-4
_MIN_SHARE_OF_SAMPLES = 0.01
_LOG_RATIO_LIMIT = 20.0
_LOG_RATIO_NEEDED = 4.0
_PROJECTION_MARGIN = 0.1


def edge_band(radius_px: Tensor, contour_reach_px: int = 0) -> Tensor:
    """Find the pixels next to a depth edge, one on each side.

    Args:
        radius_px: [H, W] signed blur radius.
        contour_reach_px: within this distance of a greater step a small one is taken for ringing of the map.

    Returns:
        bool [H, W].
    """
    step = local_max(radius_px) - local_min(radius_px)
    if contour_reach_px == 0:
        return step > EDGE_STEP_PX
    greatest = local_max(step, contour_reach_px)
    return step > torch.clamp(_RINGING_SHARE * greatest, min=EDGE_STEP_PX)


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
        top, bottom = local_max(radius_px), local_min(radius_px)
        step = top - bottom
        rises = local_max(radius_px, 2) - local_min(radius_px, 2) > _RAMP_RISE_PX
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
        step = local_max(radius_px) - local_min(radius_px)
        tolerance = torch.clamp(_RINGING_SHARE * local_max(step, contour_reach_px), min=EDGE_STEP_PX)
        padded = F.pad(radius_px[None, None], (1, 1, 1, 1), mode="replicate")
        neighbours = F.unfold(padded, 3).view(9, *radius_px.shape)
        same = (neighbours - radius_px).abs() <= tolerance
        radius_px = (neighbours * same).sum(0) / same.sum(0)
    return radius_px


def align_to_picture(radius_px: Tensor, color: Tensor, reach_px: int) -> Tensor:
    """Give pixels beside a depth edge to the surface whose colour they have.

    Within `reach_px` of an edge, a pixel's colour is compared with Gaussian models of the near and the far
    surface, taken farther from the edge. Only clear evidence overrules the map: a smoothed log-likelihood
    ratio beyond 4, and a projection on the line between the two colours that agrees.

    Args:
        radius_px: [H, W] signed blur radius.
        color: [C, H, W] linear light.
        reach_px: how far a contour of the map may be off, >= 1.

    Returns:
        [H, W] signed blur radius.
    """
    zone = near(edge_band(radius_px, reach_px), reach_px - 1)
    top, bottom = local_max(radius_px, reach_px), local_min(radius_px, reach_px)
    zone &= top - bottom > _RAMP_RISE_PX
    if not bool(zone.any()):
        return radius_px

    near_surface, far_surface = _surfaces(color, radius_px, top, bottom, zone, reach_px)
    known = zone & (near_surface.share > _MIN_SHARE_OF_SAMPLES) & (far_surface.share > _MIN_SHARE_OF_SAMPLES)

    log_ratio = far_surface.misfit(color) - near_surface.misfit(color)  # positive: looks near
    log_ratio = log_ratio.clamp(-_LOG_RATIO_LIMIT, _LOG_RATIO_LIMIT) * known
    log_ratio = gaussian(log_ratio[None], 0.8)[0]
    axis = near_surface.color - far_surface.color
    projection = ((color - far_surface.color) * axis).sum(0) / axis.square().sum(0).clamp(min=1e-8)

    says_near = radius_px > (top + bottom) / 2
    looks_near = (log_ratio > _LOG_RATIO_NEEDED) & (projection > 0.5 + _PROJECTION_MARGIN)
    looks_far = (log_ratio < -_LOG_RATIO_NEEDED) & (projection < 0.5 - _PROJECTION_MARGIN)
    moves = known & torch.where(says_near, looks_far, looks_near)
    surface_px = torch.where(says_near ^ moves, near_surface.radius_px, far_surface.radius_px)
    # Beside a great step, small deviations from the surface are ringing of the map's codec or resampling.
    gap_px = near_surface.radius_px - far_surface.radius_px
    rings = known & ((radius_px - surface_px).abs() < _RINGING_SHARE * gap_px)
    return torch.where(moves | rings, surface_px, radius_px)


@dataclass(frozen=True)
class _Surface:
    """Gaussian model of one side of the closest edge, from the clean samples around each pixel.

    Attributes:
        share: [H, W] weight of clean samples around the pixel, in [0, 1].
        color: [C, H, W] mean linear light.
        variance: [H, W] of the colour, mean of the three channels.
        radius_px: [H, W] mean signed blur radius.
    """

    share: Tensor
    color: Tensor
    variance: Tensor
    radius_px: Tensor

    def misfit(self, color: Tensor) -> Tensor:
        """Negative log-likelihood of a pixel's colour, up to a constant."""
        return (color - self.color).square().sum(0) / (3 * self.variance) + self.variance.log()


def _surfaces(
    color: Tensor, radius_px: Tensor, top: Tensor, bottom: Tensor, zone: Tensor, reach_px: int
) -> tuple[_Surface, _Surface]:
    """Near and far surface of the closest edge, seen from the pixels outside the zone."""
    near_px, far_px = push_pull(torch.stack([top, bottom]), zone[None].float())
    middle = (near_px + far_px) / 2
    tolerance = torch.clamp(0.3 * (near_px - far_px), min=1)
    is_near = ~zone & (radius_px > middle) & ((radius_px - near_px).abs() < tolerance)
    is_far = ~zone & (radius_px <= middle) & ((radius_px - far_px).abs() < tolerance)
    sigma_px = (reach_px + 5) / 2.5
    return _model(color, radius_px, is_near, sigma_px), _model(color, radius_px, is_far, sigma_px)


def _model(color: Tensor, radius_px: Tensor, samples: Tensor, sigma_px: float) -> _Surface:
    weight = samples[None].float()
    sums = gaussian(
        torch.cat([color * weight, color.square() * weight, radius_px * weight, weight]), sigma_px
    )
    channels = color.shape[0]
    means = sums[:-1] / sums[-1].clamp(min=1e-6)
    mean = means[:channels]
    # Over three channels, so that an opaque alpha as a fourth changes nothing.
    variance = (means[channels:-1] - mean.square()).clamp(min=0).sum(0) / 3
    return _Surface(sums[-1], mean, variance + _MIN_COLOR_VARIANCE, means[-1])
