"""Steps of 8-bit maps, and the blocks and ringing of JPEG."""

import cv2
import numpy as np
import torch
from torch import Tensor

# Maps of a few surfaces have fewer values, and floats more than 8 bits tell apart.
_LEVELS = (16, 256)
_SAMPLES_SIDE = 256
_SIDE_PX = 9
_SIGMA_PX = 3.0
# Of disparity: what differs by more is another surface.
_SIGMA = 0.06
_NOTHING = 1e-4


def smoothed_steps(disparity: Tensor) -> Tensor:
    """Average an 8-bit map within its surfaces, by the bilateral filter of Tomasi and Manduchi (1998).

    Computed on the CPU.

    Args:
        disparity: [H, W] in [0, 1].

    Returns:
        [H, W] in [0, 1]; the very tensor given where the map has not the levels of 8 bits.
    """
    own = disparity.cpu().numpy()
    step = max(1, max(own.shape) // _SAMPLES_SIDE)
    if not _LEVELS[0] <= len(np.unique(own[::step, ::step])) <= _LEVELS[1]:
        return disparity
    smooth = cv2.bilateralFilter(own, _SIDE_PX, _SIGMA, _SIGMA_PX)
    result = np.where(np.abs(smooth - own) > _NOTHING, smooth, own)
    return torch.from_numpy(result).to(disparity.device)
