"""Motion of what is in front of contours, from its own pixels alone, to a fraction of a px."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...between_pixels import sampled
from ...extremes import Plane
from .front_points import FrontPoints, Sight

# Standard deviations that differences of pictures and of shares in front are weighed by.
_PICTURE_NOISE, _SHARE_NOISE = 0.01, 0.1
_PICTURE_OUTLIER, _SHARE_OUTLIER = 0.05, 0.3
# Contours jump, so they count for little beside the picture; far off they lead it on the way.
_SAY_OF_SHARE = (0.01, 0.3)
_SAY = 0.05
_TIE = 1.0
_ROUNDS_OF_TIES = 25
_LONGEST_STEP_PX = 3.0
# Of points that are matched: how they end from where they began, and how unlike they are.
_ROUND_TRIP_PX = 0.5
_OFF_THE_WAY_PX = 1.5
_UNLIKE = 0.06
_SAME = 0.08
_OTHER_SURFACE = 1e6
# Of shares a px: what rises by less is hardly a contour.
_LEAST_SLOPE = 0.05


@dataclass(frozen=True)
class FrontMotion:
    """How points move to another frame.

    Attributes:
        px: [N, 2], x then y, of the small frame.
        good: bool [N], whether that is to be believed.
    """

    px: Plane
    good: NDArray[np.bool_]


def motion_beside(points: FrontPoints, others: FrontPoints, flow_px: Plane) -> FrontMotion:
    """Motion to the frame before or after.

    Args:
        points: of the frame.
        others: of the other one.
        flow_px: [2, h, w], the dense flow from the frame to the other, where to begin.
    """
    if not len(points):
        return FrontMotion(np.zeros((0, 2), np.float32), np.zeros(0, np.bool_))
    sight = points.sights[0]
    at = sight.y.astype(np.int64), sight.x.astype(np.int64)
    total = sight.in_front.sum(1)
    begin = np.stack([(sight.in_front * flow_px[i][at]).sum(1) for i in (0, 1)], -1)
    begin = _agreed(points, begin / np.maximum(total, 1e-9)[:, None], np.sqrt(total))
    return _refined(points, others, begin, (3, 2))


def motion_beyond(
    points: FrontPoints,
    near_there: Plane,
    first: FrontMotion,
    middle: FrontPoints,
    second: FrontMotion,
    others: FrontPoints,
) -> FrontMotion:
    """Motion to a frame farther off, which one in between leads to.

    Args:
        points: of the frame.
        near_there: [N], their disparity on the scale of the frame in between.
        first: to the frame in between.
        middle: the points of that.
        second: from there to the other frame.
        others: the points of that.
    """
    if not len(points) or not len(middle):
        return FrontMotion(first.px, np.zeros(len(points), np.bool_))
    at, known = _closest(points, first.px, near_there, middle)
    begin = first.px + second.px[at]
    found = _refined(points, others, begin, (0, 2))
    on_the_way = np.hypot(*(found.px - begin).T) < _OFF_THE_WAY_PX
    return FrontMotion(found.px, found.good & first.good & second.good[at] & known & on_the_way)


def returning(
    points: FrontPoints, there: FrontMotion, near_there: Plane, others: FrontPoints, back: FrontMotion
) -> FrontMotion:
    """A motion of which only what comes back to where it began is good; arguments as in `motion_beyond`."""
    if not len(points) or not len(others):
        return FrontMotion(there.px, np.zeros(len(points), np.bool_))
    at, known = _closest(points, there.px, near_there, others)
    ends_px = np.hypot(*(there.px + back.px[at]).T)
    return FrontMotion(there.px, there.good & known & (ends_px < _ROUND_TRIP_PX))


def offsets_px(points: FrontPoints, others: FrontPoints, motion: FrontMotion) -> Plane:
    """How far the contour lies from where the other frame has it, carried along a motion; px of the map, [M].

    Of good points alone.
    """
    own, other = points.sights[0], others.sights[0]
    y, x = points.y[motion.good], points.x[motion.good]
    move = motion.px[motion.good]
    if not len(y):
        return np.zeros(0, np.float32)
    seen = sampled(other.share, y + move[:, 1], x + move[:, 0])
    centre = own.own_share.shape[1] // 2
    slope = np.hypot(*(part[motion.good, centre] for part in own.share_slope))
    return np.asarray(
        (seen - own.share[y, x]) / np.maximum(slope, _LEAST_SLOPE) * points.px_of_map, np.float32
    )


def _refined(points: FrontPoints, others: FrontPoints, begin: Plane, rounds: tuple[int, int]) -> FrontMotion:
    """Lucas and Kanade (1981) at every point, tied to those around it as Horn and Schunck's flow is."""
    move = begin.astype(np.float32)
    unlike = np.zeros(len(points), np.float32)
    for level in (1, 0):
        own, other = points.sights[level], others.sights[level]
        for _ in range(rounds[1 - level]):
            move, unlike = _round(points, own, other, move, _SAY_OF_SHARE[level])
    known = points.sights[0].in_front.sum(1) > 1
    return FrontMotion(move, known & (unlike < _UNLIKE))


