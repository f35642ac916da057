"""Likeness of motion: FD, the difference of optical flow, and the weight-free flow of FD-DIS."""

from collections.abc import Callable

import torch
from torch import Tensor

from .clip_pair import ClipPair
from .missing import Missing, Value

FlowEstimator = Callable[[Tensor, Tensor], Tensor]
"""Two frames [H, W, 3] in [0, 1] -> flow [2, H, W] in px (x, y) from the first to the second."""

_SMALLEST_DIS_PX = 12


def flow_difference(pair: ClipPair, estimate: FlowEstimator) -> Value:
    """Mean absolute difference in px of the two clips' optical flow between neighbouring frames (FD).

    The mean is over frames, pixels and the two components of the flow, so a constant error of (3, 1) px
    counts as 2 px.
    """
    if pair.num_frames < 2:
        return Missing("needs 2 frames")
    total = 0.0
    for t in range(pair.num_frames - 1):
        rendered = estimate(pair.prediction[t], pair.prediction[t + 1])
        true = estimate(pair.truth[t], pair.truth[t + 1])
        total += float((rendered - true).abs().mean())
    return total / (pair.num_frames - 1)


def fd_dis(pair: ClipPair) -> Value:
    """FD with OpenCV's dense inverse search flow, which needs no weights; not comparable with RAFT's FD."""
    if min(pair.truth.shape[1:3]) < _SMALLEST_DIS_PX:
        return Missing(f"needs frames of {_SMALLEST_DIS_PX} px or more")
    return flow_difference(pair, dis_flow)


def dis_flow(first: Tensor, second: Tensor) -> Tensor:
    """Dense inverse search (Kroeger et al. 2016), OpenCV's preset "medium", on 8-bit grey.

    Args:
        first: [H, W, 3] in [0, 1].
        second: likewise.

    Returns:
        float32 [2, H, W] in px, on the CPU.
    """
    import cv2

    grey_first, grey_second = (
        cv2.cvtColor(frame.clamp(0, 1).mul(255).round().byte().cpu().numpy(), cv2.COLOR_RGB2GRAY)
        for frame in (first, second)
    )
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(grey_first, grey_second, None)
    return torch.from_numpy(flow).permute(2, 0, 1)
