"""FVD, content-debiased: the Frechet distance of VideoMAE features over clips of 25 frames.

Ge et al., "On the Content Bias in Frechet Video Distance", 2024: VideoMAE V2 ViT-g fine-tuned on
Something-Something V2 in place of I3D, 224 px, [0, 1], sample covariance.
"""

from pathlib import Path

from torch import nn

from .feature_set import FeatureSet
from .missing import Missing
from .videomae import videomae_from_state
from .weights import Backbone, Backbones, load_state

CLIP_FRAMES = 25


def _build(path: Path) -> nn.Module:
    return videomae_from_state(load_state(path))


def _url() -> str:
    return (
        "https://pjlab-gvm-data.oss-cn-shanghai.aliyuncs.com/internvideo/videomaev2/"
        "vit_g_hybrid_pt_1200e_ssv2_ft.pth"
    )


VIDEOMAE_GIANT = Backbone(
    file="vit_g_hybrid_pt_1200e_ssv2_ft.pth",
    what="VideoMAE V2 ViT-g fine-tuned on Something-Something V2, as its authors publish it",
    build=_build,
    url=_url,
)


def fvd(backbones: Backbones) -> FeatureSet | Missing:
    """Start a content-debiased FVD over clips of 25 frames."""
    missing = backbones.missing(VIDEOMAE_GIANT)
    if missing is not None:
        return missing
    return FeatureSet(backbones.get(VIDEOMAE_GIANT), CLIP_FRAMES, correction=0, device=backbones.device)
