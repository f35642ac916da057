"""Refine Disparity frame by frame: a window of frames in memory, whatever the length of the clip."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...motion.cuts import is_cut
from ...motion.flow import flow_between, judged_match, warped
from .affine import IDENTITY, Affine, fitted, steady
from .banding import smoothed_steps
from .limbs import faulty_region, restored
from .neighbour import Neighbour
from .outlines import sharpened_outlines
from .report import RefineReport
from .settings import RefineSettings
from .small_frame import SmallFrame, small_frame
from .waves import of_size, wave

COURSE_FRAMES = 8
"""Frames before and after a frame whose scale and shift tell its own; maps are finished that much later."""

# Those among them that are compared pixel by pixel.
_REACH_FRAMES = 3
_SAMPLES_SIDE = 128
# Of disparity: less than a step of 8 bits is left alone.
_DEAD = 0.003
# Frames do not compare beyond this mean difference of colours, motion taken out, or below this mean trust.
_OTHER_SHOT = 0.12
_LOST = 0.05

IsCut = Callable[[Tensor, Tensor], bool]
"""Whether a frame [h, w, C] begins another shot than the one before it, which is given first."""


@dataclass
class _Held:
    """A frame of the window.

    Attributes:
        disparity: [H, W]; None once it is finished and out of reach.
        small: the frame.
        outlined: share of its pixels that are outlines made sharp.
        shot: its number.
        to_before: to the scale of the frame before it.
        flows: by distance, to the frame that far before, and back.
    """

    disparity: Tensor | None
    small: SmallFrame
    outlined: float
    shot: int = 0
    to_before: Affine = IDENTITY
    flows: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)


class DisparityRefiner:
    """Takes frames one by one, and gives refined maps `COURSE_FRAMES` frames later.

    Nothing is taken from beyond a cut, nor from frames that cannot be followed.

    Args:
        settings: what to do; None = the default.
        is_cut: see `IsCut`.
    """

    def __init__(self, settings: RefineSettings | None = None, is_cut: IsCut = is_cut) -> None:
        self.report = RefineReport()
        self._settings = settings or RefineSettings()
        self._is_cut = is_cut
        self._window: deque[_Held] = deque(maxlen=2 * COURSE_FRAMES + 1)
        self._waiting = 0

    def add(self, frame: Tensor, disparity: Tensor) -> list[Tensor]:
        """Take the next frame [H, W, C] and its map [H, W], both in [0, 1]; return finished maps [H, W]."""
        result = smoothed_steps(disparity) if self._settings.banding else disparity
        self.report.smoothed += result is not disparity
        changed = 0.0
        if self._settings.outlines:
            smooth, result = result, sharpened_outlines(result, frame)
            changed = 0.0 if result is smooth else (result != smooth).float().mean().item()
        if not self._settings.looks_around:
            self.report.count(outlined=changed, rescaled=False, levelled=False, mended=0.0)
            return [result]
        self._window.append(self._held(frame, result, changed))
        self._waiting += 1
        return [self._finished()] if self._waiting > COURSE_FRAMES else []

    def finish(self) -> list[Tensor]:
        """Return the maps that wait for frames that do not come."""
        return [self._finished() for _ in range(self._waiting)]

    def _held(self, frame: Tensor, disparity: Tensor, outlined: float) -> _Held:
        held = _Held(disparity, small_frame(frame, disparity), outlined)
        last = self._window[-1] if self._window else None
        follows = last is not None and self._follow(last, held)
        self.report.shots += not follows
        if last is not None:
            held.shot = last.shot + (not follows)
        for distance in range(2, min(_REACH_FRAMES, len(self._window)) + 1):
            before = self._window[-distance]
            if before.shot == held.shot:
                held.flows[distance] = _flows(held.small, before.small)
        return held

    def _follow(self, last: _Held, held: _Held) -> bool:
        """Measure a frame against the one before it, unless they are of two shots."""
        own, before = held.small, last.small
        if self._is_cut(before.colours, own.colours):
            return False
        flows = _flows(own, before)
        match = judged_match(own.colours, before.colours, *flows)
        if match.difference.mean().item() > _OTHER_SHOT or match.trust.mean().item() < _LOST:
            return False
        held.flows[1] = flows
        seen, flat = warped(torch.stack([before.disparity, before.flat]), match.flow_px)
        trust = match.trust * own.flat * flat
        step = max(1, max(seen.shape) // _SAMPLES_SIDE)
        samples = (values[::step, ::step].flatten() for values in (own.disparity, seen, trust))
        held.to_before = fitted(*samples)
        return True

    def _finished(self) -> Tensor:
        at = len(self._window) - self._waiting
        self._waiting -= 1
        own = self._window[at]
        assert own.disparity is not None
        to_others = self._to_others(at)
        neighbours = [
            self._neighbour(at, place, to_it)
            for place, to_it in to_others.items()
            if 0 < abs(place) <= _REACH_FRAMES
        ]
        result, levelled, mended = own.disparity, False, 0.0
        if neighbours:
            seen = torch.stack([neighbour.seen() for neighbour in neighbours])
            small = own.small.disparity
            if self._settings.steady:
                cells = wave(small, own.small.flat, neighbours, seen)
                levelled = bool((cells != 0).any())
            if levelled:
                small = small + of_size(cells, small.shape)
                result = result + of_size(cells, result.shape)
            if self._settings.limbs:
                trust = torch.stack([neighbour.match.trust for neighbour in neighbours])
                region = faulty_region(small, seen, trust)
                mended = region.float().mean().item()
                if mended > 0:
                    result = restored(result, region, neighbours)
        low, high = (value.item() for value in own.disparity.aminmax())
        to = steady(list(to_others.values()), list(to_others), (low, high))
        rescaled = self._settings.steady and max(abs(to.of(end) - end) for end in (low, high)) > _DEAD
        if rescaled:
            result = to(result)
        self.report.count(outlined=own.outlined, rescaled=rescaled, levelled=levelled, mended=mended)
        if at >= _REACH_FRAMES:
            self._window[at - _REACH_FRAMES].disparity = None
        return result if result is own.disparity else result.clamp(0, 1)

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

    def _neighbour(self, at: int, place: int, to_it: Affine) -> Neighbour:
        own, other = self._window[at], self._window[at + place]
        there, back = own.flows[-place] if place < 0 else other.flows[place][::-1]
        match = judged_match(own.small.colours, other.small.colours, there, back)
        assert other.disparity is not None
        return Neighbour(place, to_it.inverse(), match, other.small.disparity, other.disparity)


def _flows(own: SmallFrame, before: SmallFrame) -> tuple[Tensor, Tensor]:
    return flow_between(own.grey, before.grey), flow_between(before.grey, own.grey)
