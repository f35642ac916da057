"""Where the lens is focused: one focal disparity a frame, from a number, a point, a mask or a script."""

from .at_point import BETWEEN_POINTS, CENTRE, DEFAULT_BETWEEN_POINTS, focus_at_point
from .focal_plane import focus_at_value, focus_on_mask
from .pull import FocusPull
from .script import FocusScript, parse_script

__all__ = [
    "BETWEEN_POINTS",
    "CENTRE",
    "DEFAULT_BETWEEN_POINTS",
    "FocusPull",
    "FocusScript",
    "focus_at_point",
    "focus_at_value",
    "focus_on_mask",
    "parse_script",
]
