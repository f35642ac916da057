"""Points along the contours of a map, and what a frame shows of the surfaces in front of them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...extremes import Plane, highest_around, lowest_around

Numbers = NDArray[np.int64]

# Of the frames that motion is looked for in: one point a cell, of the smallest cells that are few enough.
_CELLS_PX = (8, 12, 16, 24, 32, 48, 64, 96)
_LEAST_STEP = 0.1
# Of disparity: what differs by less is of one surface.
_SAME = 0.05
# So far from what is behind, a pixel is surely of what is in front.
_INSIDE_PX = 2
# Windows that motion is told from, by spacing of their samples; first on smooth pictures, for large motion.
_SAMPLES_ACROSS = 9
_SPACINGS_PX = (2.0, 3.0)
_SMOOTH_PICTURE_PX = (0.0, 2.0)
_SMOOTH_CONTOUR_PX = (1.2, 3.0)
_REACH_OF_SHARE_PX = 4
_WINDOW = 0.3
_AROUND = 10
_AROUND_PX = 60.0
_NEARBY_PX = 10.0


@dataclass(frozen=True)
class Sight:
    """What windows around N points show, [N, S] each, and the whole planes [h, w] that they are cut from.

    Attributes:
        picture: grey values in [0, 1].
        share: how much of a pixel is in front, in [0, 1], between the farthest and the nearest around it.
        y, x: where the samples lie.
        in_front: weight of the pixels that are surely in front.
        beside: weight of those beside the contour.
        own_picture, own_share: at the samples.
        picture_slope, share_slope: along x and along y, there.
    """

    picture: Plane
    share: Plane
    y: Plane
    x: Plane
    in_front: Plane
    beside: Plane
    own_picture: Plane
    own_share: Plane
    picture_slope: tuple[Plane, Plane]
    share_slope: tuple[Plane, Plane]


@dataclass(frozen=True)
class FrontPoints:
    """Points on the contours of a map.

    Attributes:
        y, x: [N], px of the small frame.
        near: [N], disparity of what is in front there.
        sights: fine, and coarse.
        around: [N, k], other points that are close and on the same surface.
        ties: [N, k], how much each of them counts, of 1 in all; all 0 where there are none.
        cell_px: side of the cells that have a point each.
        px_of_map: px of the map to one of the small frame.
    """

    y: Numbers
    x: Numbers
    near: Plane
    sights: tuple[Sight, Sight]
    around: Numbers
    ties: Plane
    cell_px: int
    px_of_map: float

    def __len__(self) -> int:
        return len(self.y)


def front_points(disparity: Plane, small: Plane, grey: NDArray[np.uint8], most: int) -> FrontPoints:
    """Find the points of a map.

    Args:
        disparity: [H, W] in [0, 1].
        small: [h, w], the same, of the size of the frame that motion is looked for in.
        grey: that frame, [h, w].
        most: how many points, at most.
    """
    y, x, cell_px = _places(small, most)
    near = highest_around(small, 2)[y, x]
    sights = _sights(disparity, small, grey, y, x, near)
    ties = _ties(y, x, near)
    return FrontPoints(y, x, near, sights, *ties, cell_px, disparity.shape[1] / small.shape[1])


def _share_in_front(disparity: Plane, reach_px: int) -> Plane:
    """How far pixels [h, w] are from the farthest to the nearest around them, in [0, 1]."""
    far = lowest_around(disparity, reach_px)
    rise = highest_around(disparity, reach_px) - far
    return ((disparity - far) / np.maximum(rise, 1e-6)).astype(np.float32)


def _places(small: Plane, most: int) -> tuple[Numbers, Numbers, int]:
    """The steepest pixel of every cell with a step, and how large the cells are."""
    rise = highest_around(small, 1) - lowest_around(small, 1)
    for cell_px in _CELLS_PX:
        rows, columns = (-(-side // cell_px) for side in small.shape)
        padded = np.zeros((rows * cell_px, columns * cell_px), np.float32)
        padded[: small.shape[0], : small.shape[1]] = rise
        cells = padded.reshape(rows, cell_px, columns, cell_px).transpose(0, 2, 1, 3)
        cells = cells.reshape(rows, columns, cell_px**2)
        row, column = np.nonzero(cells.max(-1) > _LEAST_STEP)
        if len(row) <= most:
            break
    row, column = row[:most], column[:most]
    at = cells[row, column].argmax(-1)
    return row * cell_px + at // cell_px, column * cell_px + at % cell_px, cell_px


def _sights(
    disparity: Plane, small: Plane, grey: NDArray[np.uint8], y: Numbers, x: Numbers, near: Plane
) -> tuple[Sight, Sight]:
    height, width = small.shape
    picture = grey.astype(np.float32) / np.float32(255)
    share = _share_in_front(disparity, _REACH_OF_SHARE_PX)
    if share.shape != small.shape:
        share = np.asarray(cv2.resize(share, (width, height), interpolation=cv2.INTER_AREA))
    surely = small - lowest_around(small, _INSIDE_PX) < _SAME
    top = highest_around(small, _REACH_OF_SHARE_PX)
    contour = top - lowest_around(small, _REACH_OF_SHARE_PX) > _SAME
    away = np.arange(_SAMPLES_ACROSS, dtype=np.float32) - _SAMPLES_ACROSS // 2
    down, right = (part.ravel() for part in np.meshgrid(away, away, indexing="ij"))
    window = np.exp(-(down**2 + right**2) / (2 * (_WINDOW * _SAMPLES_ACROSS) ** 2))
    sights = []
    for spacing, picture_px, contour_px in zip(
        _SPACINGS_PX, _SMOOTH_PICTURE_PX, _SMOOTH_CONTOUR_PX, strict=True
    ):
        seen, part = _smooth(picture, picture_px), _smooth(share, contour_px)
        at_y = np.floor(y[:, None] + down * spacing + 0.5).astype(np.int64)
        at_x = np.floor(x[:, None] + right * spacing + 0.5).astype(np.int64)
        inside = (at_y >= 0) & (at_y < height) & (at_x >= 0) & (at_x < width)
        at = at_y.clip(0, height - 1), at_x.clip(0, width - 1)
        weight = inside * window
        alike = np.abs(small[at] - near[:, None]) < _SAME
        beside = contour[at] & (np.abs(top[at] - near[:, None]) < _SAME)
        sights.append(
            Sight(
                picture=seen,
                share=part,
                y=at[0].astype(np.float32),
                x=at[1].astype(np.float32),
                in_front=(weight * (alike & surely[at])).astype(np.float32),
                beside=(weight * beside).astype(np.float32),
                own_picture=seen[at],
                own_share=part[at],
                picture_slope=(_slope(seen, 1, 0)[at], _slope(seen, 0, 1)[at]),
                share_slope=(_slope(part, 1, 0)[at], _slope(part, 0, 1)[at]),
            )
        )
    return sights[0], sights[1]


def _ties(y: Numbers, x: Numbers, near: Plane) -> tuple[Numbers, Plane]:
    count = min(_AROUND, len(y) - 1)
    if count < 1:
        return np.zeros((len(y), 0), np.int64), np.zeros((len(y), 0), np.float32)
    apart = np.square(y[:, None] - y, dtype=np.float32) + np.square(x[:, None] - x, dtype=np.float32)
    apart[np.abs(near[:, None] - near) > _SAME] = np.inf
    np.fill_diagonal(apart, np.inf)
    around = np.argpartition(apart, count - 1, axis=1)[:, :count]
    apart = np.take_along_axis(apart, around, 1)
    ties = np.where(apart < _AROUND_PX**2, 1 / (1 + apart / _NEARBY_PX**2), 0)
    return around, (ties / np.maximum(ties.sum(1, keepdims=True), 1e-9)).astype(np.float32)


def _smooth(values: Plane, deviation_px: float) -> Plane:
    return values if deviation_px == 0 else np.asarray(cv2.GaussianBlur(values, (0, 0), deviation_px))


def _slope(values: Plane, along_x: int, along_y: int) -> Plane:
    return np.asarray(cv2.Sobel(values, cv2.CV_32F, along_x, along_y, ksize=3, scale=1 / 8))
