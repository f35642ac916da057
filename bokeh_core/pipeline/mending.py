"""Maps that a model's file asks to have mended by the frames, before the network and the mixing read them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from ..clip.checks import checked_values
from ..disparity.refine import RefineSettings, refine_clip
from ..progress import Progress, no_progress

MENDING = RefineSettings(trained=True)
"""What is mended where the focus is measured afterwards, or is one number for the clip.

The trained part brings back more of torn limbs and of thin things than rules do.
"""

WITHOUT_SCALE = (
    "The scale of the maps is as it came, as the focus moves with it. Refine Depth before the node that "
    "gives the focus steadies both."
)
"""What is told where `mending_for` leaves the scale of maps."""


@dataclass(frozen=True)
class MendedMaps:
    """Maps that are mended.

    Attributes:
        disparity: [T, H, W] in [0, 1], 1 = near.
        report: what was done.
    """

    disparity: Tensor
    report: str


def mending_for(focal_disparity: Tensor | None) -> RefineSettings:
    """What is mended beside a focus; None where the focus is measured on the mended maps.

    A focus that moves was measured or keyed in the maps as they came: steadied maps would leave it behind.

    Args:
        focal_disparity: [T] or [1].
    """
    if focal_disparity is None or bool((focal_disparity == focal_disparity[0]).all()):
        return MENDING
    return replace(MENDING, steady=False)


def mended_maps(
    frames: Tensor,
    disparity: Tensor,
    focal_disparity: Tensor | None = None,
    *,
    progress: Progress = no_progress,
) -> MendedMaps:
    """Mend the maps of a clip in memory, on the device of the maps.

    Args:
        frames: [T, 3, H, W], 0 = black, 1 = white.
        disparity: [T, H, W] in [0, 1], or [1, H, W] for all frames.
        focal_disparity: see `mending_for`.
        progress: told of frames; may raise to stop.

    Raises:
        ValueError: see `refine_clip`; a focus that is not finite or out of range.
    """
    if focal_disparity is not None:
        focal_disparity = checked_values(focal_disparity, "focal_disparity")
    settings = mending_for(focal_disparity)
    found = refine_clip(frames.movedim(1, -1), disparity, settings, progress=progress)
    lines = [f"Depth mended by the frames. {found.report}", *([] if settings.steady else [WITHOUT_SCALE])]
    return MendedMaps(found.disparity, "\n".join(lines))
