"""Where each pixel of a frame lies in another frame of its clip, and how far that is to be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

FLOW_SIDE_PX = 512
"""Longer side, at most, of the frames that motion is looked for in: it needs no finer detail."""

# The search compares patches of 8 px on halved frames.
_SMALLEST_PX = 16
_LIKENESS = 0.1
_ROUND_TRIP_PX = 1.5


@dataclass(frozen=True)
class GreyFrame:
    """A frame as the search sees it.

    Attributes:
        values: uint8 [h, w], at most `FLOW_SIDE_PX` a side.
    """

    values: NDArray[np.uint8]


@dataclass(frozen=True)
class Match:
    """Where a frame's pixels lie in another frame.

    Attributes:
        flow_px: [2, H, W], x then y: a pixel at (x, y) lies at (x + flow_px[0], y + flow_px[1]) in the other.
        trust: [H, W] in [0, 1]; 0 where the pixel is hidden in the other frame, or outside of it.
        difference: [H, W] in [0, 1], of the colours of a pixel and its match, mean over the channels.
    """

    flow_px: Tensor
    trust: Tensor
    difference: Tensor


def size_of_search(height: int, width: int) -> tuple[int, int]:
    """Height and width in px at which motion is looked for: those of the frames, at most `FLOW_SIDE_PX`."""
    scale = min(1.0, FLOW_SIDE_PX / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def small_colours(frame: Tensor) -> Tensor:
    """A frame [H, W, C], C = 1, 3 or 4, as [h, w, 3] of that size; clamped to [0, 1], without alpha."""
    size = size_of_search(frame.shape[0], frame.shape[1])
    colours = frame[..., :3].float().clamp(0, 1)
    if size != frame.shape[:2]:
        colours = F.interpolate(colours.movedim(-1, 0)[None], size, mode="area")[0].movedim(0, -1)
    return colours.expand(-1, -1, 3)


def grey_frame(frame: Tensor) -> GreyFrame:
    """Make a frame [H, W, C] in [0, 1] ready for `flow_between`; alpha is ignored."""
    size = size_of_search(frame.shape[0], frame.shape[1])
    grey = frame[..., :3].float().clamp(0, 1).mean(-1)
    small = F.interpolate(grey[None, None], size, mode="area")[0, 0]
    return GreyFrame(small.mul(255).round().byte().cpu().numpy())


def flow_between(first: GreyFrame, second: GreyFrame) -> Tensor:
    """Dense inverse search (Kroeger et al. 2016) from one frame to another of the same size.

    Returns:
        float32 [2, h, w] on the CPU, x then y, in px of the grey frames; 0 for frames too small to search.
    """
    height, width = first.values.shape
    if min(height, width) < _SMALLEST_PX:
        return torch.zeros(2, height, width)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    found = search.calc(first.values, second.values, np.zeros((height, width, 2), np.float32))
    return torch.from_numpy(found).permute(2, 0, 1).contiguous()


def match_frames(frame: Tensor, other: Tensor) -> Match:
    """Find where the pixels of a frame lie in another one; both [H, W, C] in [0, 1], on one device."""
    first, second = grey_frame(frame), grey_frame(other)
    return judged_match(frame, other, flow_between(first, second), flow_between(second, first))


def judged_match(frame: Tensor, other: Tensor, there: Tensor, back: Tensor) -> Match:
    """Judge a flow by the way back and by the colours.

    Args:
        frame: [H, W, C] in [0, 1].
        other: likewise, on the same device.
        there: `flow_between` the frame and the other.
        back: `flow_between` the other and the frame.
    """
    height, width = frame.shape[:2]
    there, back = there.to(frame.device), back.to(frame.device)
    returns = torch.exp(-(round_trip_px(there, back) / _ROUND_TRIP_PX).square())
    returns = _resized(returns[None], (height, width))[0]
    flow_px = flow_of_size(there, (height, width))
    seen = warped(other[..., :3].float().movedim(-1, 0), flow_px)
    difference = (frame[..., :3].float().movedim(-1, 0) - seen).abs().mean(0).clamp(max=1)
    alike = torch.exp(-(difference / _LIKENESS).square())
    return Match(flow_px, alike * returns * lies_inside(flow_px), difference)


def round_trip_px(there: Tensor, back: Tensor) -> Tensor:
    """How far each pixel ends from where it began, [H, W], along one flow [2, H, W] and then the other."""
    return torch.hypot(*(there + warped(back, there)))


def lies_inside(flow_px: Tensor) -> Tensor:
    """Whether pixels still lie in the frame after a flow [2, H, W]; bool [H, W]."""
    return (_grid(flow_px).abs() <= 1).all(-1)


def warped(values: Tensor, flow_px: Tensor) -> Tensor:
    """Values [C, H, W] of another frame where a frame has the same things, by its flow [2, H, W] there.

    Between pixels they are linear, beyond the border the nearest ones.
    """
    grid = _grid(flow_px)[None]
    return F.grid_sample(values[None], grid, mode="bilinear", padding_mode="border", align_corners=False)[0]


def flow_of_size(flow_px: Tensor, size: tuple[int, int]) -> Tensor:
    """A flow [2, h, w] for frames of another (height, width), in their px."""
    rows, columns = flow_px.shape[1:]
    if (rows, columns) == size:
        return flow_px
    longer = torch.tensor([size[1] / columns, size[0] / rows], device=flow_px.device)
    return _resized(flow_px, size) * longer[:, None, None]


def _resized(values: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(values[None], size, mode="bilinear", align_corners=False)[0]


def _grid(flow_px: Tensor) -> Tensor:
    """Places as `grid_sample` takes them: -1 and 1 are the frame's outer borders."""
    height, width = flow_px.shape[1:]
    # Centres of pixels lie at half a pixel.
    y, x = ((2 * torch.arange(side, device=flow_px.device) + 1) / side - 1 for side in (height, width))
    at_x = torch.add(x, flow_px[0], alpha=2 / width)
    at_y = torch.add(y[:, None], flow_px[1], alpha=2 / height)
    return torch.stack([at_x, at_y], -1)
