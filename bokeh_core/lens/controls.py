"""What users set on the lens, by the names of widgets and options: nodes, command line, files, presets."""

import inspect
import math
from dataclasses import replace
from typing import Any

from ..reference_width import REFERENCE_WIDTH_PX
from ..setting_checks import require_number
from ..strength import MAX_STRENGTH
from ..transfer import DEFAULT_LIGHT, GAMMA_OF_LIGHT
from .aperture import ROUND, Aperture
from .aperture_image import ApertureImage
from .light import gamma_of
from .settings import DEFAULT_LENS, LensSettings


def lens_of_controls(
    *,
    blades: int = ROUND.blades,
    rotation: float = ROUND.rotation_deg,
    roundness: float = ROUND.roundness,
    anamorphic: float = ROUND.anamorphic_ratio,
    cat_eye: float = ROUND.cat_eye,
    swirl: float = ROUND.swirl,
    ring: float = ROUND.ring,
    fringe: float = DEFAULT_LENS.fringe,
    light: str = DEFAULT_LIGHT,
    highlight_gain: float = DEFAULT_LENS.highlight_gain,
    highlight_threshold: float = DEFAULT_LENS.highlight_threshold,
    near_strength: float = DEFAULT_LENS.near_strength,
    far_strength: float = DEFAULT_LENS.far_strength,
    contour_tolerance: float = DEFAULT_LENS.contour_reach_px,
    focus_range: float = DEFAULT_LENS.focus_range,
    largest_radius: float = MAX_STRENGTH,
    grain: float = DEFAULT_LENS.grain,
    aperture_image: ApertureImage | None = None,
) -> LensSettings:
    """The lens, for frames 1024 px wide, that widgets of the node and options of the command line say.

    Args:
        blades, rotation, roundness, anamorphic, cat_eye, swirl, ring, aperture_image: see `Aperture`;
            degrees, and height over width.
        light: `linear` or `display`.
        contour_tolerance: px on a frame 1024 px wide, 0 to 64.
        highlight_gain, highlight_threshold, near_strength, far_strength, focus_range, fringe, grain: see
            `LensSettings`.
        largest_radius: px on a frame 1024 px wide, 0 to `strength.MAX_STRENGTH`, which limits nothing.

    Raises:
        ValueError: one is out of range.
    """
    require_number("largest_radius", largest_radius, 0, MAX_STRENGTH, "px", "0 = no blur")
    lens = LensSettings(
        aperture=Aperture(
            blades=blades,
            rotation_deg=rotation,
            roundness=roundness,
            anamorphic_ratio=anamorphic,
            cat_eye=cat_eye,
            swirl=swirl,
            ring=ring,
            image=aperture_image,
        ),
        gamma=gamma_of(light),
        highlight_gain=highlight_gain,
        highlight_threshold=highlight_threshold,
        near_strength=near_strength,
        far_strength=far_strength,
        contour_reach_px=contour_tolerance,
        focus_range=focus_range,
        fringe=fringe,
        grain=grain,
        largest_radius_px=math.inf if largest_radius == MAX_STRENGTH else largest_radius,
    )
    lens.at_width(REFERENCE_WIDTH_PX)
    return lens


LENS_CONTROLS: dict[str, Any] = {
    name: parameter.default
    for name, parameter in inspect.signature(lens_of_controls).parameters.items()
    if name != "aperture_image"
}
"""Defaults of the controls that are numbers or words, in order."""


def controls_of(lens: LensSettings) -> dict[str, Any]:
    """The `LENS_CONTROLS` of a lens stated for frames 1024 px wide; light may be a gamma."""
    aperture = lens.aperture
    return {
        "blades": aperture.blades,
        "rotation": aperture.rotation_deg,
        "roundness": aperture.roundness,
        "anamorphic": aperture.anamorphic_ratio,
        "cat_eye": aperture.cat_eye,
        "swirl": aperture.swirl,
        "ring": aperture.ring,
        "fringe": lens.fringe,
        "light": next((name for name, gamma in GAMMA_OF_LIGHT.items() if gamma == lens.gamma), lens.gamma),
        "highlight_gain": lens.highlight_gain,
        "highlight_threshold": lens.highlight_threshold,
        "near_strength": lens.near_strength,
        "far_strength": lens.far_strength,
        "contour_tolerance": lens.contour_reach_px,
        "focus_range": lens.focus_range,
        "largest_radius": min(lens.largest_radius_px, MAX_STRENGTH),
        "grain": lens.grain,
    }


FALLOFF_CONTROLS = ("near_strength", "far_strength", "focus_range", "largest_radius")
"""Those that say how large the blur is where; the others say what it looks like."""

MOVING_CONTROLS = tuple(
    name
    for name, default in LENS_CONTROLS.items()
    if isinstance(default, float) and name != "contour_tolerance"
)
"""Those that may move over the clip. How far a depth map is off, and how many blades there are, stay."""


def moved(lens: LensSettings, **changes: float) -> LensSettings:
    """A lens, stated for frames 1024 px wide, with other values of some `MOVING_CONTROLS`.

    Raises:
        ValueError: one is out of range.
    """
    controls = {**controls_of(lens), "light": DEFAULT_LIGHT, **changes}
    made = lens_of_controls(**controls, aperture_image=lens.aperture.image)
    return replace(made, gamma=lens.gamma)
