"""A lens whose numbers move over the clip: schedules by the names of controls -> one lens a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ..schedule.named import late_notes, stated_range
from ..schedule.values import EASINGS, schedule_values
from ..setting_checks import require_choice
from .controls import LENS_CONTROLS, MOVING_CONTROLS, lens_of_controls, moved
from .settings import DEFAULT_LENS, LensSettings


@dataclass(frozen=True)
class LensOverTime:
    """A lens of which some numbers move.

    Attributes:
        still: the lens without them, stated for frames 1024 px wide.
        schedules: what moves, by the name of its control, one of `MOVING_CONTROLS`; texts as
            `schedule.values.schedule_values` takes them.
        easing: curve between keyframes, one of `schedule.values.EASINGS`.

    Raises:
        ValueError: a control that does not move, a text that cannot be read, or a value out of its range.
    """

    still: LensSettings = DEFAULT_LENS
    schedules: Mapping[str, str] = field(default_factory=dict)
    easing: str = "linear"

    def __post_init__(self) -> None:
        require_choice("easing", self.easing, EASINGS)
        for name, text in self.schedules.items():
            if name not in MOVING_CONTROLS:
                raise ValueError(f"{name} does not move; these may: {', '.join(MOVING_CONTROLS)}.")
            for value in stated_range(text, name):
                moved(self.still, **{name: value})

    def values(self, num_frames: int) -> dict[str, list[float]]:
        """What each schedule says of every frame.

        Raises:
            ValueError: a list or table shorter than the clip.
        """
        return {
            name: schedule_values(text, num_frames, column=name, easing=self.easing).tolist()
            for name, text in self.schedules.items()
        }

    def at_frames(self, num_frames: int) -> tuple[LensSettings, ...]:
        """The lens of each frame of a clip, stated for frames 1024 px wide; equal neighbours are one object.

        Raises:
            ValueError: see `values`.
        """
        found = self.values(num_frames)
        lenses: list[LensSettings] = []
        before: tuple[float, ...] | None = None
        for values in zip(*found.values(), strict=True):
            if values != before:
                lens = moved(self.still, **dict(zip(found, values, strict=True)))
            lenses.append(lens)
            before = values
        return tuple(lenses)


Lens = LensSettings | LensOverTime
"""What a LENS is: the same in every frame, or moving."""


def still_part(lens: Lens) -> LensSettings:
    """A lens less what moves."""
    return lens if isinstance(lens, LensSettings) else lens.still


def past_the_end(lens: object, num_frames: int) -> list[str]:
    """What to tell of keyframes of a lens that moves past the end of a clip."""
    return late_notes(lens.schedules, num_frames) if isinstance(lens, LensOverTime) else []


def lens_said(controls: Mapping[str, Any], schedules: Mapping[str, str], easing: str = "linear") -> Lens:
    """A lens, stated for frames 1024 px wide, from controls by name and the schedules of those that move.

    Raises:
        ValueError: see `lens_of_controls` and `LensOverTime`.
    """
    require_choice("easing", easing, EASINGS)
    # A control that moves is only what its schedule says.
    defaults = {name: LENS_CONTROLS[name] for name in schedules if name in LENS_CONTROLS}
    still = lens_of_controls(**{**controls, **defaults})
    return LensOverTime(still, dict(schedules), easing) if schedules else still


def at_width(lens: Lens, num_frames: int, width_px: int) -> LensSettings | tuple[LensSettings, ...]:
    """A lens for frames of a width: one, or where it moves one a frame.

    Raises:
        ValueError: see `LensSettings.at_width` and `LensOverTime.values`.
    """
    if isinstance(lens, LensSettings):
        return lens.at_width(width_px)
    turned: dict[int, LensSettings] = {}
    lenses = lens.at_frames(num_frames)
    for each in lenses:
        if id(each) not in turned:
            turned[id(each)] = each.at_width(width_px)
    return tuple(turned[id(each)] for each in lenses)


def require_strength(
    lens: LensSettings | Sequence[LensSettings], blur_strength_px: Tensor, width_px: int
) -> None:
    """`LensSettings.require_strength`, of one lens or of one for each frame; K is [T], or [1] for all.

    Raises:
        ValueError: see there.
    """
    if isinstance(lens, LensSettings):
        lens.require_strength(blur_strength_px, width_px)
        return
    for one, strength_px in zip(lens, blur_strength_px.expand(len(lens)), strict=True):
        one.require_strength(strength_px, width_px)


def differ_in_more_than_amounts(a: LensSettings, b: LensSettings) -> bool:
    """Whether two frames through these lenses cannot go through every step together."""
    return a is not b and a.without_amounts() != b.without_amounts()


def runs_alike(frames: range, lenses: LensSettings | Sequence[LensSettings]) -> list[range]:
    """Divide frames into runs that can go through every step together, in order."""
    if isinstance(lenses, LensSettings):
        return [frames]
    runs = [range(frames.start, frames.start + 1)]
    for t in frames[1:]:
        if differ_in_more_than_amounts(lenses[runs[-1].start], lenses[t]):
            runs.append(range(t, t + 1))
        else:
            runs[-1] = range(runs[-1].start, t + 1)
    return runs
