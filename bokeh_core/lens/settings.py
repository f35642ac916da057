"""What is set on the lens, besides focus and strength: once for every way to Lens Blur."""

import math
from dataclasses import dataclass, replace

from torch import Tensor

from ..coc import Falloff
from ..reference_width import REFERENCE_WIDTH_PX, in_frame_px
from ..setting_checks import require_choice, require_number
from ..strength import most_strength_px
from ..transfer import DEFAULT_LIGHT, GAMMA_OF_LIGHT
from .aperture import ROUND, Aperture

MOST_TOLERANCE_PX = 64.0
"""Greatest contour tolerance on a frame 1024 px wide: four times what any map needed."""

BORDERS = ("repeat", "ignore")
REPEAT, IGNORE = BORDERS
"""What lies beyond the frame, see `LensSettings.border`."""

MOST_FRINGE = 0.25
"""Greatest distance in disparity at which colours focus: a quarter of the scene, far more than any lens."""


@dataclass(frozen=True)
class LensSettings:
    """A lens and how light goes through it.

    Attributes:
        aperture: shape of the lens opening.
        gamma: light = display ** gamma, 0.2 to 5; 2.2 blurs linear light, 1 blurs display values.
        highlight_gain: extra light of out-of-focus white, 0 to 1000; 1 doubles it.
        highlight_threshold: display luma above which the gain sets in, 0 to 0.999.
        near_strength: factor on the radius in front of the focal plane, 0 to 100.
        far_strength: factor on the radius behind it, 0 to 100.
        contour_reach_px: how far, in px of the frames, the disparity's contours may be off the picture's; 0
            trusts the map. Where frames of any width may come it is stated for a frame 1024 px wide, and
            `at_width` turns it over. `lens_blur` and `at_width` check it, as its range is that of a width.
        focus_range: disparity, 0 to 1, over which all is sharp around the focal plane.
        largest_radius_px: what no radius exceeds, in px of the frames, or stated and turned over as the
            contour reach; infinite = no limit.
        fringe: disparity, 0 to 0.25, by which red and blue focus behind green: out of focus, contours and
            lamps have magenta rims in front of the focus and green ones behind it. Takes twice as long.
        grain: how much of the noise that the blur took comes back, 0 to 1.
        border: "repeat" lets the border's pixels go on beyond the frame, without its lamps; "ignore" counts
            only what lies within, as for rays that leave the frame in Eq. 6 of the paper.

    Raises:
        ValueError: a setting out of range.
    """

    aperture: Aperture = ROUND
    gamma: float = GAMMA_OF_LIGHT[DEFAULT_LIGHT]
    highlight_gain: float = 0.0
    highlight_threshold: float = 0.8
    near_strength: float = 1.0
    far_strength: float = 1.0
    contour_reach_px: float = 4.0
    focus_range: float = 0.0
    largest_radius_px: float = math.inf
    fringe: float = 0.0
    grain: float = 0.0
    border: str = REPEAT

    def __post_init__(self) -> None:
        require_number("gamma", self.gamma, 0.2, 5, meaning="2.2 = linear light, 1 = display values")
        require_number("highlight_gain", self.highlight_gain, 0, 1000)
        require_number("highlight_threshold", self.highlight_threshold, 0, 0.999)
        require_number("fringe", self.fringe, 0, MOST_FRINGE, "of disparity", "0 = none")
        require_number("grain", self.grain, 0, 1, meaning="1 = all that the blur took")
        require_choice("border", self.border, BORDERS)
        # Which checks what belongs to it.
        _ = self.falloff

    @property
    def falloff(self) -> Falloff:
        """How the blur radius grows with the distance from the focal plane."""
        return Falloff(self.focus_range, self.near_strength, self.far_strength, self.largest_radius_px)

    def without_amounts(self) -> "LensSettings":
        """The same lens less what may differ between frames that are rendered together."""
        return replace(
            self,
            highlight_gain=0.0,
            near_strength=1.0,
            far_strength=1.0,
            focus_range=0.0,
            largest_radius_px=math.inf,
            grain=0.0,
        )

    def at_width(self, width_px: int) -> "LensSettings":
        """The same lens for frames of a width, where this one is stated for frames 1024 px wide.

        Raises:
            ValueError: a contour tolerance outside of 0 to `MOST_TOLERANCE_PX`.
        """
        return replace(
            self,
            contour_reach_px=contour_reach_px(self.contour_reach_px, width_px),
            largest_radius_px=in_frame_px(self.largest_radius_px, width_px),
        )

    def whole_reach_px(self, width_px: int) -> int:
        """The contour reach in whole px of frames of a width, at least 1 unless it is 0.

        Raises:
            ValueError: more than `MOST_TOLERANCE_PX` is on these frames, or negative.
        """
        most_px = in_frame_px(MOST_TOLERANCE_PX, max(REFERENCE_WIDTH_PX, width_px))
        require_number("contour_reach_px", self.contour_reach_px, 0, most_px)
        return _whole_px(self.contour_reach_px)

    def require_strength(self, blur_strength_px: Tensor, width_px: int) -> None:
        """Check K [T] in px of frames of a width, times the factors in front of and behind the focus.

        A largest radius that such frames take is check enough.

        Raises:
            ValueError: more than `strength.most_strength_px`.
        """
        most_px = most_strength_px(width_px)
        if self.largest_radius_px <= most_px:
            return
        strength_px = blur_strength_px.max().item()
        for name, factor in (("near_strength", self.near_strength), ("far_strength", self.far_strength)):
            if factor > 1 and factor * strength_px > most_px * (1 + 1e-5):
                raise ValueError(
                    f"{name} {factor:g} times K of {strength_px:g} px is {factor * strength_px:g} px; frames "
                    f"{width_px} px wide take up to {most_px:g} px, so {name} may be "
                    f"{most_px / strength_px:.3g}."
                )


DEFAULT_LENS = LensSettings()


def contour_reach_px(tolerance_px: float, width_px: int) -> int:
    """Scale a tolerance stated in px on a frame 1024 px wide to whole pixels of a frame; 0 stays 0.

    Raises:
        ValueError: a tolerance outside of 0 to `MOST_TOLERANCE_PX`.
    """
    require_number("contour_tolerance", tolerance_px, 0, MOST_TOLERANCE_PX, "px", "0 trusts the map")
    return _whole_px(in_frame_px(tolerance_px, width_px))


def _whole_px(reach_px: float) -> int:
    return max(1, round(reach_px)) if reach_px > 0 else 0
