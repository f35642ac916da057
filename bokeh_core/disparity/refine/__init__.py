"""Disparity that flickers or tears from frame to frame -> disparity that holds still."""

from .clip import RefinedDisparity, refine_clip, refine_disparity
from .flicker import ShotSpan, in_span, shot_spans
from .report import RefineReport
from .settings import RefineSettings
from .view import changes_view
from .window import DisparityRefiner

__all__ = [
    "DisparityRefiner",
    "RefineReport",
    "RefineSettings",
    "RefinedDisparity",
    "ShotSpan",
    "changes_view",
    "in_span",
    "refine_clip",
    "refine_disparity",
    "shot_spans",
]
