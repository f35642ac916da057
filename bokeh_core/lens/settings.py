"""What is set on the lens, besides focus and strength: once for every way to Lens Blur."""

import inspect
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from ..reference_width import REFERENCE_WIDTH_PX, in_frame_px
from ..setting_checks import require_number
from ..strength import most_strength_px
from .aperture import ROUND, Aperture
from .light import DEFAULT_LIGHT, GAMMA_OF_LIGHT, gamma_of

MOST_TOLERANCE_PX = 64.0
"""Greatest contour tolerance on a frame 1024 px wide: four times what any map needed."""


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

    def __post_init__(self) -> None:
        require_number("gamma", self.gamma, 0.2, 5, meaning="2.2 = linear light, 1 = display values")
        require_number("highlight_gain", self.highlight_gain, 0, 1000)
        require_number("highlight_threshold", self.highlight_threshold, 0, 0.999)
        require_number("near_strength", self.near_strength, 0, 100)
        require_number("far_strength", self.far_strength, 0, 100)

    def at_width(self, width_px: int) -> "LensSettings":
        """The same lens for frames of a width, where this one is stated for frames 1024 px wide.

        Raises:
            ValueError: a contour tolerance outside of 0 to `MOST_TOLERANCE_PX`.
        """
        return replace(self, contour_reach_px=contour_reach_px(self.contour_reach_px, width_px))

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

        Raises:
            ValueError: more than `strength.most_strength_px`.
        """
        most_px = most_strength_px(width_px)
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


def lens_of_controls(
    *,
    blades: int = ROUND.blades,
    rotation: float = ROUND.rotation_deg,
    roundness: float = ROUND.roundness,
    anamorphic: float = ROUND.anamorphic_ratio,
    cat_eye: float = ROUND.cat_eye,
    light: str = DEFAULT_LIGHT,
    highlight_gain: float = DEFAULT_LENS.highlight_gain,
    highlight_threshold: float = DEFAULT_LENS.highlight_threshold,
    near_strength: float = DEFAULT_LENS.near_strength,
    far_strength: float = DEFAULT_LENS.far_strength,
    contour_tolerance: float = DEFAULT_LENS.contour_reach_px,
) -> LensSettings:
    """The lens, for frames 1024 px wide, that widgets of the node and options of the command line say.

    Args:
        blades, rotation, roundness, anamorphic, cat_eye: see `Aperture`; degrees, and height over width.
        light: `linear` or `display`.
        contour_tolerance: px on a frame 1024 px wide, 0 to 64.
        highlight_gain, highlight_threshold, near_strength, far_strength: see `LensSettings`.

    Raises:
        ValueError: one is out of range.
    """
    lens = LensSettings(
        aperture=Aperture(
            blades=blades,
            rotation_deg=rotation,
            roundness=roundness,
            anamorphic_ratio=anamorphic,
            cat_eye=cat_eye,
        ),
        gamma=gamma_of(light),
        highlight_gain=highlight_gain,
        highlight_threshold=highlight_threshold,
        near_strength=near_strength,
        far_strength=far_strength,
        contour_reach_px=contour_tolerance,
    )
    lens.at_width(REFERENCE_WIDTH_PX)
    return lens


LENS_CONTROLS: dict[str, Any] = {
    name: parameter.default for name, parameter in inspect.signature(lens_of_controls).parameters.items()
}
"""Defaults of the controls, in order."""
