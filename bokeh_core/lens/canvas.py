"""What the slabs painted from near to far add up to, with occlusion between surfaces."""

import math

import torch
from torch import Tensor

from .areas import Area, part_of

# A slab counts as a surface of its own where it covers this much of a pixel ...
_PRESENT = 0.02
# ... and lies this far in radius behind the last one that does, in px or as a share of the radius, whichever
# is more (the ladder's steps grow with the radius). Closer slabs belong to one surface.
_SURFACE_GAP_PX, _SURFACE_GAP_SHARE = 2.0, 0.25
# Slabs closer than this share the same samples; what comes later in the same surface only fills its rim.
_NEIGHBOUR_GAP_PX, _NEIGHBOUR_GAP_SHARE = 1.0, 0.15
_TINY = 1e-6


class Canvas:
    """The picture while it is painted, nearest slab first.

    A pixel's state is C + 1 + (C + 1) + 1 + 1 values: the light of the finished surfaces and what they let
    through; light, rim and coverage of the surface being painted; and the radius of the last slab that
    belongs to it, minus infinity before the first.
    """

    def __init__(self, like: Tensor) -> None:
        """Start an empty canvas for frames like the given [C, H, W] one."""
        self._channels = like.shape[0]
        self._state = like.new_zeros(2 * self._channels + 4, *like.shape[1:])
        _, transmittance, _, _, last_radius_px = self._parts(self._state)
        transmittance.fill_(1)
        last_radius_px.fill_(-math.inf)

    def add(self, planes: Tensor, radius_px: float, area: Area) -> None:
        """Paint one blurred slab behind everything painted before.

        Args:
            planes: [C + 2, h, w] light, rim and weight; or [C + 1, h, w] without the rim where there is none.
            radius_px: signed blur radius of the slab.
            area: where in the frame.
        """
        # The same either way. An accelerator would have to wait for the list of pixels.
        paint = self.add_by_pixel if planes.device.type == "cpu" else self.add_everywhere
        paint(planes, radius_px, area)

    def add_everywhere(self, planes: Tensor, radius_px: float, area: Area) -> None:
        """`add` in one formula for all pixels."""
        planes[-1].clamp_(min=0)
        here = part_of(self._state, area)
        here.copy_(self._behind(here, planes, radius_px))

    def add_by_pixel(self, planes: Tensor, radius_px: float, area: Area) -> None:
        """`add` with the whole formula only for pixels where another surface lies in front."""
        planes[-1].clamp_(min=0)
        row, column = self._detached(planes[-1], radius_px, area)
        if len(row) == 0:
            self._add_to_surface(planes, radius_px, area)
            return
        pixel = (row + area[0].start) * self._state.shape[2] + (column + area[1].start)
        state = self._state.flatten(1)
        stacked = self._behind(state.index_select(1, pixel), planes[:, row, column], radius_px)
        self._add_to_surface(planes, radius_px, area)
        state.index_copy_(1, pixel, stacked)

    def finish(self) -> Tensor:
        """Light [C, H, W]: behind the last surface there is nothing, so it fills what is left."""
        light, transmittance, surface, coverage, _ = self._parts(self._state)
        return light + transmittance * surface[:-1] / coverage.clamp(min=_TINY)

    def _parts(self, state: Tensor) -> tuple[Tensor, ...]:
        """Finished light, transmittance, surface light and rim, coverage, last radius."""
        return state.split([self._channels, 1, self._channels + 1, 1, 1])

    def _detached(self, weight: Tensor, radius_px: float, area: Area) -> tuple[Tensor, Tensor]:
        """Pixels where the slab does not simply continue the surface painted last."""
        last_radius_px = self._parts(self._state)[-1][0][area]
        detached = last_radius_px > radius_px + _neighbour_gap_px(radius_px)
        row, column = detached.logical_and_(weight > _TINY).nonzero(as_tuple=True)
        return row, column

    def _add_to_surface(self, planes: Tensor, radius_px: float, area: Area) -> None:
        """What `_behind` comes to where the slab continues the surface painted last."""
        _, _, surface, coverage, last_radius_px = self._parts(self._state)
        weight, here = planes[-1], coverage[0][area]
        added = (1 - here).clamp_(min=0)
        torch.minimum(weight, added, out=added)
        here += added
        fraction = added.div_(weight.clamp(min=_TINY))
        part_of(surface, area)[: len(planes) - 1].addcmul_(planes[:-1], fraction)
        last_radius_px[0][area].masked_fill_(weight > _PRESENT, radius_px)

    def _behind(self, state: Tensor, planes: Tensor, radius_px: float) -> Tensor:
        """State of any number of pixels after one more slab."""
        light, transmittance, surface, coverage, last_radius_px = self._parts(state)
        weight = planes[-1:]
        present = weight > _PRESENT
        gap_px = last_radius_px - radius_px  # minus infinity where nothing was painted yet
        closes = present & (gap_px > max(_SURFACE_GAP_PX, _SURFACE_GAP_SHARE * abs(radius_px)))
        detached = gap_px > _neighbour_gap_px(radius_px)

        through = _let_through(coverage, surface[-1:], last_radius_px)
        finished = closes * transmittance * (1 - through) / coverage.clamp(min=_TINY)
        light = light + finished * surface[:-1]
        transmittance = transmittance * torch.where(closes, through, 1.0)
        room = torch.where(closes, 1.0, torch.where(detached, through, (1 - coverage).clamp(min=0)))
        keeps = (~closes).to(weight)

        added = torch.minimum(weight, room)
        surface = keeps * surface
        surface[: len(planes) - 1] += added / weight.clamp(min=_TINY) * planes[:-1]
        coverage = keeps * coverage + added
        # A detached slab is not part of the surface: those behind it are measured from the surface itself.
        last_radius_px = torch.where(present & (closes | ~detached), radius_px, last_radius_px)
        return torch.cat([light, transmittance, surface, coverage, last_radius_px])


def _neighbour_gap_px(radius_px: float) -> float:
    return max(_NEIGHBOUR_GAP_PX, _NEIGHBOUR_GAP_SHARE * abs(radius_px))


def _let_through(coverage: Tensor, rim: Tensor, radius_px: Tensor) -> Tensor:
    """What a finished surface leaves uncovered, gaps inside it excepted.

    Where the radius varies within a surface its slabs do not add up to full coverage. Such gaps lie farther
    from the surface's rim than its blur reaches: none of the rim's light arrives, and they count as covered.
    At a distance a from a straight rim 1 px wide, the rim's light has weight 2 sqrt(1 - (a/r)^2) / (pi r).
    """
    rim_seen = (rim * math.pi * radius_px.abs().clamp(min=1, max=1e6)).clamp(0, 1)
    inside = ((coverage - 0.5) / 0.25).clamp(0, 1)
    return (1 - coverage).clamp(min=0) * (1 - (1 - rim_seen) * inside)
