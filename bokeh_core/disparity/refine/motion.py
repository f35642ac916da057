"""How one frame of a clip is seen from another: optical flow, and how far it is to be trusted."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Motion needs no detail, and the time of the flow grows with the pixels.
_FLOW_SIDE_PX = 448
_SMALLEST_DIS_PX = 16
_LIKENESS = 0.1
_ROUND_TRIP_PX = 2.0
# Mean difference of the picture after motion is taken out, from which on two frames are two shots.
_CUT = 0.12


class Grey:
    """A frame as the flow sees it: 8-bit grey, small."""

    def __init__(self, frame: Tensor) -> None:
        """Shrink a frame [H, W, C] in [0, 1]."""
        height, width = frame.shape[:2]
        scale = min(1.0, _FLOW_SIDE_PX / max(height, width))
        size = [max(1, round(height * scale)), max(1, round(width * scale))]
        grey = frame[..., :3].float().clamp(0, 1).mean(-1)[None, None]
        small = F.interpolate(grey, size, mode="area")[0, 0]
        self.values = small.mul(255).round().byte().cpu().numpy()


def flow_between(first: Grey, second: Grey) -> Tensor:
    """Dense inverse search flow [2, h, w], x then y, in px of the small frames."""
    height, width = first.values.shape
    if min(height, width) < _SMALLEST_DIS_PX:
        return torch.zeros(2, height, width)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    empty = np.zeros((height, width, 2), np.float32)
    found = search.calc(first.values, second.values, empty)
    return torch.from_numpy(np.ascontiguousarray(found)).permute(2, 0, 1)


@dataclass(frozen=True)
class Motion:
    """How a neighbour in time is seen from a frame.

    Attributes:
        grid: [1, H, W, 2], where each pixel of the frame lies in the neighbour, as `grid_sample` takes it.
        trust: [H, W] in [0, 1]; 0 where the pixel is hidden or out of the neighbour.
        same_shot: whether the two frames show one scene.
    """

    grid: Tensor
    trust: Tensor
    same_shot: bool

    def carried(self, values: Tensor) -> Tensor:
        """Values [H, W] of the neighbour where the frame has them."""
        return _sampled(values[None], self.grid)[0]


def motion_between(frame: Tensor, neighbour: Tensor, there: Tensor, back: Tensor) -> Motion:
    """Judge a flow by the pictures and by the way back.

    Args:
        frame: [H, W, C] in [0, 1].
        neighbour: likewise.
        there: flow [2, h, w] from the frame to its neighbour, px of [h, w].
        back: likewise, from the neighbour to the frame.
    """
    height, width = frame.shape[:2]
    rows, columns = there.shape[1:]
    device = frame.device
    there, back = there.to(device), back.to(device)
    small = _grid(there, rows, columns)
    round_trip_px = (there + _sampled(back, small)).norm(dim=0)
    to_full = torch.tensor([width / columns, height / rows], device=device).view(2, 1, 1)
    full = F.interpolate(there[None], (height, width), mode="bilinear", align_corners=False)[0] * to_full
    grid = _grid(full, height, width)
    returns = torch.exp(-(round_trip_px / _ROUND_TRIP_PX).square())
    returns = F.interpolate(returns[None, None], (height, width), mode="bilinear", align_corners=False)[0, 0]
    colour, other = (picture[..., :3].float().permute(2, 0, 1) for picture in (frame, neighbour))
    difference = (colour - _sampled(other, grid)).abs().mean(0)
    inside = (grid[0].abs() <= 1).all(-1)
    trust = torch.exp(-(difference / _LIKENESS).square()) * returns * inside
    return Motion(grid, trust, bool(difference.mean() < _CUT))


def _grid(flow: Tensor, height: int, width: int) -> Tensor:
    y, x = torch.meshgrid(
        torch.arange(height, device=flow.device), torch.arange(width, device=flow.device), indexing="ij"
    )
    # Centres of pixels lie at half a pixel.
    at_x = (2 * (x + flow[0]) + 1) / width - 1
    at_y = (2 * (y + flow[1]) + 1) / height - 1
    return torch.stack([at_x, at_y], -1)[None]


def _sampled(values: Tensor, grid: Tensor) -> Tensor:
    """Values [C, H, W] at the places of a grid."""
    return F.grid_sample(values[None], grid, mode="bilinear", padding_mode="border", align_corners=False)[0]
