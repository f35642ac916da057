"""What of a lens the browser's preview shows, and the names of what it does not."""

from typing import Any

from ..lens.controls import changed_controls, controls_of
from ..lens.settings import DEFAULT_LENS, LensSettings
from ..strength import MAX_STRENGTH

SHOWN = (
    "blades",
    "rotation",
    "roundness",
    "anamorphic",
    "ring",
    "near_strength",
    "far_strength",
    "focus_range",
    "largest_radius",
)
"""Controls that web/viewfinder/lens_shader.js draws, besides the light."""


def lens_facts(lens: LensSettings = DEFAULT_LENS) -> dict[str, Any]:
    """Return what the preview shows of a lens stated for frames 1024 px wide, as JSON takes it.

    Returns:
        the controls of `SHOWN`, with a largest_radius of None where there is no limit; `gamma`; and in
        `unseen` the names of the other controls that are not at their defaults.
    """
    controls = controls_of(lens)
    facts = {name: controls[name] for name in SHOWN}
    if facts["largest_radius"] >= MAX_STRENGTH:
        facts["largest_radius"] = None
    unseen = [name for name in changed_controls(lens) if name not in (*SHOWN, "light")]
    return {**facts, "gamma": lens.gamma, "unseen": unseen}
