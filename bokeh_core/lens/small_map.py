"""Maps about 256 px long, on which it is measured how large bright areas are; all are [N, C, h, w]."""

import torch.nn.functional as F
from torch import Tensor

_SIDE_PX, _WINDOW_PX = 256, 17


def step_px(height: int, width: int) -> int:
    """How many px of a frame make one of its small map."""
    return max(1, round(max(height, width) / _SIDE_PX))


def shrunk(planes: Tensor, step: int) -> Tensor:
    """Means over squares; at the border over what is there."""
    return F.avg_pool2d(planes, step, ceil_mode=True, count_include_pad=False)


def mean_around(small: Tensor) -> Tensor:
    """Means over a window of 17 px of the small map; at the border over what is there."""
    return F.avg_pool2d(small, _WINDOW_PX, 1, _WINDOW_PX // 2, count_include_pad=False)


def enlarged(small: Tensor, step: int, size: tuple[int, int]) -> Tensor:
    """A small map at the (height, width) of its frame, bilinear."""
    height, width = size
    large = F.interpolate(small, scale_factor=step, mode="bilinear", align_corners=False)
    return large[..., :height, :width]
