"""Whether the maps of a clip have crisp contours or soft ones, in words, and what becomes of them."""

import numpy as np
from torch import Tensor

from ..disparity.contours import contour_widths_px
from .edges import CONTOUR_PX, softness

EVERY_FRAMES = 8
"""So many frames after one that was looked at comes the next: what made a map made those beside it."""

# Contours are measured over windows of so many px to each side of their steepest one.
_REACH_PX = 5
# What rises all over a window is a slope.
_WIDEST_PX = 2 * _REACH_PX - 2


class ContourCounts:
    """Looks at maps one by one, then says what it found."""

    def __init__(self) -> None:
        """Begin with no map seen."""
        self._maps = 0
        # Of the soft ones.
        self._widths: list[float] = []

    def look_at(self, disparity: Tensor, blur_strength_px: float) -> None:
        """Take in a map [H, W] in [0, 1] that is blurred with K in px of the frame."""
        radius_px = disparity.float() * blur_strength_px
        width_px = contour_width_px(radius_px)
        if width_px == 0:
            return
        self._maps += 1
        if float(softness(radius_px)) > 0:
            self._widths.append(width_px)

    def report(self, contour_tolerance_px: float) -> str:
        """What was found and what is done with it; "" where no map has contours.

        Args:
            contour_tolerance_px: 0 takes the maps as they are.
        """
        if not self._maps:
            return ""
        if not self._widths:
            done = (
                "taken as they are"
                if contour_tolerance_px == 0
                else "kept as steps, and shifted only where the picture has them elsewhere"
            )
            return f"Outlines of the disparity are crisp: {done}."
        soft = len(self._widths)
        width = sorted(self._widths)[soft // 2]
        which = "" if soft == self._maps else f" in {soft} of {self._maps} maps looked at"
        found = f"Outlines of the disparity are soft{which}, over about {max(2, round(width))} px"
        if contour_tolerance_px == 0:
            return (
                f"{found}. Warning: contour_tolerance 0 takes them as they are, which leaves rims around "
                "what is blurred; 4 makes them steps where the picture has them."
            )
        return f"{found}: made steps where the picture has them, as far as contour_tolerance reaches."


def contour_width_px(radius_px: Tensor) -> float:
    """Median number of px over which the contours of a map [H, W] rise: rise over steepest rise, 1 = steps.

    0 where it has none.
    """
    widths = contour_widths_px(radius_px.cpu().numpy(), _REACH_PX, CONTOUR_PX)
    # At the border a slope looks like a contour, as its window is cut off.
    inner = widths[_REACH_PX:-_REACH_PX, _REACH_PX:-_REACH_PX]
    found = inner[(inner > 0) & (inner < _WIDEST_PX)]
    return float(np.median(found)) if len(found) else 0.0


def contour_report(disparity: Tensor, blur_strength_px: Tensor, contour_tolerance_px: float) -> str:
    """What `ContourCounts` says of every eighth of maps [T, H, W], given K [T] or [1] in px of the frames."""
    counts = ContourCounts()
    for t in range(0, len(disparity), EVERY_FRAMES):
        counts.look_at(disparity[t], float(blur_strength_px[min(t, len(blur_strength_px) - 1)]))
    return counts.report(contour_tolerance_px)
