"""Outlines that jump from frame to frame are brought to the middle of where the frames around have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ....reference_width import in_frame_px
from ...between_pixels import sampled
from ...extremes import Plane, highest_around, lowest_around
from ..affine import Affine
from .front_motion import FrontMotion
from .front_points import FrontPoints, Numbers

JUMP_PX = 0.45
"""Offsets of contours from frame to frame, in the middle, from which on they jump.

Motion known to a fraction of a px and steps between whole px leave 0.1 to 0.35."""

LEAST_OFFSETS = 24
"""Fewer tell nothing."""

# Of frames 1024 px wide, and 4 px at least: how far off an outline may be.
_REACH_PX = 4.0
_LEAST_STEP = 0.05
# What is farther by this much of the step, and of disparity, is not of what is in front any more.
_FRONT_SHARE, _FRONT = 0.05, 0.01
_HIDDEN_SHARE, _HIDDEN = 0.1, 0.04
_SMOOTH_PX = 1.0
# Frames that know a pixel, the own one included.
_LEAST_SAY = 2.5
_SURELY = 0.75
_THIN = 0.25
_ONE_SIDE = 0.08
_LEAST_CHANGE = 0.02
_LEAST_SLOPE = 0.05
_SAME_SURFACE = 0.08


@dataclass(frozen=True)
class SeenFront:
    """A frame close in time, as what is in front of the contours of a frame moves to it.

    Attributes:
        disparity: its map [H, W].
        from_it: from its disparity to the scale of the frame.
        motion: of the frame's points to it.
    """

    disparity: Plane
    from_it: Affine
    motion: FrontMotion


def settled_outlines(disparity: Plane, points: FrontPoints, others: Sequence[SeenFront]) -> Plane:
    """Bring the outlines of a map to where it and its neighbours in time have them in the mean.

    What is in front of an outline is followed by its own motion, so what is behind may be any. Things so thin
    that a mean of them would vanish, and places that too few frames know, stay as they are.

    Args:
        disparity: [H, W].
        points: of that map.
        others: neighbours in time.

    Returns:
        [H, W]; the very array given where nothing changes.
    """
    reach_px = max(4, round(in_frame_px(_REACH_PX, disparity.shape[1])))
    near, far = highest_around(disparity, reach_px), lowest_around(disparity, reach_px)
    band = near - far > _LEAST_STEP
    y, x = np.nonzero(band)
    if not len(y) or not len(points):
        return disparity
    top, step = near[y, x], (near - far)[y, x]
    own, _ = _share(disparity[y, x], lowest_around(disparity, 1)[y, x], top, step)
    total, say = own.copy(), np.ones_like(own)
    closest, weights = _points_around(points, y, x, top)
    for other in others:
        part, known = _seen(other, points, closest, weights, y, x, top, step)
        total += known * part
        say += known
    shares, says, own_share = (np.zeros_like(disparity) for _ in range(3))
    shares[y, x], says[y, x], own_share[y, x] = total, say, own
    blurred = cv2.GaussianBlur(shares, (0, 0), _SMOOTH_PX) / np.maximum(
        cv2.GaussianBlur(says, (0, 0), _SMOOTH_PX), 1e-6
    )
    mean = np.where(band, blurred, 0.5).astype(np.float32)
    cover = _cover(mean)
    moved = (
        band & (says > _LEAST_SAY) & _is_plain(mean, reach_px) & (np.abs(cover - own_share) > _LEAST_CHANGE)
    )
    in_front, behind = band & (own_share > 1 - _ONE_SIDE), band & (own_share < _ONE_SIDE)
    if not (moved.any() and in_front.any() and behind.any()):
        return disparity
    front, back = _nearest_of(disparity, in_front), _nearest_of(disparity, behind)
    tolerance = 0.2 * (near - far) + 0.02
    front = np.where(np.abs(front - near) < tolerance, front, near)
    back = np.where(back < near - 0.02, back, far)
    return np.where(moved, back + (front - back) * cover, disparity).astype(np.float32)


def _share(values: Plane, lowest: Plane, top: Plane, step: Plane) -> tuple[Plane, NDArray[np.bool_]]:
    """How much of pixels is in front, and which show something nearer than that."""
    front = top - (_FRONT_SHARE * step + _FRONT)
    rise = front - lowest
    part = np.clip((values - lowest) / np.maximum(rise, 1e-3), 0, 1)
    part = np.where(values >= front, 1, np.where(rise <= 1e-3, 0, part))
    return np.asarray(part, np.float32), values > top + _HIDDEN_SHARE * step + _HIDDEN


def _points_around(points: FrontPoints, y: Numbers, x: Numbers, top: Plane) -> tuple[Numbers, Plane]:
    """Points in the cells around pixels of the map, [9, M], and how much each counts."""
    cell_px, scale = points.cell_px, points.px_of_map
    rows, columns = points.y // cell_px, points.x // cell_px
    places = np.full((int(rows.max()) + 3, int(columns.max()) + 3), -1)
    places[rows + 1, columns + 1] = np.arange(len(points))
    at_y, at_x = ((place + 0.5) / scale - 0.5 for place in (y, x))
    row, column = ((place // cell_px).astype(np.int64) + 1 for place in (at_y, at_x))
    found, weights = [], []
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            at = places[
                np.clip(row + down, 0, places.shape[0] - 1), np.clip(column + right, 0, places.shape[1] - 1)
            ]
            apart = np.square(points.y[at] - at_y) + np.square(points.x[at] - at_x)
            same = (at >= 0) & (np.abs(points.near[at] - top) < _SAME_SURFACE)
            found.append(at)
            weights.append(same / np.square(1 + apart / cell_px**2))
    return np.stack(found), np.stack(weights).astype(np.float32)


def _seen(
    other: SeenFront,
    points: FrontPoints,
    closest: Numbers,
    weights: Plane,
    y: Numbers,
    x: Numbers,
    top: Plane,
    step: Plane,
) -> tuple[Plane, Plane]:
    """How much of pixels [M] is in front in another frame, and whether that is known."""
    height, width = other.disparity.shape
    say = weights * other.motion.good[closest]
    total = say.sum(0)
    move = np.einsum("kn,knc->nc", say, other.motion.px[closest]) / np.maximum(total, 1e-9)[:, None]
    at_x, at_y = x + move[:, 0] * points.px_of_map, y + move[:, 1] * points.px_of_map
    values, lowest = (
        other.from_it.scale * sampled(plane, at_y, at_x) + other.from_it.shift
        for plane in (other.disparity, lowest_around(other.disparity, 1))
    )
    part, hidden = _share(values, lowest, top, step)
    inside = (at_x >= 0) & (at_x <= width - 1) & (at_y >= 0) & (at_y <= height - 1)
    return part, (inside & ~hidden & (total > 0)).astype(np.float32)


def _cover(mean: Plane) -> Plane:
    """How much of each pixel is in front where the outline runs along the middle values of a mean."""
    across, down = (cv2.Sobel(mean, cv2.CV_32F, *axes, ksize=3, scale=1 / 8) for axes in ((1, 0), (0, 1)))
    slope = np.maximum(np.hypot(across, down), _LEAST_SLOPE)
    return np.asarray(np.clip(0.5 + (mean - 0.5) / slope, 0, 1))


def _is_plain(mean: Plane, reach_px: int) -> NDArray[np.bool_]:
    """Whether both sides of an outline are near, and nothing thin is."""
    both = (highest_around(mean, reach_px) > _SURELY) & (lowest_around(mean, reach_px) < 1 - _SURELY)
    ridge = mean - highest_around(lowest_around(mean, 1), 1)
    groove = lowest_around(highest_around(mean, 1), 1) - mean
    thin = (np.maximum(ridge, groove) > _THIN).astype(np.uint8)
    return np.asarray(both & (highest_around(thin, 2) == 0))


def _nearest_of(values: Plane, mask: NDArray[np.bool_]) -> Plane:
    """For each pixel the value of the nearest one of a mask, which has some."""
    _, labels = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(int(labels.max()) + 1, np.float32)
    of_label[labels[mask]] = values[mask]
    return np.asarray(of_label[labels])