def _round(
    points: FrontPoints, own: Sight, other: Sight, move: Plane, say_of_share: float
) -> tuple[Plane, Plane]:
    x, y = own.x + move[:, :1], own.y + move[:, 1:]
    amount = np.maximum(own.in_front.sum(1), 1e-9)
    picture = sampled(other.picture, y, x) - own.own_picture
    # Light may change.
    picture -= ((own.in_front * picture).sum(1) / amount)[:, None]
    share = sampled(other.share, y, x) - own.own_share
    picture_weight = own.in_front / (1 + np.square(picture / _PICTURE_OUTLIER)) * (_SAY / _PICTURE_NOISE**2)
    share_weight = own.beside / (1 + np.square(share / _SHARE_OUTLIER))
    share_weight *= say_of_share * _SAY / _SHARE_NOISE**2
    terms = (
        (picture_weight, picture, *own.picture_slope),
        (share_weight, share, *own.share_slope),
    )
    xx, xy, yy, right, down = (
        sum(np.einsum("ns,ns,ns->n", weight, first, second) for weight, first, second in parts)
        for parts in (
            [(w, sx, sx) for w, _, sx, _ in terms],
            [(w, sx, sy) for w, _, sx, sy in terms],
            [(w, sy, sy) for w, _, _, sy in terms],
            [(-w, d, sx) for w, d, sx, _ in terms],
            [(-w, d, sy) for w, d, _, sy in terms],
        )
    )
    right = right + xx * move[:, 0] + xy * move[:, 1]
    down = down + xy * move[:, 0] + yy * move[:, 1]
    determinant = (xx + _TIE) * (yy + _TIE) - xy * xy
    found = move
    lone = points.ties.sum(1) == 0
    for _ in range(_ROUNDS_OF_TIES):
        around = np.einsum("nk,nkc->nc", points.ties, found[points.around])
        around[lone] = move[lone]
        to_x, to_y = right + _TIE * around[:, 0], down + _TIE * around[:, 1]
        found = np.stack(
            [((yy + _TIE) * to_x - xy * to_y) / determinant, ((xx + _TIE) * to_y - xy * to_x) / determinant],
            -1,
        ).astype(np.float32)
    step = found - move
    length = np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    unlike = np.sqrt((own.in_front * np.minimum(np.square(picture), 0.01)).sum(1) / amount)
    return move + step * np.minimum(1, _LONGEST_STEP_PX / length), unlike


def _agreed(points: FrontPoints, moves: Plane, weights: Plane) -> Plane:
    """The median of each point's motion and of those around it."""
    count = len(points)
    at = np.concatenate([np.arange(count)[:, None], points.around], 1)
    say = np.concatenate([np.ones((count, 1), np.float32), points.ties], 1) * (weights[at] + 1e-6)
    result = np.empty_like(moves)
    for i in (0, 1):
        values = moves[at, i]
        order = values.argsort(1)
        reached = np.take_along_axis(say, order, 1).cumsum(1)
        middle = (reached < reached[:, -1:] / 2).sum(1).clip(max=at.shape[1] - 1)
        result[:, i] = np.take_along_axis(values, np.take_along_axis(order, middle[:, None], 1), 1)[:, 0]
    return result


def _closest(
    points: FrontPoints, move: Plane, near_there: Plane, others: FrontPoints
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each point that has moved, the closest one of the same surface in the other frame."""
    y, x = points.y + move[:, 1], points.x + move[:, 0]
    apart = np.square(y[:, None] - others.y) + np.square(x[:, None] - others.x)
    apart += _OTHER_SURFACE * (np.abs(near_there[:, None] - others.near) > _SAME)
    at = apart.argmin(1)
    return at, apart[np.arange(len(points)), at] < _OTHER_SURFACE
