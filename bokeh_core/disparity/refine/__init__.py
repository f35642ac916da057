"""Disparity that flickers or tears from frame to frame -> disparity that holds still."""

from .settings import RefineSettings
from .stream import DisparityRefiner, refine_disparity

__all__ = ["DisparityRefiner", "RefineSettings", "refine_disparity"]
