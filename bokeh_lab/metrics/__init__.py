"""Metrics of rendered bokeh against ground truth, by the definitions the published numbers were made with.

`METRICS` lists them; `measure_clip` gives one value a clip, `start_set` an accumulator over clips. Four need
networks that are not part of the pack. `Backbones` takes them from a folder, which holds any of:

    raft_large_C_T_SKHT_V2-ff5fadd5.pth  FD      torchvision's RAFT-large
    squeezenet1_1-b8a52dc0.pth           LPIPS   torchvision's SqueezeNet 1.1
    i3d_torchscript.pt                   VFID-I  I3D of Kinetics-400 as TorchScript
    vit_g_hybrid_pt_1200e_ssv2_ft.pth    FVD     VideoMAE V2 ViT-g of Something-Something V2

Without its file a metric is `Missing`; nothing is downloaded unless `Backbones` is told so.
"""

from .clip_pair import ClipPair
from .feature_set import FeatureSet
from .missing import Missing, Value
from .registry import (
    METRICS,
    ClipMetric,
    Metric,
    SetMetric,
    mean_over_clips,
    measure_clip,
    metric_named,
    start_set,
)
from .weights import Backbones

__all__ = [
    "METRICS",
    "Backbones",
    "ClipMetric",
    "ClipPair",
    "FeatureSet",
    "Metric",
    "Missing",
    "SetMetric",
    "Value",
    "mean_over_clips",
    "measure_clip",
    "metric_named",
    "start_set",
]
