"""LPIPS (Zhang et al. 2018) with SqueezeNet: likeness as a network perceives it."""

from pathlib import Path

import torch
from torch import nn

from .clip_pair import ClipPair, channels_first, frame_chunks
from .missing import Missing, Value
from .weights import Backbone, Backbones, load_state

_FRAMES_AT_ONCE = 2
# Below this the last of SqueezeNet's three poolings has nothing left.
_SMALLEST_PX = 17


def _build(path: Path) -> nn.Module:
    # torchmetrics carries the learned weights of the distance; its public classes always download the
    # backbone, the network behind them takes one that is given.
    from torchmetrics.functional.image.lpips import _LPIPS

    network = _LPIPS(net="squeeze", pnet_rand=True)
    state = load_state(path)
    slices = network.net.state_dict()
    network.net.load_state_dict({name: state["features." + name.split(".", 2)[2]] for name in slices})
    return network


def _url() -> str:
    from torchvision.models import SqueezeNet1_1_Weights  # type: ignore[import-untyped]

    return SqueezeNet1_1_Weights.IMAGENET1K_V1.url


SQUEEZENET = Backbone(
    file="squeezenet1_1-b8a52dc0.pth",
    what="SqueezeNet 1.1 as torchvision publishes it (SqueezeNet1_1_Weights.IMAGENET1K_V1)",
    build=_build,
    url=_url,
    packages=("torchvision", "torchmetrics"),
)


def lpips(pair: ClipPair, backbones: Backbones) -> Value:
    """LPIPS with SqueezeNet, frames in [-1, 1], per frame, then the mean over the clip; >= 0."""
    if min(pair.truth.shape[1:3]) < _SMALLEST_PX:
        return Missing(f"needs frames of {_SMALLEST_PX} px or more")
    missing = backbones.missing(SQUEEZENET)
    if missing is not None:
        return missing
    network = backbones.get(SQUEEZENET)
    total = 0.0
    for part in frame_chunks(pair.num_frames, _FRAMES_AT_ONCE):
        prediction, truth = (
            channels_first(clip[part], backbones.device) * 2 - 1 for clip in (pair.prediction, pair.truth)
        )
        with torch.inference_mode():
            total += float(network(prediction, truth).sum())
    return total / pair.num_frames
