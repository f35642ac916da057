"""Steps of 8-bit maps, and the blocks and ringing of JPEG."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Maps of a few surfaces have fewer values, and floats more than 8 bits tell apart.
_LEVELS = (16, 256)
# Those of 8 bits are a 255th apart, and resizing puts few between them; floats of slanted surfaces lie close.
_LEAST_GAP = 1 / 2048
_SAMPLES_SIDE = 256
_SIDE_PX = 9
_SIGMA_PX = 3.0
# Of disparity: what differs by more is another surface.
_SIGMA = 0.06
_NOTHING = 1e-4
# Resizing mixes levels, but not where they are alike all around; surfaces as floats slant everywhere.
_LEAST_LEVEL_SHARE = 0.25
_SAME_LEVEL = 1e-5


def smoothed_steps(disparity: Tensor) -> Tensor:
    """Average an 8-bit map within its surfaces, by the bilateral filter of Tomasi and Manduchi (1998).

    Computed on the CPU.

    Args:
        disparity: [H, W] in [0, 1].

    Returns:
        [H, W] in [0, 1]; the very tensor given where the map has not the levels of 8 bits, nor had them
        before it was resized.
    """
    own = disparity.cpu().numpy()
    if not _has_steps(own):
        return disparity
    smooth = cv2.bilateralFilter(own, _SIDE_PX, _SIGMA, _SIGMA_PX)
    result = np.where(np.abs(smooth - own) > _NOTHING, smooth, own)
    return torch.from_numpy(result).to(disparity.device)


def _has_steps(disparity: NDArray[np.float32]) -> bool:
    step = max(1, max(disparity.shape) // _SAMPLES_SIDE)
    if _is_of_levels(disparity[::step, ::step]):
        return True
    inside = disparity[1:-1, 1:-1]
    beside = (disparity[:-2, 1:-1], disparity[2:, 1:-1], disparity[1:-1, :-2], disparity[1:-1, 2:])
    level = np.logical_and.reduce([np.abs(inside - other) < _SAME_LEVEL for other in beside])[::step, ::step]
    if level.size == 0 or level.mean() < _LEAST_LEVEL_SHARE:
        return False
    return _is_of_levels(np.round(inside[::step, ::step][level] / _SAME_LEVEL) * _SAME_LEVEL)


def _is_of_levels(values: NDArray[np.float32]) -> bool:
    levels = np.unique(values)
    return _LEVELS[0] <= len(levels) <= _LEVELS[1] and float(np.median(np.diff(levels))) >= _LEAST_GAP
