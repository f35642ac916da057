"""Contours of the disparity map, shifted as wholes to where the picture has them.

A pixel that decides for itself which surface it is of leaves notches in a contour that fits. So stretches of
a contour are asked: each shift along the normal has a gain, how much better the pixels that change sides fit
the surface they go to, gathered along the contour. How far the other contours of the frame are off is the
prior: where most fit, as in an exact map, only strong evidence moves one, and where all are too far in, the
doubtful ones follow.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .backend import backend_of
from .convolve import gaussian
from .edges import contour_zone
from .neighbourhood import Surroundings, dilate
from .surface_models import Surface, along_axis, continued_beside, surfaces_beside

# Pixels nearer to a contour than it may be off are samples of their surface only where there are no others.
_ZONE_TRUST, _TRUST_A_REACH = 0.03, 9.0
_MIN_SHARE_OF_SAMPLES = 1e-5
_LOG_RATIO_LIMIT = 10.0
_LEAST_SIGMA_PX = 1.5
# First guesses: what a shift as far as the reach costs.
_REACH_COST = 0.4
# Then by how often each shift was guessed, with so many pixels of contour and so many more that fit.
_PRIOR_WEIGHT, _PRIOR_WEIGHT_SOFT = 1.6, 0.8
_LEAST_FREQUENCY, _FITTING_PX = 0.02, 10.0


def shift_contours(
    radius_px: Tensor, color: Tensor, reach_px: int, softness: Tensor, lamps: Tensor | None = None
) -> Tensor:
    """Shift stretches of contours along their normals, by whole px up to the reach.

    With G_d the gain of a shift d and h(d) the share of the frame's contours that seem off by d, a contour
    is shifted by argmax_d G_d + w log(h(d) + 0.02).

    Args:
        radius_px: [..., H, W] signed blur radius.
        color: [C, ..., H, W] linear light.
        reach_px: how far a contour of the map may be off, >= 1.
        softness: [..., 1, 1] in [0, 1], see `edges.softness`; contours of soft maps are off in different
            ways.
        lamps: bool [..., H, W], pixels whose colour tells nothing of their surface.

    Returns:
        [..., H, W] signed blur radius.
    """
    radius = Surroundings(radius_px)
    zone = contour_zone(radius, reach_px)
    if not bool(zone.any()):
        return radius_px
    around = radius.within(reach_px)
    is_near = zone & (radius_px > around.middle())
    is_far = zone & ~is_near
    # Signed: how many px a contour has to move until it passes the pixel.
    passed_by = _steps_from(is_near, reach_px) - _steps_from(is_far, reach_px)
    trust = torch.where(
        zone, _ZONE_TRUST * _TRUST_A_REACH ** ((passed_by.abs() - reach_px - 1) / reach_px), 1.0
    )
    near_far = continued_beside(around, zone)
    near, far, index = surfaces_beside(color, radius_px, near_far, zone, reach_px, trust)
    known = (near.share > _MIN_SHARE_OF_SAMPLES) & (far.share > _MIN_SHARE_OF_SAMPLES)

    looks_near = _evidence(color.flatten(1).index_select(1, index), near, far) * known
    if lamps is not None:
        looks_near = looks_near * ~lamps.flatten()[index]
    own_shift = passed_by.flatten()[index]
    gains = _gains(looks_near, own_shift, index, radius_px.shape, reach_px)
    shift = _shifts(gains, (own_shift.abs() == 1) & known, index, softness, radius_px.shape, reach_px)

    outward, inward = (own_shift > 0) & (shift >= own_shift), (own_shift < 0) & (shift <= own_shift)
    surface_px = torch.where(outward, near.radius_px, far.radius_px)
    shifted = radius_px.flatten().clone()
    shifted[index] = torch.where((outward | inward) & known, surface_px, shifted[index])
    return shifted.view_as(radius_px)


def _evidence(color: Tensor, near: Surface, far: Surface) -> Tensor:
    """Log-likelihood ratio [M] of the colours, positive where they look near; 0 where mixtures disagree."""
    log_ratio = (far.misfit(color) - near.misfit(color)).clamp(-_LOG_RATIO_LIMIT, _LOG_RATIO_LIMIT)
    # A surface of one colour rejects its own mixed pixels: they also have to lie on the other's side.
    return log_ratio * ((along_axis(color, near, far) > 0.5) == (log_ratio > 0))


def _steps_from(mask: Tensor, reach_px: int) -> Tensor:
    """Steps [..., H, W] from a bool mask, crosses and squares in turn; reach + 1 beyond the reach."""
    steps = torch.where(mask, 0.0, reach_px + 1.0)
    for step in range(1, reach_px + 1):
        mask = dilate(mask, 1) if step % 2 == 0 else _cross(mask)
        steps = torch.where(mask, steps.clamp(max=step), steps)
    return steps


def _cross(mask: Tensor) -> Tensor:
    """Pixels of a bool [..., H, W] mask and the four beside each."""
    padded = F.pad(mask, (1, 1, 1, 1))
    beside = padded[..., 1:-1, :-2] | padded[..., 1:-1, 2:] | padded[..., :-2, 1:-1] | padded[..., 2:, 1:-1]
    return mask | beside


def _gains(looks_near: Tensor, own_shift: Tensor, index: Tensor, shape: torch.Size, reach_px: int) -> Tensor:
    """Gain [2 r + 1, M] of the shifts from -r to r px for the contour beside each of M pixels."""
    sigma_px = max(_LEAST_SIGMA_PX, reach_px)
    rings = looks_near.new_zeros(2, *shape)
    gains = looks_near.new_zeros(2 * reach_px + 1, len(index))
    for step in range(1, reach_px + 1):
        for ring, way in zip(rings.flatten(1), (1, -1), strict=True):
            ring[index] = way * looks_near * (own_shift == way * step)
        out, inward = gaussian(rings, sigma_px).flatten(1).index_select(1, index)
        gains[reach_px + step] = gains[reach_px + step - 1] + out
        gains[reach_px - step] = gains[reach_px - step + 1] + inward
    return gains


def _shifts(
    gains: Tensor, on_contour: Tensor, index: Tensor, softness: Tensor, shape: torch.Size, reach_px: int
) -> Tensor:
    """The best shift [M] for each pixel, given the gains and how far the contours of its frame are off."""
    shifts = torch.arange(-reach_px, reach_px + 1, device=gains.device)
    sigma_px = max(_LEAST_SIGMA_PX, reach_px)
    first_greatest = backend_of(gains.device).first_greatest
    guess = first_greatest(gains - shifts.abs()[:, None] * (_REACH_COST / sigma_px))
    frame = index // (shape[-2] * shape[-1])
    softness = softness.flatten()
    counts = gains.new_zeros(len(softness), len(shifts))
    counts.view(-1).index_add_(0, frame * len(shifts) + guess, on_contour.float())
    counts[:, reach_px] += _FITTING_PX
    frequency = counts / counts.sum(1, keepdim=True)
    weight = torch.lerp(
        torch.full_like(softness, _PRIOR_WEIGHT), torch.full_like(softness, _PRIOR_WEIGHT_SOFT), softness
    )
    prior = weight[:, None] * (frequency + _LEAST_FREQUENCY).log()
    return shifts[first_greatest(gains + prior[frame].T)]
