"""Blur each slab with the lens and stack the slabs from near to far, with occlusion."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .layers import Layers
from .slabs import SlabShares, share_between_slabs, slab_radii_px

# A slab counts as a surface of its own where it covers this much of a pixel ...
_PRESENT = 0.02
# ... and lies this far in radius behind the last one that does, in px or as a share of the radius, whichever
# is more (the ladder's steps grow with the radius). Closer slabs belong to one surface.
_SURFACE_GAP_PX, _SURFACE_GAP_SHARE = 2.0, 0.25
# Slabs closer than this share the same samples; what comes later in the same surface only fills its rim.
_NEIGHBOUR_GAP_PX, _NEIGHBOUR_GAP_SHARE = 1.0, 0.15
_TINY = 1e-6

Spread = Callable[[Tensor, float, tuple[slice, slice]], Tensor]
"""(planes [C, h, w], signed radius in px, their area in the frame) -> the planes blurred by the lens."""


def composite(layers: Layers, spread: Spread, reach_px: Callable[[float], int]) -> Tensor:
    """Render the layers of one frame.

    Within a surface slabs add up and saturate at full coverage; a surface behind another one is seen through
    what the nearer one leaves uncovered. The farthest surface fills what is left, so weights add up to 1.

    Args:
        layers: the frame taken apart.
        spread: blurs planes with the lens kernel of a radius.
        reach_px: how far that kernel reaches for a radius.

    Returns:
        [C, H, W] linear light.
    """
    shares, radii_px = _share(layers)
    canvas = _Canvas.empty(layers.front.color)
    for slab in reversed(range(len(radii_px))):
        area = _area(shares, slab, reach_px(radii_px[slab]))
        if area is None:
            continue
        planes = _planes(layers, shares, slab, area)
        canvas.add(spread(planes, radii_px[slab], area), radii_px[slab], area)
    return canvas.finish()


def _share(layers: Layers) -> tuple[list[SlabShares], list[float]]:
    used = [layer for layer in (layers.front, layers.back) if bool((layer.weight > 0).any())]
    radii = torch.cat([layer.radius_px[layer.weight > 0] for layer in used])
    radii_px = slab_radii_px(float(radii.min()), float(radii.max()))
    return [share_between_slabs(layer, radii_px) for layer in used], radii_px


def _area(shares: list[SlabShares], slab: int, reach_px: int) -> tuple[slice, slice] | None:
    """The part of the frame that light of one slab reaches."""
    spans = []
    for present in (
        torch.stack([share.rows[slab] for share in shares]).any(0),
        torch.stack([share.columns[slab] for share in shares]).any(0),
    ):
        where = present.nonzero()
        if len(where) == 0:
            return None
        spans.append(
            slice(max(int(where[0]) - reach_px, 0), min(int(where[-1]) + reach_px + 1, len(present)))
        )
    return spans[0], spans[1]


def _planes(layers: Layers, shares: list[SlabShares], slab: int, area: tuple[slice, slice]) -> Tensor:
    """Light [C], weight [1] and rim [1] of the samples of one slab."""
    weights = [share.weight(slab, area) for share in shares]
    whole = (slice(None), *area)
    light = sum(share.layer.color[whole] * weight for share, weight in zip(shares, weights, strict=True))
    rim = layers.rim[area] * weights[0]
    return torch.cat([torch.as_tensor(light), sum(weights)[None], rim[None]])  # type: ignore[index]


@dataclass
class _Canvas:
    """What has been painted so far, nearest first.

    Attributes:
        light: [C, H, W] of the finished surfaces.
        transmittance: [H, W], what they let through.
        surface_light: [C, H, W], coverage, rim: [H, W], of the surface being painted.
        last_radius_px: [H, W], of the last slab that belongs to it.
    """

    light: Tensor
    transmittance: Tensor
    surface_light: Tensor
    coverage: Tensor
    rim: Tensor
    last_radius_px: Tensor

    @classmethod
    def empty(cls, like: Tensor) -> "_Canvas":
        """A canvas for frames like the given [C, H, W] one."""
        flat = torch.zeros_like(like[0])
        return cls(
            light=torch.zeros_like(like),
            transmittance=torch.ones_like(flat),
            surface_light=torch.zeros_like(like),
            coverage=flat,
            rim=flat.clone(),
            last_radius_px=torch.full_like(flat, math.inf),
        )

    def add(self, planes: Tensor, radius_px: float, area: tuple[slice, slice]) -> None:
        """Paint one blurred slab behind everything painted before."""
        whole = (slice(None), *area)
        weight = planes[-2].clamp(min=0)
        present = weight > _PRESENT
        last_radius_px = self.last_radius_px[area]
        gap_px = last_radius_px - radius_px  # infinite where nothing was painted yet
        started = gap_px.isfinite()
        closes = present & started & (gap_px > max(_SURFACE_GAP_PX, _SURFACE_GAP_SHARE * abs(radius_px)))
        detached = started & (gap_px > max(_NEIGHBOUR_GAP_PX, _NEIGHBOUR_GAP_SHARE * abs(radius_px)))

        coverage, rim, surface_light = self.coverage[area], self.rim[area], self.surface_light[whole]
        through = _let_through(coverage, rim, last_radius_px)
        finished = closes * self.transmittance[area] * (1 - through) / coverage.clamp(min=_TINY)
        self.light[whole] += finished * surface_light
        self.transmittance[area] *= torch.where(closes, through, 1.0)
        room = torch.where(closes, 1.0, torch.where(detached, through, (1 - coverage).clamp(min=0)))
        keeps = (~closes).to(weight)

        added = torch.minimum(weight, room)
        fraction = added / weight.clamp(min=_TINY)
        self.surface_light[whole] = keeps * surface_light + fraction * planes[:-2]
        self.coverage[area] = keeps * coverage + added
        self.rim[area] = keeps * rim + fraction * planes[-1]
        # A detached slab is not part of the surface: those behind it are measured from the surface itself.
        self.last_radius_px[area] = torch.where(present & (closes | ~detached), radius_px, last_radius_px)

    def finish(self) -> Tensor:
        """Light of the frame: behind the last surface there is nothing, so it fills what is left."""
        return self.light + self.transmittance * self.surface_light / self.coverage.clamp(min=_TINY)


def _let_through(coverage: Tensor, rim: Tensor, radius_px: Tensor) -> Tensor:
    """What a finished surface leaves uncovered, gaps inside it excepted.

    Where the radius varies within a surface its slabs do not add up to full coverage. Such gaps lie farther
    from the surface's rim than its blur reaches: none of the rim's light arrives, and they count as covered.
    At a distance a from a straight rim 1 px wide, the rim's light has weight 2 sqrt(1 - (a/r)^2) / (pi r).
    """
    rim_seen = (rim * math.pi * radius_px.abs().clamp(min=1, max=1e6)).clamp(0, 1)
    inside = ((coverage - 0.5) / 0.25).clamp(0, 1)
    return (1 - coverage).clamp(min=0) * (1 - (1 - rim_seen) * inside)
