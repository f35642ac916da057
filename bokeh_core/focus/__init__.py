"""Where the lens is focused: a focal disparity for every frame, from a number, a point or a mask."""

from .focal_plane import BETWEEN_POINTS, CENTRE, focus_at_point, focus_at_value, focus_on_mask
from .pull import FocusPull

__all__ = ["BETWEEN_POINTS", "CENTRE", "FocusPull", "focus_at_point", "focus_at_value", "focus_on_mask"]
