"""Depth or disparity of any origin -> DISPARITY: float32 [T, H, W] in [0, 1], 1 = near."""

from .fit import FITS, MapFit, resize_disparity
from .holes import HOLES
from .meaning import NORMALISATIONS, POLARITIES, SOURCES, DepthMeaning
from .prepare import PreparedDisparity, grey_view, prepare_disparity

__all__ = [
    "FITS",
    "HOLES",
    "NORMALISATIONS",
    "POLARITIES",
    "SOURCES",
    "DepthMeaning",
    "MapFit",
    "PreparedDisparity",
    "grey_view",
    "prepare_disparity",
    "resize_disparity",
]
