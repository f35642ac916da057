"""Softness of a map is undone: outlines are steps, and thin things are as near as they were."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from ...reference_width import in_frame_px
from ..contours import contour_widths_px
from ..extremes import Plane, highest_around, lowest_around

# Of frames 1024 px wide: half of the widest ramp, and where things are that tell how near a thin one may be.
_REACH_PX = 18.0
_NEARBY_PX = 45.0
_LEAST_STEP = 0.1
# Ramps count that are steeper than all around.
_LEAST_RAMPS = 20
# A Gaussian of deviation s makes a step rise by 1 / (s sqrt(2 pi)) a px; differences of px tell less.
_DEVIATION_OF_RISE = 1.2 / np.sqrt(2 * np.pi)
# Deviations in px: below, outlines count as sharp; from the second on all softness is undone.
_SHARP_PX, _SOFT_PX = 1.2, 1.5
_MOST_PX = 6.0
# Deviation that is left: outlines that were soft are known to a px, and what reads the map should see that.
_LEFT_PX = 0.5
_ROUNDS = 12
# What is thinner than the softness loses up to two thirds of its height.
_HEIGHTENED = 2.0
# Of disparity: where less changes within reach there is nothing to sharpen ...
_FLAT = 0.05
# ... nor where a pixel is as those beside it, to this part of what changes within reach.
_FLAT_SHARE = 0.1
_SMALLER = 4


def without_softness(disparity: Tensor) -> Tensor:
    """Undo a Gaussian blur of a whole map, whose deviation its own outlines tell.

    The iteration of Van Cittert (1931) with the momentum of Nesterov (1983), within bounds: beside a step the
    values of its two sides, so that nothing rings; thin things may become as near, or gaps as far, as what is
    nearby. Computed on the CPU.

    Args:
        disparity: [H, W] in [0, 1].

    Returns:
        [H, W] in [0, 1]; the very tensor given where outlines are sharp.
    """
    soft = disparity.cpu().numpy()
    deviation_px = _deviation(soft)
    share = (deviation_px - _SHARP_PX) / (_SOFT_PX - _SHARP_PX)
    if share <= 0:
        return disparity
    reach_px = int(np.ceil(2 * deviation_px))
    lowest, highest = lowest_around(soft, reach_px), highest_around(soft, reach_px)
    least, most = _bounds(soft, lowest, highest, reach_px)
    sharp, before = soft, soft
    for i in range(_ROUNDS):
        ahead = sharp + (sharp - before) * np.float32(i / (i + 3))
        before = sharp
        sharp = np.clip(ahead + (soft - cv2.GaussianBlur(ahead, (0, 0), deviation_px)), least, most)
    change = highest - lowest
    slope = highest_around(soft, 1) - lowest_around(soft, 1)
    changed = (change > _FLAT) & (slope > _FLAT_SHARE * change) & (sharp != soft)
    if not changed.any():
        return disparity
    sharp = cv2.GaussianBlur(sharp, (0, 0), _LEFT_PX)
    result = np.where(changed, soft + np.float32(min(share, 1.0)) * (sharp - soft), soft)
    return torch.from_numpy(result.clip(0, 1)).to(disparity.device)


def _deviation(soft: Plane) -> float:
    """Deviation in px of the blur that an outline has in the middle; 0 where there are none."""
    reach_px = max(4, round(in_frame_px(_REACH_PX, soft.shape[1])))
    widths = contour_widths_px(soft, reach_px, _LEAST_STEP)
    widths = widths[widths > 0]
    if len(widths) < _LEAST_RAMPS:
        return 0.0
    return min(_DEVIATION_OF_RISE * float(np.median(widths)), _MOST_PX)


def _bounds(soft: Plane, lowest: Plane, highest: Plane, reach_px: int) -> tuple[Plane, Plane]:
    """What pixels may become at least and at most."""
    # The top hat of a ridge is its height, and nothing on a slope or beside a step.
    nothing = _FLAT_SHARE * (highest - lowest)
    ridge = highest_around(np.maximum(soft - highest_around(lowest, reach_px) - nothing, 0), reach_px)
    groove = highest_around(np.maximum(lowest_around(highest, reach_px) - soft - nothing, 0), reach_px)
    farthest, nearest = _nearby(soft)
    most = np.minimum(nearest, highest + _HEIGHTENED * ridge)
    least = np.maximum(farthest, lowest - _HEIGHTENED * groove)
    return np.minimum(least, lowest), np.maximum(most, highest)


def _nearby(soft: Plane) -> tuple[Plane, Plane]:
    """Farthest and nearest of what is nearby, to a few px."""
    height, width = soft.shape
    size = (-(-width // _SMALLER), -(-height // _SMALLER))
    reach_px = max(1, round(in_frame_px(_NEARBY_PX, width) / _SMALLER))
    ends = []
    for of_window in (lowest_around, highest_around):
        small = cv2.resize(of_window(soft, _SMALLER // 2), size, interpolation=cv2.INTER_NEAREST)
        ends.append(
            np.asarray(
                cv2.resize(of_window(small, reach_px), (width, height), interpolation=cv2.INTER_NEAREST)
            )
        )
    return ends[0], ends[1]
