"""RAFT-large, the optical flow of the published FD."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .clip_pair import ClipPair, channels_first
from .flow import FlowEstimator, flow_difference
from .missing import Missing, Value
from .weights import Backbone, Backbones, load_state

# RAFT works on an eighth of the resolution; the coarsest of its four correlation levels needs 2 x 2 cells.
_STRIDE_PX = 8
_SMALLEST_PX = 128


def _build(path: Path) -> nn.Module:
    from torchvision.models.optical_flow import raft_large  # type: ignore[import-untyped]

    network = raft_large(weights=None, progress=False)
    network.load_state_dict(load_state(path))
    return network


def _url() -> str:
    from torchvision.models.optical_flow import Raft_Large_Weights

    return Raft_Large_Weights.C_T_SKHT_V2.url


RAFT_LARGE = Backbone(
    file="raft_large_C_T_SKHT_V2-ff5fadd5.pth",
    what="RAFT-large as torchvision publishes it (Raft_Large_Weights.C_T_SKHT_V2)",
    build=_build,
    url=_url,
    packages=("torchvision",),
)


def fd(pair: ClipPair, backbones: Backbones) -> Value:
    """FD: `flow_difference` with RAFT-large, 12 updates, frames in [-1, 1]."""
    if min(pair.truth.shape[1:3]) < _SMALLEST_PX:
        return Missing(f"needs frames of {_SMALLEST_PX} px or more")
    if pair.num_frames < 2:
        return Missing("needs 2 frames")
    missing = backbones.missing(RAFT_LARGE)
    if missing is not None:
        return missing
    return flow_difference(pair, raft_flow(backbones.get(RAFT_LARGE), backbones.device))


def raft_flow(network: nn.Module, device: torch.device | str = "cpu") -> FlowEstimator:
    """Make a flow estimator of a RAFT network.

    Frames are brought to [-1, 1] and their borders repeated on all sides up to a multiple of 8 px, as the
    authors of RAFT do; the flow of the repeated borders is cut off again.

    Args:
        network: two [N, 3, h, w] in [-1, 1] -> list of flows [N, 2, h, w], the last one the best.
        device: where the network is.
    """

    def estimate(first: Tensor, second: Tensor) -> Tensor:
        height, width = first.shape[:2]
        top, left = (-height % _STRIDE_PX) // 2, (-width % _STRIDE_PX) // 2
        bottom, right = -height % _STRIDE_PX - top, -width % _STRIDE_PX - left
        frames = channels_first(torch.stack((first, second)), device) * 2 - 1
        padded = F.pad(frames, (left, right, top, bottom), mode="replicate")
        with torch.inference_mode():
            flow = network(padded[:1], padded[1:])[-1][0]
        return flow[:, top : top + height, left : left + width]

    return estimate
