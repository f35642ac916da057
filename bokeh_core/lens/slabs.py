"""Radius slabs: a fixed ladder of blur radii between which samples are shared."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .areas import Area, occupied_blocks_by_slab, part_of
from .backend import backend_of
from .beyond_border import light_beyond
from .layers import Layer
from .neighbourhood import with_border_repeated

_FINE_STEP_PX = 0.5
_FINE_UP_TO_PX = 4.0
_RELATIVE_STEP = 0.12


def slab_radii_px(lowest_px: float, highest_px: float) -> list[float]:
    """Signed radii, ascending, that enclose a range of blur radii.

    The ladder is anchored at radius 0 and does not depend on the range, so slabs do not swim between frames:
    steps of 0.5 px up to 4 px, then 12 % of the radius, at least 1 px.
    """
    outermost = max(abs(lowest_px), abs(highest_px))
    rungs = [0.0]
    while rungs[-1] < outermost:
        radius = rungs[-1]
        rungs.append(
            radius + (_FINE_STEP_PX if radius < _FINE_UP_TO_PX else max(1.0, _RELATIVE_STEP * radius))
        )
    ladder = [-radius for radius in reversed(rungs[1:])] + rungs
    first = max((i for i, radius in enumerate(ladder) if radius <= lowest_px), default=0)
    last = min((i for i, radius in enumerate(ladder) if radius >= highest_px), default=len(ladder) - 1)
    return ladder[first : last + 1]


@dataclass(frozen=True)
class SlabShares:
    """How each sample of a layer is shared between two neighbouring slabs.

    Attributes:
        color: [C, ..., H, W] linear light of the samples.
        presence: [..., H, W] in [0, 1], their weight.
        position: [..., H, W] float32, where the sample's radius lies on the ladder: 2.25 is a quarter of
            the way from slab 2 to slab 3.
        blocks: bool [S, blocks down, blocks across] of the frame, where each slab has samples.
    """

    color: Tensor
    presence: Tensor
    position: Tensor
    blocks: Tensor

    def weight(self, slab: int, area: Area, out: Tensor | None = None) -> Tensor:
        """Weight of the samples of one slab inside an area of the planes."""
        distance = torch.sub(part_of(self.position, area), slab, out=out).abs_()
        return distance.neg_().add_(1).clamp_(min=0).mul_(part_of(self.presence, area))

    def going_on(self, reach_px: int, *, hidden: bool) -> "SlabShares":
        """The same samples, which go on beyond the frame as far as this; hidden ones are smooth already."""
        if hidden:
            color = with_border_repeated(self.color, reach_px)
        else:
            color = light_beyond(self.color, self.presence, self.position, reach_px)
        return SlabShares(
            color,
            with_border_repeated(self.presence, reach_px),
            with_border_repeated(self.position, reach_px),
            self.blocks,
        )


def share_between_slabs(layer: Layer, radii_px: list[float]) -> SlabShares:
    """Split every sample linearly between the two slabs around its radius."""
    position = backend_of(layer.radius_px.device).on_ladder(layer.radius_px, radii_px)
    # A sample between two slabs is in both: slab s has those from 2 s - 1 to 2 s + 1.
    half_steps = (position.floor() + position.ceil()).long()
    by_half_step = occupied_blocks_by_slab(half_steps, layer.weight > 0, 2 * len(radii_px) - 1)
    blocks = by_half_step[::2].clone()
    blocks[:-1] |= by_half_step[1::2]
    blocks[1:] |= by_half_step[1::2]
    return SlabShares(layer.color, layer.weight, position, blocks)
