"""Depth or disparity of any origin -> DISPARITY: float32 [T, H, W] in [0, 1], 1 = near."""

from .conversion import NORMALISATIONS, POLARITIES, SOURCES, DepthMeaning
from .prepare import PreparedDisparity, grey_view, prepare_disparity, resize_disparity

__all__ = [
    "NORMALISATIONS",
    "POLARITIES",
    "SOURCES",
    "DepthMeaning",
    "PreparedDisparity",
    "grey_view",
    "prepare_disparity",
    "resize_disparity",
]
