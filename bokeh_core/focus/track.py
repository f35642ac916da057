"""Follows a subject through a shot: a cloud of points on it, carried by motion, held together by disparity.

Pyramidal Lucas-Kanade flow takes the points from frame to frame. A point stays where the way back leads to
where it came from and the disparity under it is still the subject's; others are dropped, and the cloud is
filled up from what hangs together with it at that disparity. Where too few stay, in blur or grain, the
subject's shape in the maps says where it went. A subject that is hidden is looked for again where it was last
seen whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .cloud import LEAST_POINTS, RIGID, WINDOW_PX, alike, best_fit, carried_place, carried_points, rigid_share
from .shape import found_shape, shape_at
from .view import Points, View, gated, median_around, values_at, within

DISPARITY_GATE = 0.08
"""How far the disparity under a point may be from the subject's."""

_MOST_POINTS = 80
_APART_PX = 3
# The cloud reaches this far around the place that is followed, in widths of the view.
_REACH = 0.12
# A point sees a window around it; better one without the background, if enough of the subject remains.
_EDGE_PX = 2
_LEAST_INNER = 0.2
# Half the side of what is looked for everywhere, over the side of a square as large as the subject.
_INSIDE = 0.5
_LEAST_PATCH_PX, _MOST_PATCH_PX = 5, 20
# Below this share of points that stay the subject is hidden, or gone.
_LEAST_STAY = 0.15
# Of the points that plain flow keeps: below it the subject may be too fast for it.
_FAST = 0.5
# Whole is a subject of which most points stay, as many as it had before; that number fades, frame by frame.
_WHOLE = 0.75
_FADES = 0.99
# A subject is found again where so many points of when it was last seen whole are, and move as one.
_LEAST_FOUND = 0.4
# How far a subject's shape is looked for, in widths of the view: for each frame since it was seen, and at
# most. What is nearer to another subject than this gate would be taken for it.
_SEARCH, _MOST_SEARCH, _SHAPE_GATE = 0.08, 0.2, 0.04


@dataclass(frozen=True)
class Tracked:
    """Where a subject is in one frame.

    Attributes:
        focal_disparity: of the place that is followed, in [0, 1]; NaN where the subject is lost.
        x: place in the width of the picture, 0 = left edge, 1 = right edge.
        y: place in the height.
        confidence: share of the points of the frame before that stayed, 0 where lost.
    """

    focal_disparity: float
    x: float
    y: float
    confidence: float


