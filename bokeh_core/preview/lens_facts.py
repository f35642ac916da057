"""What of a lens the browser's preview shows, and the names of what it does not."""

from typing import Any

from ..lens.controls import controls_of
from ..lens.over_time import Lens
from ..lens.report import changed_controls
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


def lens_facts(lens: Lens = DEFAULT_LENS) -> dict[str, Any]:
    """Return what the preview shows of a lens stated for frames 1024 px wide, as JSON takes it.

    Of one that moves it shows the first frame's.

    Returns:
        the controls of `SHOWN`, with a largest_radius of None where there is no limit; `gamma`; and in
        `unseen` the names of the other controls that are not at their defaults, and of those that move.
    """
    if isinstance(lens, LensSettings):
        still, moving = lens, []
    else:
        still, moving = lens.at_frames(1)[0], list(lens.schedules)
    controls = controls_of(still)
    facts = {name: controls[name] for name in SHOWN}
    if facts["largest_radius"] >= MAX_STRENGTH:
        facts["largest_radius"] = None
    unseen = [name for name in changed_controls(still) if name not in (*SHOWN, "light", *moving)]
    return {**facts, "gamma": still.gamma, "unseen": [*unseen, *moving]}
