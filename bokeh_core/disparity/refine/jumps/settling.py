"""Whether the outlines around a frame jump, and what becomes of its own then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from ...extremes import Plane
from ..affine import Affine
from ..small_frame import SmallFrame, SmallMap
from .front_motion import FrontMotion, motion_beside, motion_beyond, offsets_px, returning
from .front_points import FrontPoints, front_points
from .settled import JUMP_PX, LEAST_OFFSETS, SeenFront, settled_outlines

_MOST_POINTS = 200

Flow = Callable[[int, int], Tensor]
"""The dense flow [2, h, w] from one place in time to the one before or after it."""


@dataclass
class FrontFrame:
    """A frame whose contours are followed.

    Attributes:
        disparity: [H, W].
        points: of its contours.
        motions: of them, to the frame before (-1) and to the one after (1).
        offsets: how far the contours of those frames are from its own then, px of the map.
    """

    disparity: Plane
    points: FrontPoints
    motions: dict[int, FrontMotion] = field(default_factory=dict)
    offsets: dict[int, Plane] = field(default_factory=dict)


def front_frame(disparity: Tensor, small: SmallMap, frame: SmallFrame) -> FrontFrame:
    """Find the contours of a map [H, W]. Computed on the CPU."""
    own = disparity.float().cpu().numpy()
    points = front_points(own, small.disparity.float().cpu().numpy(), frame.grey.values, _MOST_POINTS)
    return FrontFrame(own, points)


class Settling:
    """The frames around one that is refined.

    Args:
        frames: by place in time without a gap, 0 = the frame itself.
        to_others: from its scale to that of each of them.
        flow: see `Flow`.
    """

    def __init__(self, frames: Mapping[int, FrontFrame], to_others: Mapping[int, Affine], flow: Flow) -> None:
        self._frames = frames
        self._to_others = to_others
        for place in range(min(frames), max(frames)):
            self._follow(place, place + 1, flow)

    def jumps(self) -> bool:
        """Whether outlines jump here: from each frame to the next, once their own motion is taken out."""
        found = [
            frame.offsets[way]
            for place, frame in self._frames.items()
            for way in (-1, 1)
            if place + way in self._frames
        ]
        offsets = np.concatenate(found) if found else np.zeros(0, np.float32)
        return len(offsets) >= LEAST_OFFSETS and float(np.median(np.abs(offsets))) > JUMP_PX

    def settled(self, disparity: Plane) -> Plane:
        """`settled_outlines` of the frame, whose map [H, W] may have been mended since."""
        own = self._frames[0]
        others = []
        for way in (-1, 1):
            motion = own.motions.get(way)
            for place in range(way, 4 * way, way):
                if place not in self._frames:
                    break
                if place != way:
                    motion = self._beyond(place, motion)
                assert motion is not None
                from_it = self._to_others[place].inverse()
                others.append(SeenFront(self._frames[place].disparity, from_it, motion))
        return settled_outlines(disparity, own.points, others)

    def _beyond(self, place: int, first: FrontMotion | None) -> FrontMotion:
        way = 1 if place > 0 else -1
        middle = self._frames[place - way]
        assert first is not None
        near = self._near(0, place - way)
        others = self._frames[place].points
        return motion_beyond(self._frames[0].points, near, first, middle.points, middle.motions[way], others)

    def _follow(self, place: int, after: int, flow: Flow) -> None:
        own, other = self._frames[place], self._frames[after]
        if 1 in own.motions:
            return
        there = motion_beside(own.points, other.points, flow(place, after).numpy())
        back = motion_beside(other.points, own.points, flow(after, place).numpy())
        own.motions[1] = returning(own.points, there, self._near(place, after), other.points, back)
        other.motions[-1] = returning(other.points, back, self._near(after, place), own.points, there)
        own.offsets[1] = offsets_px(own.points, other.points, own.motions[1])
        other.offsets[-1] = offsets_px(other.points, own.points, other.motions[-1])

    def _near(self, place: int, there: int) -> Plane:
        """Disparity in front of the points of a place, on the scale of another one."""
        change = self._to_others[there].after(self._to_others[place].inverse())
        return np.asarray(self._frames[place].points.near * change.scale + change.shift, np.float32)
