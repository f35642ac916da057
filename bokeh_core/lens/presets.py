"""Lenses by their character: presets that only fill in controls."""

from typing import Any

from .controls import LENS_CONTROLS

PRESETS: dict[str, dict[str, Any]] = {
    "clean modern": {"blades": 9, "roundness": 0.85, "cat_eye": 0.25},
    "soap bubble": {"cat_eye": 0.35, "ring": 0.8, "highlight_gain": 2.0},
    "swirl": {"cat_eye": 0.8, "swirl": 0.5, "ring": 0.3, "highlight_gain": 1.0},
    "anamorphic": {"anamorphic": 1.8, "cat_eye": 0.3, "highlight_gain": 1.5, "grain": 1.0},
    "cine hexagon": {"blades": 6, "rotation": 15.0, "roundness": 0.15, "highlight_gain": 1.0, "grain": 1.0},
    "creamy portrait": {"blades": 11, "roundness": 0.95, "cat_eye": 0.45, "ring": -0.7},
}
"""What each preset sets; its other controls of character are at their defaults."""

CHARACTER = (
    "blades",
    "rotation",
    "roundness",
    "anamorphic",
    "cat_eye",
    "swirl",
    "ring",
    "fringe",
    "highlight_gain",
    "highlight_threshold",
    "grain",
)
"""The controls that presets decide on. The others depend on the scene, its depth map and the footage."""


def with_preset(preset: str, controls: dict[str, Any]) -> dict[str, Any]:
    """Controls whose character is that of a preset.

    Args:
        preset: a name in `PRESETS`.
        controls: by name; those of `CHARACTER` give way.

    Raises:
        ValueError: an unknown preset.
    """
    if preset not in PRESETS:
        raise ValueError(f"There is no preset {preset!r:.60}; choose one of {', '.join(PRESETS)}.")
    return {**controls, **{name: LENS_CONTROLS[name] for name in CHARACTER}, **PRESETS[preset]}
