"""Scale and shift that each map of a clip has of its own, and what they are brought to."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ...motion.flow import flow_between, judged_match, warped
from .affine import IDENTITY, Affine, fitted, steady
from .small_frame import SmallFrame, SmallMap, small_frame, small_map

COURSE_FRAMES = 8
"""Frames before and after a frame whose scale and shift tell its own; maps are finished that much later."""

_SAMPLES_SIDE = 128
# Of disparity: less than a step of 8 bits is left alone.
_DEAD = 0.003
# Frames do not compare beyond this mean difference of colours, motion taken out, or below this mean trust.
_OTHER_SHOT = 0.12
_LOST = 0.05
_FEW = 0.002
# Of disparity, mean over a shot: where frames are steadied by less it is waves that move their ends.
_LEAST_FLICKER = 0.015
# A shot that would have to be stretched by more has something else than flicker.
_MOST_STRETCH = 4 / 3

IsCut = Callable[[Tensor, Tensor], bool]
"""Whether a frame [h, w, C] begins another shot than the one before it, which is given first."""


@dataclass(frozen=True)
class Course:
    """What is known of a frame once `COURSE_FRAMES` more have come.

    Attributes:
        at: its place among the frames in memory, 0 = the first of them.
        to_others: by place in time, from its scale to that of each frame of its shot around it.
        steadied: what brings it to the course of those; `IDENTITY` where it follows that.
    """

    at: int
    to_others: dict[int, Affine]
    steadied: Affine


@dataclass(frozen=True)
class ShotSpan:
    """What gives the steadied maps of a shot the nearest and the farthest disparity that the given ones had.

    Steadied maps have the mean scale of the frames around, which leaves out their extremes: what was
    normalised to fill 0 to 1 would not any more, and K would mean less blur.

    Attributes:
        first: frame that the shot begins with.
        back: for every frame of the shot; `IDENTITY` where few frames were steadied, or by little.
    """

    first: int
    back: Affine


@dataclass
class _Place:
    shot: int
    to_before: Affine
    low: float
    high: float


@dataclass
class _Shot:
    first: int
    low: float
    high: float
    steadied_low: float
    steadied_high: float
    frames: int = 0
    steadied_frames: int = 0
    steadied_by: float = 0.0

    def back(self) -> Affine:
        width, steadied = self.high - self.low, self.steadied_high - self.steadied_low
        if 2 * self.steadied_frames <= self.frames or self.steadied_by < _LEAST_FLICKER * self.frames:
            return IDENTITY
        if steadied <= 0:
            return IDENTITY
        scale = width / steadied
        if not 1 / _MOST_STRETCH <= scale <= _MOST_STRETCH:
            return IDENTITY
        back = Affine(scale, self.low - scale * self.steadied_low)
        return back if _changes(back, self.steadied_low, self.steadied_high) else IDENTITY


class FlickerCourse:
    """Takes frames one by one, and tells `COURSE_FRAMES` frames later what brings each to its course.

    Args:
        is_cut: see `IsCut`.
    """

    def __init__(self, is_cut: IsCut) -> None:
        self._is_cut = is_cut
        self._window: deque[_Place] = deque(maxlen=2 * COURSE_FRAMES + 1)
        self._last: tuple[SmallFrame, SmallMap] | None = None
        self._shots: list[_Shot] = []
        self._taken = 0
        self.waiting = 0

    @property
    def shots(self) -> int:
        """How many have begun."""
        return self._window[-1].shot if self._window else 0

    @property
    def is_ready(self) -> bool:
        """Whether `next` need not wait for another frame."""
        return self.waiting > COURSE_FRAMES

    def add(self, frame: SmallFrame, disparity: SmallMap) -> tuple[Tensor, Tensor] | None:
        """Take the next frame.

        Returns:
            Flow to the frame before and back; None where another shot begins.
        """
        found = None if self._last is None else self._follow(*self._last, frame, disparity)
        self._last = frame, disparity
        low, high = _ends(disparity.disparity)
        shot = self.shots + (found is None)
        self._window.append(_Place(shot, IDENTITY if found is None else found[1], low, high))
        if found is None:
            self._shots.append(_Shot(self._taken, low, high, high, low))
        self._taken += 1
        self.waiting += 1
        return None if found is None else found[0]

    def next(self) -> Course:
        """Tell of the next frame, by the frames that have come."""
        at = len(self._window) - self.waiting
        self.waiting -= 1
        own = self._window[at]
        to_others = self._to_others(at)
        steadied = steady(list(to_others.values()), list(to_others), (own.low, own.high))
        if not _changes(steadied, own.low, own.high):
            steadied = IDENTITY
        self._count(own, steadied)
        return Course(at, to_others, steadied)

    def spans(self) -> list[ShotSpan]:
        """Of the shots, once all frames are told of."""
        return [ShotSpan(shot.first, shot.back()) for shot in self._shots]

    def _count(self, own: _Place, steadied: Affine) -> None:
        shot = self._shots[own.shot - 1]
        ends = steadied.of(own.low), steadied.of(own.high)
        shot.low, shot.high = min(shot.low, own.low), max(shot.high, own.high)
        shot.steadied_low = min(shot.steadied_low, *ends)
        shot.steadied_high = max(shot.steadied_high, *ends)
        shot.frames += 1
        shot.steadied_frames += steadied != IDENTITY
        shot.steadied_by += _change(steadied, own.low, own.high)

    def _follow(
        self, before: SmallFrame, map_before: SmallMap, own: SmallFrame, own_map: SmallMap
    ) -> tuple[tuple[Tensor, Tensor], Affine] | None:
        """Measure a frame against the one before it, unless they are of two shots."""
        if self._is_cut(before.colours, own.colours):
            return None
        flows = both_flows(own, before)
        match = judged_match(own.colours, before.colours, *flows)
        if match.difference.mean().item() > _OTHER_SHOT or match.trust.mean().item() < _LOST:
            return None
        seen, flat = warped(torch.stack([map_before.disparity, map_before.flat]), match.flow_px)
        trust = match.trust * own_map.flat * flat
        step = max(1, max(seen.shape) // _SAMPLES_SIDE)
        samples = (values[::step, ::step].flatten() for values in (own_map.disparity, seen, trust))
        return flows, fitted(*samples)

    def _to_others(self, at: int) -> dict[int, Affine]:
        """By place in time, from a frame's scale to that of each frame of its shot in the window."""
        window, shot = self._window, self._window[at].shot
        found = {0: IDENTITY}
        # One frame more is still there than a full window needs, while its first frames come.
        for place in range(at, max(at - COURSE_FRAMES, 0), -1):
            if window[place - 1].shot != shot:
                break
            found[place - 1 - at] = window[place].to_before.after(found[place - at])
        for place in range(at + 1, len(window)):
            if window[place].shot != shot:
                break
            found[place - at] = window[place].to_before.inverse().after(found[place - 1 - at])
        return found


