"""Disparity of frames that lie between two maps: carried along the motion of the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

from ..motion.cuts import is_cut
from ..motion.flow import Match, flow_of_size, match_frames, small_colours, warped

# What is hidden in both frames that have a map comes from the nearer one.
_LEAST_TRUST = 0.02
_LEAST_WEIGHT = 1e-6


class MapsBetween:
    """Disparity between the maps of a clip, whose frames are read once, in order, and kept small."""

    def __init__(self, frames: Callable[[int], Iterator[Tensor]], start: int) -> None:
        """Begin to read the clip.

        Args:
            frames: given the first frame wanted, yields frames [H, W, C] in [0, 1] from there on.
            start: first frame that will be asked for, or that belongs to a map which is needed for it.
        """
        self._frames = frames(start)
        self._next = start
        self._held: dict[int, Tensor] = {}
        self._cuts: dict[tuple[int, int], bool] = {}

    def carried(self, t: int, places: tuple[float, float], maps: tuple[Tensor, Tensor]) -> Tensor:
        """Disparity of a frame: what moves is where it is at that time, else in proportion of the two maps.

        What is hidden at one of the two maps comes from the other alone, and what is hidden at both from the
        nearer. Across a cut nothing is mixed: the frame has the map of its own shot.

        Args:
            t: number of the frame, not less than in the call before.
            places: when the two maps are seen, in frames from the start of the clip; t lies between them.
            maps: each [H, W] in [0, 1], of the size of the frames.

        Returns:
            [H, W]; in proportion everywhere if a map lies outside of the clip.
        """
        part = (t - places[0]) / (places[1] - places[0])
        first, second = round(places[0]), round(places[1])
        self._let_go(before=min(first, t))
        here, *keys = (self._at(number) for number in (t, first, second))
        if here is None or keys[0] is None or keys[1] is None:
            return torch.lerp(maps[0], maps[1], part)
        matches = [match_frames(here, key) for key in (keys[0], keys[1])]
        moved = [
            _brought(values, match, _time_scale(t, place))
            for values, match, place in zip(maps, matches, places, strict=True)
        ]
        if (first, second) not in self._cuts:
            self._cuts = {(first, second): is_cut(keys[0], keys[1])}
        if self._cuts[first, second]:
            return moved[int(is_cut(keys[0], here))][0]
        (one, trust), (other, other_trust) = moved
        weight, other_weight = (1 - part) * trust, part * other_trust
        mixed = torch.lerp(one, other, other_weight / (weight + other_weight).clamp(min=_LEAST_WEIGHT))
        hidden = torch.maximum(trust, other_trust) < _LEAST_TRUST
        return torch.where(hidden, maps[int(part > 0.5)], mixed)

    def _at(self, number: int) -> Tensor | None:
        """A frame, float32 [h, w, 3] in [0, 1]; None outside of the clip."""
        while self._next <= number:
            frame = next(self._frames, None)
            if frame is None:
                return None
            self._held[self._next] = _small(frame)
            self._next += 1
        held = self._held.get(number)
        return None if held is None else held.float() / 255

    def _let_go(self, before: int) -> None:
        self._held = {number: frame for number, frame in self._held.items() if number >= before}


def _time_scale(t: int, place: float) -> float:
    """The motion up to a map as a multiple of that up to the frame nearest to it."""
    frame = round(place)
    return 1.0 if frame == t else (place - t) / (frame - t)


def _brought(disparity: Tensor, match: Match, scale: float) -> tuple[Tensor, Tensor]:
    """A map where the frame at hand sees it, and how far that is to be trusted; both [H, W]."""
    size = (disparity.shape[0], disparity.shape[1])
    flow_px = flow_of_size(match.flow_px * scale, size)
    trust = functional.interpolate(match.trust[None, None], size, mode="bilinear", align_corners=False)
    return warped(disparity[None], flow_px)[0], trust[0, 0]


def _small(frame: Tensor) -> Tensor:
    """A frame as uint8 [h, w, 3], of the size at which motion is looked for."""
    return small_colours(frame.detach().cpu()).mul(255).round().byte()
