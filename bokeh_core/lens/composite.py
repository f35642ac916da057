"""Blur each slab with the lens and stack the slabs from near to far."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .areas import (
    Area,
    Cover,
    any_block,
    common,
    cover,
    grown_area,
    grown_blocks,
    occupied_blocks,
    occupied_part,
    part_of,
)
from .backend import backend_of
from .canvas import Canvas
from .layers import Layers
from .neighbourhood import with_border_repeated
from .slabs import SlabShares, share_between_slabs, slab_radii_px
from .surroundings import grown_beyond

Spread = Callable[[Tensor, float, Area, Area], Tensor]
"""(planes [C, h, w], signed radius in px, their area, target) -> the light that arrives in the target.

Areas count from the corner of the frame; that of the planes may begin before it and end behind it."""


@dataclass(frozen=True)
class Stack:
    """The samples of one frame, or of the frames of a pass, by slab: all that compositing needs of them.

    Attributes:
        samples: what spreads.
        slabs: which of it belongs to which slab.
        frame_size: (H, W) in px.
    """

    samples: "_Samples"
    slabs: "_Slabs"
    frame_size: tuple[int, int]

    @classmethod
    def of(cls, layers: Layers, reach_px: Callable[[float], int], *, beyond_frame: bool = True) -> "Stack":
        """Share the layers' samples between slabs.

        Args:
            layers: the frame or frames taken apart.
            reach_px: how far a lens kernel reaches for a radius.
            beyond_frame: whether samples beyond the frame spread too, as `surroundings` has them.
        """
        radii_px = slab_radii_px(*_range_px(layers))
        front, back = (share_between_slabs(layer, radii_px) for layer in (layers.front, layers.back))
        samples = _Samples((front, back), layers.rim)
        slabs = _Slabs.of(samples, radii_px, reach_px, backend_of(layers.rim.device).piece_cost_px)
        if beyond_frame and max(slabs.reach_px) > 0:
            samples = samples.going_on(max(slabs.reach_px))
        return cls(samples, slabs, (layers.rim.shape[-2], layers.rim.shape[-1]))

    def composite(self, spread: Spread) -> Tensor:
        """Paint the slabs.

        Within a surface slabs add up and saturate at full coverage; a surface behind another one is seen
        through what the nearer one leaves uncovered. The farthest surface fills what is left, so weights add
        up to 1.

        Args:
            spread: blurs planes with the lens kernel of a radius.

        Returns:
            [C, ..., H, W] linear light.
        """
        slabs = self.slabs
        height, width = self.frame_size
        frames = self.samples.shares[0].color[..., :height, :width]
        canvas = Canvas(frames, backend_of(frames.device))
        for slab in reversed(range(len(slabs.radii_px))):
            radius_px, lit = slabs.radii_px[slab], slabs.lit[slab]
            pieces = []
            for area in lit.areas:
                reach = slabs.reach_px[slab]
                source = occupied_part(slabs.occupied[slab], grown_area(area, reach, lit.outline))
                if source is None:
                    continue
                target = common(area, grown_area(source, reach, lit.outline))
                planes_area = source
                if self.samples.beyond_px > 0:
                    planes_area = grown_beyond(source, target, reach, self.frame_size)
                planes = self.samples.planes(slab, planes_area, *slabs.present(slab, source))
                pieces.append((spread(planes, radius_px, planes_area, target), target))
            canvas.add(pieces, radius_px)
        return canvas.finish()


@dataclass(frozen=True)
class _Slabs:
    """Where each slab has samples, and where its light arrives.

    Attributes:
        blocks: bool [2, S, blocks down, blocks across], where the two layers have samples of each slab.
        occupied: bool [S, blocks down, blocks across], where either has.
        rim_blocks: bool [blocks down, blocks across].
        radii_px, reach_px, lit: per slab its radius, how far its kernel reaches, and where its light arrives.
    """

    blocks: np.ndarray
    occupied: np.ndarray
    rim_blocks: np.ndarray
    radii_px: list[float]
    reach_px: list[int]
    lit: list[Cover]

    @classmethod
    def of(
        cls,
        samples: "_Samples",
        radii_px: list[float],
        reach_px: Callable[[float], int],
        piece_cost_px: float,
    ) -> "_Slabs":
        """Find what each slab reaches, of samples that do not go on beyond the frame."""
        front, back = samples.shares
        # All that decides on sizes comes to the host at once: a device waits at every such question.
        blocks = torch.cat([front.blocks, back.blocks, occupied_blocks(samples.rim > 0)[None]]).cpu().numpy()
        by_layer = blocks[:-1].reshape(2, len(radii_px), *blocks.shape[1:])
        occupied = np.logical_or(*by_layer)
        reach = [reach_px(radius) for radius in radii_px]
        lit = np.stack([grown_blocks(slab, px) for slab, px in zip(occupied, reach, strict=True)])
        height, width = samples.rim.shape[-2:]
        covers = cover(lit, reach, (height, width), piece_cost_px)
        return cls(by_layer, occupied, blocks[-1], radii_px, reach, covers)

    def present(self, slab: int, area: Area) -> tuple[bool, bool, bool]:
        """Whether an area has front samples of a slab, back samples, and the rim of its front."""
        front, back = (any_block(blocks[slab], area) for blocks in self.blocks)
        return front, back, front and any_block(self.rim_blocks, area)


@dataclass(frozen=True)
class _Samples:
    """What spreads: the samples of the front and the back layer, and where the near surface ends.

    Attributes:
        shares: of the two layers.
        rim: [..., H, W] in {0, 1}.
        beyond_px: how far all of it goes on beyond the frame.
    """

    shares: tuple[SlabShares, SlabShares]
    rim: Tensor
    beyond_px: int = 0

    def going_on(self, reach_px: int) -> "_Samples":
        """The same with what goes on beyond the frame."""
        front = self.shares[0].going_on(reach_px, hidden=False)
        back = self.shares[1].going_on(reach_px, hidden=True)
        return _Samples((front, back), with_border_repeated(self.rim, reach_px), reach_px)

    def planes(self, slab: int, area: Area, front: bool, back: bool, has_rim: bool) -> Tensor:
        """Light [C], rim [1] where there is any, and weight [1] of a slab's samples in an area."""
        rows, columns = (slice(part.start + self.beyond_px, part.stop + self.beyond_px) for part in area)
        area = (rows, columns)
        rim = part_of(self.rim, area)
        channels = self.shares[0].color.shape[0]
        planes = rim.new_empty(channels + has_rim + 1, *rim.shape)
        light, total = planes[:channels], planes[-1]
        first, second = self.shares if front else self.shares[::-1]
        torch.mul(part_of(first.color, area), first.weight(slab, area, out=total), out=light)
        if has_rim:
            torch.mul(rim, total, out=planes[channels])
        if front and back:
            weight = second.weight(slab, area)
            light.addcmul_(part_of(second.color, area), weight)
            total += weight
        return planes


def _range_px(layers: Layers) -> tuple[float, float]:
    """Least and greatest radius of any sample."""
    extremes = []
    for layer in (layers.front, layers.back):
        present = layer.weight > 0
        extremes.append(torch.where(present, layer.radius_px, math.inf).amin())
        extremes.append(torch.where(present, -layer.radius_px, math.inf).amin())
    front_low, front_high, back_low, back_high = torch.stack(extremes).tolist()
    return min(front_low, back_low), -min(front_high, back_high)
