"""A frame of a clip as the rules of the refinement leave it, which is what the network is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bokeh_core.disparity.refine.affine import fitted
from bokeh_core.disparity.refine.banding import smoothed_steps
from bokeh_core.disparity.refine.limbs import faulty_region, restored
from bokeh_core.disparity.refine.neighbour import Neighbour
from bokeh_core.disparity.refine.outlines import sharpened_outlines
from bokeh_core.disparity.refine.small_frame import SmallMap, small_map
from bokeh_core.disparity.refine.softness import without_softness
from bokeh_core.disparity.refine.trained.evidence import Witnesses, without_witnesses, witnesses_of
from bokeh_core.disparity.refine.waves import of_size, wave
from bokeh_core.motion.flow import Match, warped

_STEP = 3


@dataclass(frozen=True)
class Ruled:
    """What the rules leave of a frame.

    Attributes:
        own: its map [H, W].
        soft: that map before its outlines were made sharp.
        levelled: [H, W], what was added to take slow waves out; the truth on its scale has it too.
        witnesses: of its map.
    """

    own: Tensor
    soft: Tensor
    levelled: Tensor
    witnesses: Witnesses


@dataclass(frozen=True)
class Outlined:
    """A map [H, W] after the rules that look at it and its frame alone.

    Attributes:
        soft: with the outlines that it had.
        own: with sharp ones.
    """

    soft: Tensor
    own: Tensor


def by_single_frame(disparity: Tensor, frame: Tensor) -> Outlined:
    """Apply those rules to a map [H, W] and its frame [H, W, 3]."""
    soft = smoothed_steps(disparity)
    return Outlined(soft, sharpened_outlines(without_softness(soft), frame))


def by_neighbours(maps: Sequence[Outlined], t: int, matches: dict[int, Match]) -> Ruled:
    """Frame t after the rules that look at its neighbours.

    Args:
        maps: a frame each, no larger than motion is looked for.
        t: the frame.
        matches: by place in time, where its pixels lie in its neighbours.
    """
    own, soft = small_map(maps[t].own), maps[t].soft
    levelled = torch.zeros_like(own.disparity)
    if not matches:
        return Ruled(own.disparity, soft, levelled, without_witnesses(own.disparity[None]))
    neighbours = [
        _neighbour(own, small_map(maps[t + place].own), place, match) for place, match in matches.items()
    ]
    seen = torch.stack([neighbour.seen() for neighbour in neighbours])
    trust = torch.stack([neighbour.match.trust for neighbour in neighbours])
    difference = torch.stack([neighbour.match.difference for neighbour in neighbours])
    cells = wave(own.disparity, own.flat, neighbours, seen)
    if bool((cells != 0).any()):
        levelled = of_size(cells, own.disparity.shape)
    result = own.disparity + levelled
    region = faulty_region(result, seen, trust)
    if bool(region.any()):
        result = restored(result, region, neighbours)
    return Ruled(result, soft + levelled, levelled, witnesses_of(result, seen, trust, difference))


def _neighbour(own: SmallMap, other: SmallMap, place: int, match: Match) -> Neighbour:
    there, flat = warped(torch.stack([other.disparity, other.flat]), match.flow_px)
    samples = (
        values[::_STEP, ::_STEP].flatten() for values in (own.disparity, there, match.trust * own.flat * flat)
    )
    return Neighbour(place, fitted(*samples).inverse(), match, other.disparity, other.disparity)