class SubjectTracker:
    """Follows what lies at a place from one view of a shot to the next."""

    def __init__(self, view: View, x: float, y: float, radius: float) -> None:
        """Begin in the first view.

        Args:
            view: the first one.
            x, y: place of the subject in the width and height of the picture, 0 to 1.
            radius: of the disk whose disparity is the subject's, in widths of the picture.
        """
        height, width = view.grey.shape
        self._radius_px = max(1.0, radius * width)
        self._place = np.array([x * width - 0.5, y * height - 0.5], np.float32)
        self._view = view
        self._focal = median_around(view.disparity, self._place, self._radius_px)
        self._velocity = np.zeros(2, np.float32)
        self._patch_px = _LEAST_PATCH_PX
        self._points = self._filled_up(np.empty((0, 2), np.float32))
        self._offset = self._focal - self._median_of(view, self._points)
        self._whole, self._whole_count, self._since_whole = self._seen(), float(len(self._points)), 0
        self._lost, self._since_seen = False, 0

    @property
    def here(self) -> Tracked:
        """Where the subject was when it was last seen."""
        return self._tracked(1.0)

    def step(self, view: View) -> Tracked:
        """Follow the subject to the next view."""
        self._since_whole += 1
        self._since_seen += 1
        if self._lost:
            return self._found_again(view)
        moved, stays = self._carried_on(view, None)
        if stays.sum() < _FAST * len(stays):
            # Faster than flow can see; where it was heading, it may.
            headed, better = self._carried_on(view, self._velocity)
            if better.sum() > stays.sum():
                moved, stays = headed, better
        share = float(stays.mean()) if len(stays) else 0.0
        if stays.sum() < LEAST_POINTS or share < _LEAST_STAY:
            return self._found_again(view)
        before = self._place
        self._place = carried_place(self._place, self._points[stays], moved[stays])
        self._velocity = 0.5 * self._velocity + 0.5 * (self._place - before)
        self._arrive(view, moved[stays])
        self._whole_count *= _FADES
        if share >= _WHOLE and len(self._points) >= _WHOLE * self._whole_count:
            self._whole, self._whole_count, self._since_whole = self._seen(), float(len(self._points)), 0
        return self._tracked(share)

    def _arrive(self, view: View, points: Points) -> None:
        """Take in the view that the place and some of the points were carried to."""
        self._view, self._since_seen = view, 0
        at_place = gated(view.disparity, self._place, self._radius_px, self._focal, DISPARITY_GATE)
        of_points = self._median_of(view, points)
        if at_place is not None:
            self._focal = at_place
            self._offset = at_place - of_points
        else:
            self._focal = float(np.clip(of_points + self._offset, 0, 1))
        self._points = self._filled_up(points)

    def _found_again(self, view: View) -> Tracked:
        """Where a subject is whose points are gone, or that it is lost."""
        found = self._look_for(view) or self._by_shape(view)
        self._lost = found is None
        return found or Tracked(float("nan"), *self._fractions(), 0.0)

    def _by_shape(self, view: View) -> Tracked | None:
        """Follow the subject by its shape in the maps since it was last seen."""
        width = view.grey.shape[1]
        reach = max(2, round(_REACH * width))
        search = max(2, round(min(_MOST_SEARCH, _SEARCH * self._since_seen) * width))
        before, after = (shape_at(one, self._focal, _SHAPE_GATE) for one in (self._view, view))
        found = found_shape(before, after, self._place, reach, search)
        if found is None:
            return None
        by, fit = found
        at_place = gated(view.disparity, self._place + by, self._radius_px, self._focal, DISPARITY_GATE)
        if at_place is None:
            return None
        self._velocity = (0.5 * self._velocity + 0.5 * by / self._since_seen).astype(np.float32)
        self._place, self._focal = self._place + by, at_place
        self._view, self._since_seen = view, 0
        self._points = self._filled_up(np.empty((0, 2), np.float32))
        self._offset = self._focal - self._median_of(view, self._points)
        return self._tracked(fit)

    def _look_for(self, view: View) -> Tracked | None:
        """Look for a lost subject where it was last seen whole, and where it was heading."""
        seen = self._whole
        ahead = seen.velocity * self._since_whole
        for guess in (ahead, best_fit(seen.view, view, seen.place, seen.patch_px)):
            moved, stays = carried_points(seen.view, view, seen.points, guess)
            stays &= within(view, moved, seen.focal, 2 * DISPARITY_GATE)
            stays &= alike(seen.view, view, seen.points, moved)
            if stays.sum() < max(LEAST_POINTS, _LEAST_FOUND * len(stays)):
                continue
            if rigid_share(seen.points[stays], moved[stays]) < RIGID:
                continue
            self._place = carried_place(seen.place, seen.points[stays], moved[stays])
            self._focal, self._offset = self._median_of(view, moved[stays]) + seen.offset, seen.offset
            self._velocity = np.zeros(2, np.float32)
            self._arrive(view, moved[stays])
            return self._tracked(float(stays.mean()))
        return None

    def _seen(self) -> _Seen:
        return _Seen(
            self._view,
            self._points,
            self._place,
            self._velocity,
            self._patch_px,
            self._focal,
            self._offset,
        )

    def _carried_on(self, view: View, guess: Points | None) -> tuple[Points, NDArray[np.bool_]]:
        """Where the points lie in the next view, and which of them are still on the subject."""
        moved, stays = carried_points(self._view, view, self._points, guess)
        return moved, stays & within(view, moved, self._focal, DISPARITY_GATE)

    def _median_of(self, view: View, points: Points) -> float:
        if not len(points):
            return self._focal
        return float(np.median(values_at(view.disparity, points)))

    def _filled_up(self, points: Points) -> Points:
        """The cloud with new points between those that stayed."""
        if len(points) > _MOST_POINTS // 2:
            return points
        region = self._region(points)
        self._patch_px = int(np.clip(_INSIDE * np.sqrt(region.sum()), _LEAST_PATCH_PX, _MOST_PATCH_PX))
        for x, y in points:
            cv2.circle(region, (round(float(x)), round(float(y))), _APART_PX, 0, -1)
        room = _MOST_POINTS - len(points)
        corners = cv2.goodFeaturesToTrack(self._view.grey, room, 0.01, _APART_PX, mask=region, blockSize=5)
        found = np.empty((0, 2), np.float32) if corners is None else corners.reshape(-1, 2)
        lacking = _MOST_POINTS // 2 - len(found) - len(points)
        if lacking > 0:
            # A plain surface has few corners; its shading may do.
            rows, columns = np.nonzero(region)
            stride = max(1, len(rows) // lacking)
            spread = np.stack([columns[::stride], rows[::stride]], 1).astype(np.float32)[:lacking]
            found = np.concatenate([found, spread])
        return np.concatenate([points, found])

    def _region(self, points: Points) -> NDArray[np.uint8]:
        """What hangs together with the subject at its disparity, around the place, without its edge."""
        height, width = self._view.grey.shape
        near = np.abs(self._view.disparity.astype(np.float32) - self._focal) < DISPARITY_GATE
        disk = np.zeros((height, width), np.uint8)
        x, y = (round(float(value)) for value in self._place)
        cv2.circle(disk, (x, y), max(2, round(_REACH * width)), 1, -1)
        _, labels = cv2.connectedComponents((near & (disk > 0)).astype(np.uint8), connectivity=4)
        seeds = np.concatenate([points, self._place[None]])
        own = np.unique(values_at(labels, seeds))
        region = np.isin(labels, own[own > 0]).astype(np.uint8)
        for edge_px in (WINDOW_PX // 2, _EDGE_PX):
            inner = cv2.erode(region, np.ones((2 * edge_px + 1, 2 * edge_px + 1), np.uint8))
            if inner.sum() >= _LEAST_INNER * region.sum():
                return inner
        return region

    def _fractions(self) -> tuple[float, float]:
        height, width = self._view.grey.shape
        return float((self._place[0] + 0.5) / width), float((self._place[1] + 0.5) / height)

    def _tracked(self, confidence: float) -> Tracked:
        return Tracked(self._focal, *self._fractions(), confidence)


@dataclass(frozen=True)
class _Seen:
    """A subject as it was when it was last seen whole."""

    view: View
    points: Points
    place: Points
    velocity: Points
    patch_px: int
    focal: float
    offset: float
