"""What the network is shown of a frame: its colours, its map, and what its neighbours in time say of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..around import highest, lowest
from ..weighted_median import weighted_median
from .by_colour import told_by_colour

CHANNELS = 14
TOLD_BY_COLOUR = 11
"""The plane of the map as colours tell it, in parts of the range less 0.5."""

# The range of disparity around a pixel, which steps are measured by.
_REACH_PX = 7
_LEAST_RANGE = 0.02
# Beside outlines no motion is sure; there a pixel of the same colour is a hint, which counts this much.
_HINT = 0.05
_SAME_COLOUR = 0.05
_LEAST_WEIGHT = 1e-3
MOST_NEIGHBOURS = 6


@dataclass(frozen=True)
class Witnesses:
    """What the neighbours in time of a map say, each [B, h, w].

    Attributes:
        agreed: the median of what they have, each by the trust in it; the map itself where none is trusted.
        mean: likewise the mean.
        spread: mean distance from the median.
        trust: in [0, 1], 1 = six neighbours that are wholly trusted.
        alike: likewise 1 = six of the same colour.
    """

    agreed: Tensor
    mean: Tensor
    spread: Tensor
    trust: Tensor
    alike: Tensor


def without_witnesses(own: Tensor) -> Witnesses:
    """Those of maps [B, h, w] that have no neighbours."""
    nothing = torch.zeros_like(own)
    return Witnesses(own, own, nothing, nothing, nothing)


def witnesses_of(own: Tensor, seen: Tensor, trust: Tensor, difference: Tensor) -> Witnesses:
    """Gather what the neighbours of a map say.

    Args:
        own: [h, w].
        seen: [N, h, w], their maps as seen from the frame, on its scale.
        trust: [N, h, w] in [0, 1], see `Match`.
        difference: [N, h, w] in [0, 1], see `Match`.

    Returns:
        Of B = 1.
    """
    alike = torch.exp(-(difference / _SAME_COLOUR).square())
    weights = torch.maximum(trust, _HINT * alike)
    total = weights.sum(0)
    known = total > _LEAST_WEIGHT
    agreed = torch.where(known, weighted_median(seen, weights), own)
    weights = weights / total.clamp(min=_LEAST_WEIGHT)
    mean = torch.where(known, (seen * weights).sum(0), own)
    spread = torch.where(known, ((seen - agreed).abs() * weights).sum(0), torch.zeros_like(own))
    sums = ((values.sum(0) / MOST_NEIGHBOURS).clamp(max=1) for values in (trust, alike))
    return Witnesses(*(values[None] for values in (agreed, mean, spread, *sums)))


@dataclass(frozen=True)
class Shown:
    """What the network is shown of frames, and how disparities around a pixel are parts of their range.

    Attributes:
        planes: [B, `CHANNELS`, h, w].
        low: [B, h, w], the lowest disparity around each pixel.
        scale: [B, h, w], > 0, the range around it.
        steps: bool [B, h, w]; elsewhere all that a pixel could get is alike.
    """

    planes: Tensor
    low: Tensor
    scale: Tensor
    steps: Tensor


def shown(colours: Tensor, own: Tensor, soft: Tensor, witnesses: Witnesses) -> Shown:
    """Prepare maps for the network.

    Steps of disparity are shown as parts of the range around each pixel, so that faint outlines look like
    strong ones.

    Args:
        colours: [B, 3, h, w] in [0, 1].
        own: [B, h, w].
        soft: [B, h, w], those maps before their outlines were made sharp: a ramp tells how sure its ends are.
        witnesses: of those maps.
    """
    agreed = witnesses.agreed
    high = highest(torch.maximum(own, agreed), _REACH_PX)
    low = lowest(torch.minimum(own, agreed), _REACH_PX)
    span = high - low
    scale = span.clamp(min=_LEAST_RANGE)
    told = told_by_colour(colours, torch.stack([own, agreed], 1)).unbind(1)
    parts = [own, agreed, witnesses.mean, *told, soft]
    parts = [((values - low) / scale).clamp(-1, 2) - 0.5 for values in parts]
    facts = [
        span.clamp(min=0).sqrt(),
        (witnesses.spread / scale).clamp(max=1),
        witnesses.trust,
        witnesses.alike,
        (own - agreed) / scale,
    ]
    planes = torch.cat([colours - 0.5, torch.stack([*parts[:3], *facts, *parts[3:]], 1)], 1)
    return Shown(planes, low, scale, span > _LEAST_RANGE)
