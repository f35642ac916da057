"""A cloud of points and what surrounds it, carried from one view to another by their pictures."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .view import Points, View

LEAST_POINTS = 4
"""Fewer say nothing of how a subject moves."""
WINDOW_PX = 15
"""Side of what a point sees around it."""
RIGID = 0.6
"""A cloud moves as one where at least this share of its points agrees on how."""

_LEVELS = 3
_ROUND_TRIP_PX = 1.0
_LEAST_LIKENESS = 0.7


def carried_points(
    first: View, second: View, points: Points, guess: Points | None = None
) -> tuple[Points, NDArray[np.bool_]]:
    """Where points of one view lie in another, and which of them come back by the way back."""
    if not len(points):
        return points, np.zeros(0, bool)
    # Coarse levels see the background around, which is another one where a subject is looked for.
    levels = _LEVELS if guess is None else 0
    how: Any = {"winSize": (WINDOW_PX, WINDOW_PX), "maxLevel": levels}
    start = None if guess is None else points + guess
    flags = 0 if guess is None else cv2.OPTFLOW_USE_INITIAL_FLOW
    there, found, _ = cv2.calcOpticalFlowPyrLK(first.grey, second.grey, points, start, flags=flags, **how)
    start = None if guess is None else there - guess
    back, returned, _ = cv2.calcOpticalFlowPyrLK(second.grey, first.grey, there, start, flags=flags, **how)
    height, width = second.grey.shape
    x, y = there.T
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    returns = np.linalg.norm(points - back, axis=1) < _ROUND_TRIP_PX
    return there, inside & returns & (found[:, 0] > 0) & (returned[:, 0] > 0)


def best_fit(first: View, second: View, place: Points, patch_px: int) -> Points:
    """By how much what surrounds a place has to be moved to look most like some place of another view."""
    height, width = first.grey.shape
    x, y = (
        int(np.clip(round(float(value)), 0, side - 1))
        for value, side in zip(place, (width, height), strict=True)
    )
    top, left = max(0, y - patch_px), max(0, x - patch_px)
    patch = first.grey[top : y + patch_px + 1, left : x + patch_px + 1]
    likeness = cv2.matchTemplate(second.grey, patch, cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(int(np.argmax(likeness)), likeness.shape)
    return np.array([column - left, row - top], np.float32)


def carried_place(place: Points, points: Points, moved: Points) -> Points:
    """A place [2] as the points around it move: turned and scaled with them where they move as one."""
    if len(points) >= 2 * LEAST_POINTS:
        matrix, inliers = cv2.estimateAffinePartial2D(points, moved, ransacReprojThreshold=2.0)
        if matrix is not None and inliers.mean() >= RIGID:
            return (matrix[:, :2] @ place + matrix[:, 2]).astype(np.float32)
    return (place + np.median(moved - points, 0)).astype(np.float32)


def rigid_share(points: Points, moved: Points) -> float:
    """Share of points that are turned, scaled and moved alike."""
    matrix, inliers = cv2.estimateAffinePartial2D(points, moved, ransacReprojThreshold=2.0)
    return 0.0 if matrix is None else float(inliers.mean())


def alike(first: View, second: View, points: Points, moved: Points) -> NDArray[np.bool_]:
    """Whether the surroundings of points look alike in two views, whatever became of the light."""
    size = (WINDOW_PX, WINDOW_PX)
    likeness = []
    for one, other in zip(points, moved, strict=True):
        patches = [
            cv2.getRectSubPix(view.grey, size, (float(at[0]), float(at[1]))).astype(np.float32)
            for view, at in ((first, one), (second, other))
        ]
        likeness.append(float(cv2.matchTemplate(patches[0], patches[1], cv2.TM_CCOEFF_NORMED)[0, 0]))
    return np.array(likeness) > _LEAST_LIKENESS
