"""Metrics of the disparity that a renderer is given: how far it is off, and how much it flickers."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .flow import FlowEstimator, dis_flow
from .missing import Missing, Value

_SMALLEST_DIS_PX = 12
# What is seen in both frames comes back by the way back; the rest is hidden in one of them.
_MOST_ROUND_TRIP_PX = 1.0


@dataclass(frozen=True, kw_only=True)
class MapMetric:
    """A metric of disparity, and how tables show it; less is better.

    Attributes:
        name: short and unique.
        title: as tables show it.
        digits: decimals worth printing.
        measure: frames [T, H, W, 3] in [0, 1], disparity [T, H, W] in [0, 1], and the true one -> value.
    """

    name: str
    title: str
    digits: int
    measure: Callable[[Tensor, Tensor, Tensor], Value]


def mean_error(disparity: Tensor, truth: Tensor) -> float:
    """Mean absolute difference from the true disparity, both [T, H, W] in [0, 1]."""
    return float((disparity - truth).abs().mean(dtype=torch.float64))


def opw(frames: Tensor, disparity: Tensor, estimate: FlowEstimator = dis_flow) -> Value:
    """Optical-flow warping error: mean of |d[t + 1](x + f(x)) - d[t](x)| over what both frames see.

    f is the flow from frame t to the next. Pixels that leave the frame, or whose way back ends more than 1 px
    off, are hidden in one of the two frames and left out. True disparity has a value too, where things come
    nearer.

    Args:
        frames: [T, H, W, 3] in [0, 1].
        disparity: [T, H, W] in [0, 1].
        estimate: gives the flow; frames under 12 px are too small for OpenCV's.
    """
    if len(frames) < 2:
        return Missing("needs 2 frames")
    if min(frames.shape[1:3]) < _SMALLEST_DIS_PX:
        return Missing(f"needs frames of {_SMALLEST_DIS_PX} px or more")
    total, count = 0.0, 0
    for t in range(len(frames) - 1):
        there, back = estimate(frames[t], frames[t + 1]), estimate(frames[t + 1], frames[t])
        grid = _grid(there)
        returned = (there + _at(back, grid)).norm(dim=0)
        seen = (grid.abs() <= 1).all(-1) & (returned <= _MOST_ROUND_TRIP_PX)
        change = (_at(disparity[t + 1][None].float(), grid)[0] - disparity[t]).abs()
        total += float(change[seen].sum(dtype=torch.float64))
        count += int(seen.sum())
    return total / count if count else Missing("no pixel is seen in two frames")


MAP_METRICS = (
    MapMetric(
        name="map_error", title="Mean error", digits=4, measure=lambda _, d, truth: mean_error(d, truth)
    ),
    MapMetric(name="opw", title="OPW", digits=4, measure=lambda frames, d, _: opw(frames, d)),
)


def _grid(flow_px: Tensor) -> Tensor:
    """Where pixels lie after a flow [2, H, W], as `grid_sample` counts: -1 and 1 are the outer borders."""
    height, width = flow_px.shape[1:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([(2 * (x + flow_px[0]) + 1) / width - 1, (2 * (y + flow_px[1]) + 1) / height - 1], -1)


def _at(values: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(values[None], grid[None], padding_mode="border", align_corners=False)[0]