def both_flows(own: SmallFrame, before: SmallFrame) -> tuple[Tensor, Tensor]:
    """Flow from a frame to an earlier one, and back."""
    return flow_between(own.grey, before.grey), flow_between(before.grey, own.grey)


def shot_spans(frames: Iterable[Tensor], maps: Iterable[Tensor], is_cut: IsCut) -> list[ShotSpan]:
    """The spans of a clip's shots by a pass of its own, as `DisparityRefiner.spans` has them afterwards.

    Args:
        frames: [H, W, C] in [0, 1], one by one.
        maps: [H, W] in [0, 1], one a frame.
        is_cut: see `IsCut`.
    """
    course = FlickerCourse(is_cut)
    for frame, disparity in zip(frames, maps, strict=False):
        course.add(small_frame(frame), small_map(disparity))
        if course.is_ready:
            course.next()
    while course.waiting:
        course.next()
    return course.spans()


def in_span(disparity: Tensor, number: int, spans: list[ShotSpan]) -> Tensor:
    """Bring a refined map [H, W], which is that of a frame's number, to the span of its shot; in [0, 1]."""
    place = bisect_right(spans, number, key=lambda span: span.first) - 1
    back = spans[place].back if place >= 0 else IDENTITY
    return (disparity if back == IDENTITY else back(disparity)).clamp(0, 1)


def _ends(disparity: Tensor) -> tuple[float, float]:
    """Farthest and nearest of a map, past what few pixels have."""
    values = disparity.flatten()
    count = len(values)
    ranks = (1 + int(_FEW * (count - 1)), count - int(_FEW * (count - 1)))
    low, high = (values.kthvalue(rank).values.item() for rank in ranks)
    return low, high


def _changes(change: Affine, low: float, high: float) -> bool:
    return _change(change, low, high) > _DEAD


def _change(change: Affine, low: float, high: float) -> float:
    return max(abs(change.of(end) - end) for end in (low, high))
