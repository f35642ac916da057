"""Refine Disparity frame by frame: a window of frames in memory, whatever the length of the clip."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...motion.cuts import is_cut
from ...motion.flow import judged_match
from .affine import IDENTITY, Affine
from .banding import smoothed_steps
from .flicker import COURSE_FRAMES, Course, FlickerCourse, IsCut, ShotSpan, both_flows
from .jumps.settling import FrontFrame, Settling, front_frame
from .limbs import faulty_region, restored
from .neighbour import Neighbour
from .outlines import sharpened_outlines
from .report import RefineReport
from .settings import RefineSettings
from .small_frame import SmallFrame, SmallMap, shrunk, small_frame, small_map
from .softness import without_softness
from .subject import with_whole_subject
from .trained.evidence import Witnesses, witnesses_of
from .trained.mend import mended
from .trained.weights import trained_network
from .waves import of_size, wave

# Of disparity: a pixel that changes by less is as it was.
_STEP = 1 / 255

REACH_FRAMES = 3
"""Frames before and after that are compared pixel by pixel."""


@dataclass
class _Held:
    """A frame of the window.

    Attributes:
        disparity: [H, W]; None once it is finished and out of reach.
        given: the map as it came, small.
        frame, small: the frame and that map, small.
        soft: that map before its outlines were made sharp, small.
        outlined: share of its pixels that are outlines made sharp.
        flows: by distance, to the frame that far before in its shot, and back.
        front: what is known of its contours, once a frame close to it is finished.
    """

    disparity: Tensor | None
    given: Tensor
    frame: SmallFrame
    small: SmallMap
    soft: Tensor
    outlined: float
    flows: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    front: FrontFrame | None = None


class DisparityRefiner:
    """Takes frames one by one, and gives refined maps `COURSE_FRAMES` frames later.

    Nothing is taken from beyond a cut, nor from frames that cannot be followed. Maps are on the mean scale
    of those around them, so may leave [0, 1]; `in_span` brings them to the span of their shot.

    Args:
        settings: what to do; None = the default.
        is_cut: see `IsCut`.
    """

    def __init__(self, settings: RefineSettings | None = None, is_cut: IsCut = is_cut) -> None:
        self._settings = settings or RefineSettings()
        self.report = RefineReport(trained=self._settings.asks_network)
        self._course = FlickerCourse(is_cut)
        self._window: deque[_Held] = deque(maxlen=2 * COURSE_FRAMES + 1)

    def add(self, frame: Tensor, disparity: Tensor, subject: Tensor | None = None) -> list[Tensor]:
        """Take the next frame, and return maps [H, W] that are finished.

        Args:
            frame: [H, W, C] in [0, 1].
            disparity: [H, W] in [0, 1], 1 = near.
            subject: mask [H, W] in [0, 1] of what is whole, see `with_whole_subject`.
        """
        result = disparity if subject is None else with_whole_subject(disparity, subject)
        self.report.filled += result is not disparity
        torn = result
        result = smoothed_steps(result) if self._settings.banding else result
        self.report.smoothed += result is not torn
        soft, changed = result, 0.0
        if self._settings.outlines:
            result = sharpened_outlines(without_softness(soft), frame)
            changed = 0.0 if result is soft else (result != soft).float().mean().item()
        if not self._settings.looks_around:
            self.report.count(
                changed=_changed(disparity, result),
                outlined=changed,
                rescaled=False,
                levelled=False,
                settled=False,
                mended=0.0,
                replaced=0.0,
            )
            return [result]
        self._hold(frame, disparity, soft, result, changed)
        return [self._finished()] if self._course.is_ready else []

    def finish(self) -> list[Tensor]:
        """Return the maps that wait for frames that do not come."""
        return [self._finished() for _ in range(self._course.waiting)]

    def spans(self) -> list[ShotSpan]:
        """Of the shots, once all maps are finished; none where nothing is steadied."""
        return self._course.spans() if self._settings.steady else []

    def _hold(self, frame: Tensor, given: Tensor, soft: Tensor, mended: Tensor, outlined: float) -> None:
        small = small_frame(frame)
        # Scale and shift are of the map as it came, whatever else is done to it.
        given_map = small_map(given)
        mended_map = given_map if mended is given else small_map(mended)
        small_soft = mended_map.disparity if mended is soft else small_map(soft).disparity
        held = _Held(mended, given_map.disparity, small, mended_map, small_soft, outlined)
        flows = self._course.add(small, given_map)
        self.report.shots = self._course.shots
        if flows is not None:
            held.flows[1] = flows
            for distance in range(2, min(REACH_FRAMES, len(self._window)) + 1):
                # Its own flows reach as far back as its shot does.
                if distance - 1 not in self._window[-1].flows:
                    break
                held.flows[distance] = both_flows(small, self._window[-distance].frame)
        self._window.append(held)

    def _finished(self) -> Tensor:
        course = self._course.next()
        own = self._window[course.at]
        assert own.disparity is not None
        neighbours = [
            self._neighbour(course.at, place, to_it)
            for place, to_it in course.to_others.items()
            if 0 < abs(place) <= REACH_FRAMES
        ]
        result, small, soft = own.disparity, own.small.disparity, own.soft
        levelled, settled, restored_share, replaced = False, False, 0.0, 0.0
        if neighbours:
            seen = torch.stack([neighbour.seen() for neighbour in neighbours])
            trust = torch.stack([neighbour.match.trust for neighbour in neighbours])
            if self._settings.steady:
                cells = wave(small, own.small.flat, neighbours, seen)
                levelled = bool((cells != 0).any())
            if levelled:
                small, soft = (values + of_size(cells, small.shape) for values in (small, soft))
                result = result + of_size(cells, result.shape)
            if self._settings.limbs:
                region = faulty_region(small, seen, trust)
                restored_share = region.float().mean().item()
                if restored_share > 0:
                    result = restored(result, region, neighbours)
                    small = small_map(result).disparity
            if self._settings.steady:
                result, settled = self._settled(course, result)
                small = small_map(result).disparity if settled else small
            if self._settings.asks_network:
                difference = torch.stack([neighbour.match.difference for neighbour in neighbours])
                witnesses = witnesses_of(small, seen, trust, difference)
                places = [neighbour.place for neighbour in neighbours]
                at_end = min(places) > 0 or max(places) < 0
                result, replaced = _by_network(result, small, soft, own.frame, witnesses, at_end)
        rescaled = self._settings.steady and course.steadied != IDENTITY
        if rescaled:
            result = course.steadied(result)
        self.report.count(
            changed=_changed(own.given, shrunk(result)),
            outlined=own.outlined,
            rescaled=rescaled,
            levelled=levelled,
            settled=settled,
            mended=restored_share,
            replaced=replaced,
        )
        if course.at >= REACH_FRAMES:
            beyond = self._window[course.at - REACH_FRAMES]
            beyond.disparity = beyond.front = None
        return result

    def _settled(self, course: Course, disparity: Tensor) -> tuple[Tensor, bool]:
        """Outlines of the frame where those around have them, if they jump, and whether they do."""
        frames, held = {}, {}
        for place in range(-REACH_FRAMES, REACH_FRAMES + 1):
            if place not in course.to_others:
                continue
            one = held[place] = self._window[course.at + place]
            if one.front is None:
                assert one.disparity is not None
                one.front = front_frame(one.disparity, one.small, one.frame)
            frames[place] = one.front

        def flow(place: int, other: int) -> Tensor:
            return held[place].flows[1][0] if other < place else held[other].flows[1][1]

        settling = Settling(frames, course.to_others, flow)
        if not settling.jumps():
            return disparity, False
        own = disparity.cpu().numpy()
        result = settling.settled(own)
        return (disparity, False) if result is own else (torch.from_numpy(result).to(disparity.device), True)

    def _neighbour(self, at: int, place: int, to_it: Affine) -> Neighbour:
        own, other = self._window[at], self._window[at + place]
        there, back = own.flows[-place] if place < 0 else other.flows[place][::-1]
        match = judged_match(own.frame.colours, other.frame.colours, there, back)
        assert other.disparity is not None
        return Neighbour(place, to_it.inverse(), match, other.small.disparity, other.disparity)


def _by_network(
    disparity: Tensor, small: Tensor, soft: Tensor, frame: SmallFrame, witnesses: Witnesses, at_end: bool
) -> tuple[Tensor, float]:
    """A map mended by the trained network, and the share of its pixels that changed."""
    network = trained_network(disparity.device)
    result = mended(disparity, small, soft, frame.colours, witnesses, network, at_end=at_end)
    return result, 0.0 if result is disparity else (result != disparity).float().mean().item()


def _changed(before: Tensor, after: Tensor) -> float:
    return 0.0 if after is before else ((after - before).abs() > _STEP).float().mean().item()
