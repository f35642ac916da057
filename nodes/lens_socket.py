"""What comes through the socket of a lens, the same on every node that has it."""

from collections.abc import Sequence
from typing import Any

from ..bokeh_core.coc import Falloff
from ..bokeh_core.lens import Lens, LensOverTime, LensSettings, at_width
from . import sockets


def lens_input(what: str) -> Any:
    """The socket of a lens, optional.

    Args:
        what: the lens does where it is connected; the end of the tooltip.
    """
    return sockets.Lens.Input("lens", optional=True, tooltip=f"A lens from Choose Lens. {what}")


def falloffs_of(lens: Lens, num_frames: int, width_px: int, frames: Sequence[int]) -> Falloff | list[Falloff]:
    """How the radius grows on some frames of a clip, in px of a width: one falloff, or one for each."""
    lenses = at_width(lens, num_frames, width_px)
    return lenses.falloff if isinstance(lenses, LensSettings) else [lenses[t].falloff for t in frames]


def checked_lens(lens: Any) -> Lens:
    """Return what came through a LENS socket, stated for frames 1024 px wide; it may move.

    Raises:
        ValueError: it is no lens.
    """
    sockets.require_kind(lens, (LensSettings, LensOverTime), "lens", "Choose Lens")
    settings: Lens = lens
    return settings
