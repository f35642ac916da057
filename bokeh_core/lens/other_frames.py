"""Frames before and after the one that is rendered: where its background, hidden here, may have been seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from torch import Tensor

from ..motion.cuts import is_cut
from ..motion.flow import flow_between, grey_frame, small_colours
from ..transfer import DISPLAY, as_picture
from .neighbourhood import Extremes

HIDDEN_BACKGROUNDS = ("continue", "other frames")
CONTINUE, OTHER_FRAMES = HIDDEN_BACKGROUNDS
"""Where the background that a blurred foreground lets through comes from."""

DISTANCES = (-2, 2, -4, 4)
"""Of the frames that are looked at, in frames: near enough to be followed, far enough to have moved."""

REACH_FRAMES = max(DISTANCES)

# Frames in work at a time look at few others; what is kept of them does not grow with the clip.
_FRAMES_KEPT, _PAIRS_KEPT = 64, 256


@dataclass(frozen=True)
class OtherFrame:
    """A frame close in time.

    Attributes:
        values: [H, W, C], its numbers.
        disparity: [H, W] greatest and least within a few px, near = 1.
        small: [h, w, 3] display values, no longer than `motion.flow.FLOW_SIDE_PX`.
        there: [2, h, w], flow of the frame that is rendered to this one, px of the small frames.
        back: likewise, from this one.
        distance: frames between the two, 1 or more.
    """

    values: Tensor
    disparity: Extremes
    small: Tensor
    there: Tensor
    back: Tensor
    distance: int


class OtherFrames:
    """The frames of a clip, or of a stretch of it, and how things move between them.

    Only frames of the same shot serve. What is found out about frames and pairs of them is kept while frames
    close by are rendered, by several workers at a time too.
    """

    def __init__(self, frames: Tensor, disparity: Tensor, *, first: int = 0, transfer: str = DISPLAY) -> None:
        """A stretch of a clip.

        Args:
            frames: [N, H, W, C] numbers.
            disparity: [N, H, W] or [1, H, W] in [0, 1], 1 = near.
            first: which of them is the first that is rendered.
            transfer: how the numbers mean light.
        """
        self._frames, self._first = frames, first
        maps = disparity.expand(len(frames), *disparity.shape[1:])

        def small(t: int) -> Tensor:
            return small_colours(as_picture(frames[t + first], transfer))

        def extremes(t: int, margin_px: int) -> Extremes:
            return Extremes.of(maps[t + first], margin_px)

        kept = lru_cache(_FRAMES_KEPT)(small)

        def flow(t: int, other: int) -> Tensor:
            return flow_between(grey_frame(kept(t)), grey_frame(kept(other)))

        def cut_before(t: int) -> bool:
            return is_cut(kept(t - 1), kept(t))

        # None of them holds this object, so that the frames go with it and wait for no collector.
        self._small, self._extremes = kept, lru_cache(_FRAMES_KEPT)(extremes)
        self._flow, self._cut_before = lru_cache(_PAIRS_KEPT)(flow), lru_cache(_PAIRS_KEPT)(cut_before)

    def around(self, t: int, margin_px: int) -> list[OtherFrame]:
        """The frames that may have seen what number `t` of those rendered hides.

        Args:
            t: 0 is the first that is rendered.
            margin_px: how far contours of the maps may be off.
        """
        return [
            OtherFrame(
                self._frames[other + self._first],
                self._extremes(other, margin_px),
                self.small(other),
                self._flow(t, other),
                self._flow(other, t),
                abs(other - t),
            )
            for other in (t + distance for distance in DISTANCES)
            if 0 <= other + self._first < len(self._frames) and self._in_one_shot(t, other)
        ]

    def small(self, t: int) -> Tensor:
        """Frame number `t` of those rendered, small: [h, w, 3] display values."""
        return self._small(t)

    def _in_one_shot(self, t: int, other: int) -> bool:
        return not any(self._cut_before(later) for later in range(min(t, other) + 1, max(t, other) + 1))
