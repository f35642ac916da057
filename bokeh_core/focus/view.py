"""Frames and maps as the tracker of subjects sees them, and what the maps say at places of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Points = NDArray[np.float32]
"""[N, 2], (x, y) in px of a view, 0 = the centre of the first pixel."""

VIEW_SIDE_PX = 512
"""Longer side, at most, of the frames that are tracked in."""


@dataclass(frozen=True)
class View:
    """A frame as the tracker sees it.

    Attributes:
        grey: uint8 [h, w], at most `VIEW_SIDE_PX` a side.
        disparity: float16 [h, w] in [0, 1], 1 = near.
    """

    grey: NDArray[np.uint8]
    disparity: NDArray[np.float16]


def view_of(frame: Tensor, disparity: Tensor) -> View:
    """Make a frame [H, W, C] in [0, 1] and its map [h, w], of any size, ready for a `SubjectTracker`."""
    height, width = frame.shape[:2]
    scale = min(1.0, VIEW_SIDE_PX / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    grey = F.interpolate(frame[..., :3].float().clamp(0, 1).mean(-1)[None, None], size, mode="area")[0, 0]
    # Nearest: between a subject and what is behind it there is no disparity.
    maps = F.interpolate(disparity[None, None].float(), size, mode="nearest-exact")[0, 0]
    return View(grey.mul(255).round().byte().cpu().numpy(), maps.half().cpu().numpy())


def within(view: View, points: Points, focal: float, gate: float) -> NDArray[np.bool_]:
    """Whether the disparity under points is nearer to the subject's than a gate; bool [N]."""
    return np.abs(values_at(view.disparity, points).astype(np.float32) - focal) < gate


def values_at(values: NDArray[Any], points: Points) -> NDArray[Any]:
    """Return values [h, w] at the pixels that points lie in, those outside of the border the nearest."""
    height, width = values.shape
    columns = np.clip(np.rint(points[:, 0]), 0, width - 1).astype(int)
    rows = np.clip(np.rint(points[:, 1]), 0, height - 1).astype(int)
    return values[rows, columns]


def _disk(disparity: NDArray[np.float16], place: Points, radius_px: float) -> NDArray[np.float32]:
    height, width = disparity.shape
    x, y = (float(value) for value in place)
    left, right = max(0, int(np.ceil(x - radius_px))), min(width - 1, int(np.floor(x + radius_px)))
    top, bottom = max(0, int(np.ceil(y - radius_px))), min(height - 1, int(np.floor(y + radius_px)))
    # A subject may have left the frame, on any side.
    right, bottom = max(right, left - 1), max(bottom, top - 1)
    window = disparity[top : bottom + 1, left : right + 1].astype(np.float32)
    if not window.size:
        return window.ravel()
    rows, columns = np.mgrid[top : bottom + 1, left : right + 1]
    return window[(columns - x) ** 2 + (rows - y) ** 2 <= radius_px**2]


def median_around(disparity: NDArray[np.float16], place: Points, radius_px: float) -> float:
    """Median in a disk, of an even count the lower one, as `measure.surface_in` takes it."""
    return float(torch.from_numpy(_disk(disparity, place, radius_px)).median())


def gated(
    disparity: NDArray[np.float16], place: Points, radius_px: float, focal: float, gate: float
) -> float | None:
    """Median in a disk of what lies at the subject's disparity; None where that is less than half of it."""
    values = _disk(disparity, place, radius_px)
    own = values[np.abs(values - focal) < gate]
    if not len(own) or len(own) < 0.5 * len(values):
        return None
    return float(np.median(own))
