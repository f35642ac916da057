"""What is sharp where nobody chose: in each shot the near, large, central, moving thing before a background.

Each map is cut into slices of disparity, and their connected parts are the candidates. A candidate is worth
more the more of the middle of the frame it covers, or of boxes around faces or people where a detector gives
them, the nearer it is, the more of its outline stands before something farther, and the more it moves against
the camera. Over a shot the best path through the candidates is taken, on which each hangs together with the
next: the focus stays with one subject unless another is worth far more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..motion.cuts import CutFinder
from ..motion.flow import GreyFrame, flow_between, grey_frame
from ..motion.map_cuts import MapCutFinder
from .boxes import Box
from .cuts import shots_by_both
from .maps import FrameMaps, checked_stream, require_frames_fit
from .pull import FocusPull
from .smoothing import require_smoothing, smooth_within_pieces

_MOST_LINES = 6
_SIDE_PX = 96
_SLICES = 20
_HALF_SLICE = 0.06
_LEAST_AREA = 0.008
_MOST_CANDIDATES = 8
# Of width and height, the standard deviation of what counts as the middle.
_MIDDLE = 0.25
# The same in a box, over its sides.
_MIDDLE_OF_BOX = 0.3
# Exponents of how much a candidate covers of where it is expected: subjects often stand off the middle of the
# frame, and seldom off their box.
_TRUST_IN_MIDDLE, _TRUST_IN_BOXES = 0.5, 1.0
# Nearer than what lies around it by this much, an outline is that of something before something else.
_BEFORE = 0.04
_RING_PX = 2
# Motion against the camera from one frame to the next, in widths of the frame, that counts in full.
_FULL_MOTION = 0.004
# What a path pays where two candidates do not overlap, for a change of disparity, and at most: it may jump.
_APART_COST, _CHANGE_COST, _CHANGE, _MOST_COST = 1.5, 1.0, 0.1, 3.0


@dataclass(frozen=True)
class Candidate:
    """A part of a frame that may be its subject.

    Attributes:
        disparity: median of it, in [0, 1].
        place: x and y of a pixel of it near its middle, in widths and heights of the frame.
        worth: greater is better.
        mask: bool [h, w], packed into bits.
    """

    disparity: float
    place: tuple[float, float]
    worth: float
    mask: NDArray[np.uint8]


def focus_on_subject(
    disparity: FrameMaps,
    frames: FrameMaps | None = None,
    smoothing_frames: float = 2.0,
    boxes: Sequence[Sequence[Box]] | None = None,
) -> tuple[FocusPull, list[str]]:
    """Focus on what is most likely the subject of each shot.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        frames: [T, h, w, C] in [0, 1], of any size: motion is told from them, and cuts.
        smoothing_frames: standard deviation in frames of the smoothing over time, 0 = off; it stops at cuts.
        boxes: around faces or people in each frame; in a frame without any the middle counts.

    Returns:
        focal disparity of every frame and where it was measured, and a line for each shot.

    Raises:
        ValueError: maps that are no disparity, another number of frames than maps, or negative smoothing.
    """
    maps = checked_stream(disparity)
    num_frames, height, width = maps.shape
    require_smoothing(smoothing_frames)
    require_frames_fit(frames, num_frames)
    map_cuts, picture_cuts = MapCutFinder(), CutFinder()
    found: list[list[Candidate]] = []
    pictures = [None] * num_frames if frames is None else frames
    before: GreyFrame | None = None
    in_frames = [()] * num_frames if boxes is None else boxes
    for frame_map, frame, in_frame in zip(maps, pictures, in_frames, strict=True):
        map_cuts.add(frame_map)
        motion = None
        if frame is not None:
            picture_cuts.add(frame)
            grey = grey_frame(frame)
            motion = None if before is None else motion_against_camera(before, grey)
            before = grey
        found.append(candidates_in(frame_map, motion, in_frame))
    cuts = shots_by_both(map_cuts, [0] if frames is None else picture_cuts.starts())

    chosen: list[Candidate] = []
    lines = []
    for start, stop in zip(cuts, [*cuts[1:], num_frames], strict=True):
        path = best_path(found[start:stop])
        chosen += path
        x, y = path[0].place
        lines.append(
            f"Focus chosen automatically in frames {start} to {stop - 1}: what lies at {int(x * width)}, "
            f"{int(y * height)} px in frame {start}, disparity {path[0].disparity:.2f}."
        )
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"Likewise in {len(lines) - _MOST_LINES} more shots."]
    focal = torch.tensor([one.disparity for one in chosen], dtype=torch.float32)
    size = torch.tensor([width, height])
    points = torch.tensor([one.place for one in chosen]) * size - 0.5
    points = points.clamp(torch.zeros(2), size - 1.0)
    return FocusPull(smooth_within_pieces(focal, smoothing_frames, cuts), points), lines


def candidates_in(
    frame_map: Tensor, motion: Tensor | None = None, boxes: Sequence[Box] = ()
) -> list[Candidate]:
    """Parts of a map [H, W] that may be the subject, best first; at least one.

    Args:
        frame_map: disparity in [0, 1].
        motion: [h, w], see `motion_against_camera`.
        boxes: around faces or people; without any the middle of the frame counts.
    """
    small = _small(frame_map, "nearest-exact")
    moves = np.zeros_like(small) if motion is None else _resized(motion, small.shape)
    middle = _expected_at(small.shape, boxes)
    trust = _TRUST_IN_BOXES if boxes else _TRUST_IN_MIDDLE
    found = []
    for level in (np.arange(_SLICES) + 0.5) / _SLICES:
        part = (np.abs(small - level) <= _HALF_SLICE).astype(np.uint8)
        count, labels, facts, _ = cv2.connectedComponentsWithStats(part, connectivity=4)
        for label in range(1, count):
            if facts[label, cv2.CC_STAT_AREA] >= _LEAST_AREA * small.size:
                found.append(_candidate(labels == label, small, moves, middle, trust))
    if not found:
        found = [_candidate(np.ones(small.shape, bool), small, moves, middle, trust)]
    return sorted(found, key=lambda one: -one.worth)[:_MOST_CANDIDATES]


def _expected_at(size: tuple[int, ...], boxes: Sequence[Box]) -> NDArray[np.float64]:
    """Where a subject is expected, [h, w] with a sum of 1: in the middle of the frame, or in boxes."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    x, y = (columns + 0.5) / width, (rows + 0.5) / height
    expected = np.zeros(size)
    for box in boxes:
        # At least a pixel, which the smallest of boxes would fall between.
        wide, high = max(_MIDDLE_OF_BOX * box.width, 1 / width), max(_MIDDLE_OF_BOX * box.height, 1 / height)
        # Summed over the frame a larger box weighs more, as it is of something nearer.
        expected += box.score * np.exp(-(((x - box.x) / wide) ** 2 + ((y - box.y) / high) ** 2) / 2)
    if not expected.any():
        expected = np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / (2 * _MIDDLE**2))
    return np.asarray(expected / expected.sum())


