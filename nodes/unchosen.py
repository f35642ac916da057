"""What is sharp, and how strong the blur is, where nothing is connected that says so."""

import logging
from typing import Any

from torch import Tensor

from ..bokeh_core.clip.checks import checked_maps
from ..bokeh_core.clip.lengths import broadcast_over_frames
from ..bokeh_core.focus.script import FocusScript
from ..bokeh_core.strength import DEFAULT_STRENGTH
from ..bokeh_core.strength import blur_strength as default_blur_strength
from . import sockets
from .libraries import needed_libraries

logger = logging.getLogger(__name__)

FOCUS_TOOLTIP = (
    "Where the lens is focused, from the Viewfinder or a Focus node. Not connected: in each shot the near, "
    "large, central or moving subject, chosen automatically."
)
STRENGTH_TOOLTIP = (
    f"Strength of the blur from Blur Strength or the Viewfinder. Not connected: K = {DEFAULT_STRENGTH:g} px."
)


def focus_or_automatic(focus: Any, frames: Tensor, disparity: Any) -> Any:
    """Return a FOCUS, made from checked frames [T, H, W, C] and their disparity if none is connected."""
    if focus is not None:
        return focus
    maps = checked_maps(disparity, "disparity", tuple(frames.shape[1:3]))
    maps = broadcast_over_frames(maps, len(frames), "disparity")
    with needed_libraries():
        pull, lines = FocusScript().focus_pull(maps, frames)
    for line in lines:
        logger.info(line)
    return sockets.FocusPull(pull.focal_disparity, pull.points_px)


def strength_or_default(blur_strength: Any) -> Any:
    """Return K [T] or [1] of a BLUR_STRENGTH, the default one if none is connected."""
    return default_blur_strength() if blur_strength is None else sockets.strength_values_of(blur_strength)
