"""What the slabs painted from near to far add up to, with occlusion between surfaces."""

import math

import numpy as np
import torch
from torch import Tensor

from .areas import Area, part_of

Piece = tuple[Tensor, Area]
"""Part of a slab and where: [C + 2, h, w] light, rim and weight, or [C + 1, h, w] if it has no rim."""

# A slab counts as a surface of its own where it covers this much of a pixel ...
_PRESENT = 0.02
# ... and lies this far in radius behind the last one that does, in px or as a share of the radius, whichever
# is more (the ladder's steps grow with the radius). Closer slabs belong to one surface.
_SURFACE_GAP_PX, _SURFACE_GAP_SHARE = 2.0, 0.25
# Slabs closer than this share the same samples; what comes later in the same surface only fills its rim.
_NEIGHBOUR_GAP_PX, _NEIGHBOUR_GAP_SHARE = 1.0, 0.15
_TINY = 1e-6
_NO_PIXELS = torch.zeros(0, dtype=torch.int64)


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
        _, transmittance, self._surface, coverage, last_radius_px = self._parts(self._state)
        self._coverage, self._last_radius_px = coverage[0], last_radius_px[0]
        transmittance.fill_(1)
        last_radius_px.fill_(-math.inf)

    def add(self, pieces: list[Piece], radius_px: float) -> None:
        """Paint one blurred slab behind everything painted before.

        Args:
            pieces: of the slab, disjoint; their planes are used up.
            radius_px: signed blur radius of the slab.
        """
        for planes, _ in pieces:
            planes[-1].clamp_(min=0)
        # The same either way. An accelerator would have to wait for the list of pixels.
        paint = self.add_by_pixel if self._state.device.type == "cpu" else self.add_everywhere
        paint(pieces, radius_px)

    def add_everywhere(self, pieces: list[Piece], radius_px: float) -> None:
        """`add` in one formula for all pixels."""
        for planes, area in pieces:
            here = part_of(self._state, area)
            here.copy_(self._behind(here, planes, radius_px))

    def add_by_pixel(self, pieces: list[Piece], radius_px: float) -> None:
        """`add` with the whole formula only for pixels where the slab is seen behind another surface."""
        detached = []
        for planes, area in pieces:
            detached.append(self._taken_out(planes, radius_px, area))
            self._add_to_surface(planes, radius_px, area)
        pixel = torch.cat([_NO_PIXELS, *(pixel for pixel, _ in detached)])
        if len(pixel) == 0:
            return
        sample = torch.cat([sample for _, sample in detached], dim=1)
        state = self._state.flatten(1)
        # Behind a surface without gaps a slab changes nothing, and neither will those that follow.
        rim, coverage, last_radius_px = state[-3:].index_select(1, pixel)
        seen = (_let_through(coverage, rim, last_radius_px) > _TINY).nonzero()[:, 0]
        pixel, sample = pixel[seen], sample[:, seen]
        state.index_copy_(1, pixel, self._behind(state.index_select(1, pixel), sample, radius_px))

    def finish(self) -> Tensor:
        """Light [C, H, W]: behind the last surface there is nothing, so it fills what is left."""
        light, transmittance, surface, coverage, _ = self._parts(self._state)
        return light + transmittance * surface[:-1] / coverage.clamp(min=_TINY)

    def _parts(self, state: Tensor) -> tuple[Tensor, ...]:
        """Finished light, transmittance, surface light and rim, coverage, last radius."""
        return state.split([self._channels, 1, self._channels + 1, 1, 1])

    def _taken_out(self, planes: Tensor, radius_px: float, area: Area) -> tuple[Tensor, Tensor]:
        """Take the pixels out of a slab where it does not simply continue the surface painted last.

        Returns:
            [N] positions in the flattened frame, and [C + 2, N] light, rim and weight of the slab there.
        """
        weight = planes[-1].numpy()
        # NumPy compares and lists in a quarter of torch's time.
        detached = self._last_radius_px[area].numpy() > radius_px + _neighbour_gap_px(radius_px)
        if not detached.any():
            return _NO_PIXELS, planes.new_zeros(self._channels + 2, 0)
        detached &= weight > _TINY
        row, column = (torch.from_numpy(i) for i in np.divmod(np.flatnonzero(detached), weight.shape[1]))
        sample = planes[:, row, column]
        if len(planes) == self._channels + 1:
            sample = torch.cat([sample[:-1], torch.zeros_like(sample[:1]), sample[-1:]])
        weight[detached] = 0
        return (row + area[0].start) * self._state.shape[2] + (column + area[1].start), sample

    def _add_to_surface(self, planes: Tensor, radius_px: float, area: Area) -> None:
        """What `_behind` comes to where the slab continues the surface painted last."""
        weight, here = planes[-1], self._coverage[area]
        added = (1 - here).clamp_(min=0)
        torch.minimum(weight, added, out=added)
        here += added
        fraction = added.div_(weight.clamp(min=_TINY))
        part_of(self._surface, area)[: len(planes) - 1].addcmul_(planes[:-1], fraction)
        present = weight.numpy() > _PRESENT
        np.copyto(self._last_radius_px[area].numpy(), np.float32(radius_px), where=present)

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
