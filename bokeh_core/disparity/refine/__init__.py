"""Disparity that flickers or tears from frame to frame -> disparity that holds still."""

from .clip import RefinedDisparity, refine_clip, refine_disparity
from .report import RefineReport
from .settings import RefineSettings
from .view import changes_view
from .window import DisparityRefiner

__all__ = [
    "DisparityRefiner",
    "RefineReport",
    "RefineSettings",
    "RefinedDisparity",
    "changes_view",
    "refine_clip",
    "refine_disparity",
]
