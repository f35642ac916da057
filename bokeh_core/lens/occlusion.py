"""Occlusion between surfaces: what a pixel has become after one more slab behind those painted before.

A pixel's state is C + 1 + (C + 1) + 1 + 1 values: the light of the finished surfaces and what they let
through; light, rim and coverage of the surface being painted; and the radius of the last slab that belongs
to it, minus infinity before the first.
"""

import math

import torch
from torch import Tensor

PRESENT = 0.02
"""A slab counts as a surface of its own where it covers this much of a pixel ..."""
# ... and lies this far in radius behind the last one that does, in px or as a share of the radius, whichever
# is more: farther than one step of the ladder, in which the slabs that share a sample lie. A surface whose
# slabs were shared between two would let what lies behind it through.
_SURFACE_GAP_PX, _SURFACE_GAP_SHARE = 1.0, 0.15

TINY = 1e-6
"""Less weight than this is none."""


def unpainted(like: Tensor) -> Tensor:
    """State [2 C + 4, ..., H, W] of frames like the given [C, ..., H, W] one before the first slab."""
    state = like.new_zeros(2 * like.shape[0] + 4, *like.shape[1:])
    _, transmittance, _, _, last_radius_px = parts_of(state)
    transmittance.fill_(1)
    last_radius_px.fill_(-math.inf)
    return state


def parts_of(state: Tensor) -> tuple[Tensor, ...]:
    """Finished light, transmittance, the surface's light and rim, its coverage, and last radius.

    Views [C, ...], [1, ...], [C + 1, ...], [1, ...] and [1, ...] of a state [2 C + 4, ...].
    """
    channels = state.shape[0] // 2 - 2
    return state.split([channels, 1, channels + 1, 1, 1])


def light_of(state: Tensor) -> Tensor:
    """Light [C, ...]: behind the last surface there is nothing, so it fills what is left."""
    light, transmittance, surface, coverage, _ = parts_of(state)
    return light + transmittance * surface[:-1] / coverage.clamp(min=TINY)


def put_behind(state: Tensor, planes: Tensor, radius_px: float) -> None:
    """Put one more slab behind what any number of pixels show, in place.

    Args:
        state: [2 C + 4, ...], changed.
        planes: [C + 2, ...] light, rim and weight of the slab, or [C + 1, ...] if it has no rim; used up.
        radius_px: signed blur radius of the slab, no greater than that of any before.
    """
    light, transmittance, surface, coverage, last_radius_px = parts_of(state)
    weight = planes[-1:]
    present = weight > PRESENT
    gap_px = last_radius_px - radius_px  # minus infinity where nothing was painted yet
    detached = gap_px > neighbour_gap_px(radius_px)
    closes = present & detached
    through = let_through(coverage, surface[-1:], last_radius_px)

    finished = (closes * transmittance).mul_(1 - through).div_(coverage.clamp(min=TINY))
    light.add_(finished * surface[:-1])
    transmittance.mul_(torch.where(closes, through, 1.0))
    room = torch.where(closes, 1.0, torch.where(detached, through, (1 - coverage).clamp_(min=0)))
    keeps = (~closes).to(weight)

    added = torch.minimum(weight, room, out=room)
    coverage.mul_(keeps).add_(added)
    surface.mul_(keeps)
    share = added.div_(weight.clamp(min=TINY))
    surface[: len(planes) - 1].add_(planes[:-1].mul_(share))
    last_radius_px.masked_fill_(present, radius_px)


def neighbour_gap_px(radius_px: float) -> float:
    """How far behind the last slab of a surface the next one may lie to continue it."""
    return max(_SURFACE_GAP_PX, _SURFACE_GAP_SHARE * abs(radius_px))


def let_through(coverage: Tensor, rim: Tensor, radius_px: Tensor) -> Tensor:
    """What a finished surface leaves uncovered, gaps inside it excepted.

    Where the radius varies within a surface its slabs do not add up to full coverage. Such gaps lie farther
    from the surface's rim than its blur reaches: none of the rim's light arrives, and they count as covered.
    At a distance a from a straight rim 1 px wide, the rim's light has weight 2 sqrt(1 - (a/r)^2) / (pi r).
    """
    rim_seen = (rim * math.pi).mul_(radius_px.abs().clamp_(min=1, max=1e6)).clamp_(0, 1)
    inside = ((coverage - 0.5) / 0.25).clamp_(0, 1)
    return (1 - coverage).clamp_(min=0).mul_(1 - (1 - rim_seen).mul_(inside))
