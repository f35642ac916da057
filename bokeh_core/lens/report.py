"""What a lens is, in words, and what of it the paper's model can honour."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..coc import Falloff
from ..schedule.named import stated_length
from .controls import FALLOFF_CONTROLS, LENS_CONTROLS, controls_of
from .over_time import Lens, LensOverTime, still_part
from .settings import LensSettings


def changed_controls(lens: Lens) -> dict[str, Any]:
    """Controls that are not at their defaults; one that moves as its text, an aperture image as its size."""
    still = still_part(lens)
    changed = {name: value for name, value in controls_of(still).items() if value != LENS_CONTROLS[name]}
    if isinstance(lens, LensOverTime):
        changed |= {name: f"moving ({_one_line(text)})" for name, text in lens.schedules.items()}
    image = still.aperture.image
    if image is None:
        return changed
    return {**changed, "aperture_image": f"of {image.light.shape[1]} x {image.light.shape[0]} px"}


def shown_controls(controls: dict[str, Any]) -> str:
    """Controls as a text: `blades 6, cat_eye 0.4`."""
    return ", ".join(
        f"{name} {value}" if isinstance(value, str) else f"{name} {value:g}"
        for name, value in controls.items()
    )


def lens_report(lens: Lens) -> str:
    """One line that says in what a lens differs from the default one."""
    changed = changed_controls(lens)
    return f"{shown_controls(changed)}; all else at its default." if changed else "all at its default."


def stated_numbers(lens: Lens) -> dict[str, Tensor]:
    """What moves, [T] each up to the last frame that is stated; where nothing does, what most often would."""
    if isinstance(lens, LensSettings):
        controls = controls_of(lens)
        names = ("near_strength", "far_strength", "highlight_gain")
        return {name: torch.tensor([controls[name]]) for name in names}
    length = stated_length(lens.schedules)
    return {name: torch.tensor(values) for name, values in lens.values(length).items()}


def falloff_alone(lens: Lens, also: Sequence[str] = ()) -> Falloff | LensOverTime:
    """The part of a lens that the paper's model can honour; a lens that moves has no other.

    Args:
        lens: what was chosen.
        also: controls that this model honours beside the falloff.

    Raises:
        ValueError: the lens says more than that.
    """
    beyond = {
        name: value
        for name, value in changed_controls(lens).items()
        if name not in (*FALLOFF_CONTROLS, *also)
    }
    if beyond:
        defaults = {name: LENS_CONTROLS.get(name, "none") for name in beyond}
        raise ValueError(
            f"The paper's model has its blur from its training and cannot honour {shown_controls(beyond)}. "
            f"It honours {', '.join((*FALLOFF_CONTROLS, *also))}; set the others back to their defaults "
            f"({shown_controls(defaults)}), or choose the renderer lens."
        )
    return lens.falloff if isinstance(lens, LensSettings) else lens


def _one_line(text: str, most: int = 60) -> str:
    line = ", ".join(text.splitlines())
    return line if len(line) <= most else f"{line[:most]}..."
