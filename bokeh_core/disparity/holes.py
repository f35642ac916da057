"""Pixels of a raw depth map that hold no depth: NaN, infinite values, distances of 0 or less."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .in_words import count_frames, percent

HOLES = ("refuse", "far", "fill from around")

# From this share on, pixels of 0 are no single outliers; a gap above them, as a part of the range, speaks
# against their being the end of a slope.
_LEAST_ZEROS, _GAP = 0.001, 0.1
_ALMOST_ALL = 0.98
# Below this, 1 / distance is no number.
LEAST_DISTANCE = torch.finfo(torch.float32).tiny


def holes_in(values: Tensor, distance: bool, one_minus: bool, zero: bool) -> Tensor | None:
    """Find the pixels without depth.

    Args:
        values: raw map [H, W].
        distance: whether values are distances, of which those of 0 or less are holes too.
        one_minus: whether such distances are stored as 1 - v.
        zero: whether a value of exactly 0 is a hole.

    Returns:
        bool [H, W]; None where there is no hole.
    """
    lowest, highest = (value.item() for value in values.aminmax())
    finite = bool(np.isfinite(lowest) and np.isfinite(highest))
    nearest = 1 - highest if one_minus else lowest
    if finite and not (distance and nearest < LEAST_DISTANCE) and not (zero and lowest <= 0 <= highest):
        return None
    hole = ~values.isfinite()
    if distance:
        hole |= (1 - values if one_minus else values) < LEAST_DISTANCE
    elif zero:
        hole |= values == 0
    return hole if bool(hole.any()) else None


def fill_from_around(disparity: Tensor, hole: Tensor) -> Tensor:
    """Give every pixel of `hole` the value of the nearest pixel outside of it, so that none lies between two.

    Args:
        disparity: [H, W].
        hole: bool [H, W], not True everywhere.
    """
    import cv2  # only for maps with holes: the nodes start without OpenCV

    mask = hole.numpy()
    _, labels = cv2.distanceTransformWithLabels(
        mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    known = np.zeros(int(labels.max()) + 1, np.float32)
    known[labels[~mask]] = disparity.numpy()[~mask]
    return torch.from_numpy(known[labels])


class ZeroCount:
    """Pixels of exactly 0: the farthest point, or where nothing was measured."""

    def __init__(self) -> None:
        self._pixels = self._zeros = 0
        self._least_above = float("inf")

    def add(self, values: Tensor) -> None:
        """Take in the values of a map whose least is 0."""
        above = values[values > 0]
        self._pixels += values.numel()
        self._zeros += values.numel() - len(above)
        if len(above):
            self._least_above = min(self._least_above, above.min().item())

    def warning(self, highest: float) -> str:
        """What the user should know, given the greatest value of the clip; empty where 0 is the far end."""
        if not 0 < self._least_above <= highest or self._zeros < _LEAST_ZEROS * self._pixels:
            return ""
        if self._least_above > _ALMOST_ALL * highest:
            return (
                "Warning: the maps hold two values only, as a mask does, so that everything is either sharp "
                "or blurred alike. To focus on a mask give it as the focus, and depth here."
            )
        if self._least_above < _GAP * highest:
            return ""
        return (
            f"Warning: {percent(self._zeros / self._pixels)} of the pixels of maps with 0 are exactly 0, "
            f"and the next value is {self._least_above:g}. If 0 says that nothing was measured set holes to "
            "fill from around."
        )


class HoleCount:
    """How many pixels of a clip are holes."""

    def __init__(self) -> None:
        self._pixels = self._holes = self._frames = 0
        self._worst = (0.0, 0)
        self.first_empty: int | None = None
        """Number of the first frame without any depth."""

    @property
    def found(self) -> bool:
        """Whether there is any."""
        return self._holes > 0

    def add(self, t: int, hole: Tensor | None, pixels: int) -> None:
        """Take in frame number `t` of so many pixels."""
        self._pixels += pixels
        if hole is None:
            return
        count = int(hole.sum())
        self._holes += count
        self._frames += 1
        self._worst = max(self._worst, (count / pixels, -t))
        if count == pixels and self.first_empty is None:
            self.first_empty = t

    def report(self, treated: str) -> str:
        """What was found, and how it is treated; empty where there is nothing to say."""
        if not self._holes:
            return ""
        share, t = self._worst
        most = f", at most {percent(share)} in frame {-t}" if self._frames > 1 else ""
        where = f"in {count_frames(self._frames)}{most}"
        return f"Holes: {percent(self._holes / self._pixels)} of all pixels, {where}; {treated}."
