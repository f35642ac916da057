"""Whether the maps of a clip have crisp contours or soft ones, measured on the way to the renderer."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from ..lens.contour_counts import EVERY_FRAMES, ContourCounts
from ..lens.over_time import still_part
from ..strength import strength_in_pixels
from .renderers import ClipRenderer, LensRenderer


class ContourMeter:
    """Looks at some maps of a clip as they pass, each once."""

    def __init__(self, renderer: ClipRenderer, blur_strength: Tensor, width_px: int) -> None:
        """Begin with no map seen.

        Args:
            renderer: Lens Blur, or one whose maps are not looked at.
            blur_strength: K of every frame, [T], in px on a frame 1024 px wide.
            width_px: of the frames.
        """
        self._lens = still_part(renderer.lens) if isinstance(renderer, LensRenderer) else None
        self._strength, self._width_px = blur_strength, width_px
        self._counts = ContourCounts()
        self._next = 0

    def watch(self, maps: Iterator[Tensor], start: int) -> Iterator[Tensor]:
        """Hand on maps [H, W] from number `start` on."""
        for t, disparity in enumerate(maps, start):
            # Renderers may read some maps twice.
            if self._lens is not None and t >= self._next:
                self._next = t + EVERY_FRAMES
                strength_px = strength_in_pixels(self._strength[t : t + 1], self._width_px)
                self._counts.look_at(disparity, strength_px.item())
            yield disparity

    def report(self) -> str:
        """What was found, see `ContourCounts.report`."""
        return "" if self._lens is None else self._counts.report(self._lens.contour_reach_px)