def _candidate(
    mask: NDArray[np.bool_],
    small: NDArray[np.float32],
    moves: NDArray[np.float32],
    middle: NDArray[np.float64],
    trust: float,
) -> Candidate:
    disparity = float(np.median(small[mask]))
    ring = cv2.dilate(mask.astype(np.uint8), np.ones((2 * _RING_PX + 1,) * 2, np.uint8)).astype(bool) & ~mask
    before = float((small[ring] < disparity - _HALF_SLICE - _BEFORE).mean()) if ring.any() else 0.0
    moving = min(1.0, float(moves[mask].mean()) / _FULL_MOTION)
    covered = float(middle[mask].sum())
    worth = covered**trust * (0.1 + before) * (0.3 + disparity) * (1 + 0.5 * moving)
    return Candidate(disparity, _place_in(mask), worth, np.packbits(mask))


def _place_in(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """The pixel of a mask that lies deepest in it, as fractions of width and height."""
    deep = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(deep)), mask.shape)
    return float((column + 0.5) / mask.shape[1]), float((row + 0.5) / mask.shape[0])


def best_path(found: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """One candidate of each frame of a shot: worth much, and hanging together over time (Viterbi)."""
    costs = np.array([-np.log(max(one.worth, 1e-9)) for one in found[0]])
    came_from = []
    for earlier, later in pairwise(found):
        steps = np.array([[_step_cost(one, other) for one in earlier] for other in later])
        total = costs[None] + steps
        came_from.append(total.argmin(1))
        costs = total.min(1) + np.array([-np.log(max(one.worth, 1e-9)) for one in later])
    index = int(costs.argmin())
    path = [found[-1][index]]
    for back, earlier in zip(reversed(came_from), reversed(found[:-1]), strict=True):
        index = int(back[index])
        path.append(earlier[index])
    return path[::-1]


def _step_cost(first: Candidate, second: Candidate) -> float:
    both = int(np.unpackbits(first.mask & second.mask).sum())
    either = max(1, int(np.unpackbits(first.mask | second.mask).sum()))
    change = abs(first.disparity - second.disparity)
    return min(_MOST_COST, _APART_COST * (1 - both / either) + _CHANGE_COST * change / _CHANGE)


def motion_against_camera(before: GreyFrame, after: GreyFrame) -> Tensor:
    """How far each pixel moved against the camera's own motion, [h, w] in widths of the frame.

    The camera's motion is the affine one that fits most of the frame.
    """
    flow = flow_between(before, after).numpy()
    height, width = flow.shape[1:]
    rows, columns = np.mgrid[0:height:8, 0:width:8]
    from_points = np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float32)
    moved = from_points + flow[:, rows.ravel(), columns.ravel()].T
    matrix = None
    if len(from_points) >= 3:
        matrix, _ = cv2.estimateAffine2D(from_points, moved, ransacReprojThreshold=0.5)
    if matrix is None:
        matrix = np.array([[1.0, 0, 0], [0, 1, 0]])
    y, x = np.mgrid[:height, :width].astype(np.float32)
    by_camera = np.stack([matrix[i, 0] * x + matrix[i, 1] * y + matrix[i, 2] for i in (0, 1)])
    residual = np.linalg.norm(np.stack([x, y]) + flow - by_camera, axis=0)
    return torch.from_numpy((residual / width).astype(np.float32))


def _small(values: Tensor, mode: str) -> NDArray[np.float32]:
    height, width = values.shape
    scale = min(1.0, _SIDE_PX / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return F.interpolate(values[None, None].float(), size, mode=mode)[0, 0].cpu().numpy()


def _resized(values: Tensor, size: tuple[int, ...]) -> NDArray[np.float32]:
    return F.interpolate(values[None, None], size, mode="area")[0, 0].numpy()
