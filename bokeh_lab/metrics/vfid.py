"""VFID-I: the Frechet distance of I3D features (Kinetics-400) over chunks of 10 frames."""

from pathlib import Path

import torch
from torch import Tensor, nn

from .feature_set import FeatureSet
from .missing import Missing
from .weights import Backbone, Backbones

CHUNK_FRAMES = 10


def _build(path: Path) -> nn.Module:
    network: nn.Module = torch.jit.load(str(path), map_location="cpu")
    return network


I3D = Backbone(
    file="i3d_torchscript.pt",
    what="the TorchScript I3D of Kinetics-400 that StyleGAN-V and most FVD code load",
    build=_build,
)
"""Called as network(clips [N, 3, F, 224, 224] in [-1, 1], rescale=False, resize=False, return_features=True).

It returns [N, D]; the published file gives the 400 logits. Papers differ in the layer they use and seldom say
which, so values compare within a table rather than across papers. A TorchScript file is a program: take it
from a source you trust.
"""


def vfid_i(backbones: Backbones) -> FeatureSet | Missing:
    """Start a VFID-I: chunks of 10 frames, 224 px, [-1, 1], unbiased covariance."""
    missing = backbones.missing(I3D)
    if missing is not None:
        return missing
    network = backbones.get(I3D)

    def extract(frames: Tensor) -> Tensor:
        found: Tensor = network(frames * 2 - 1, rescale=False, resize=False, return_features=True)
        return found

    return FeatureSet(extract, CHUNK_FRAMES, device=backbones.device)
