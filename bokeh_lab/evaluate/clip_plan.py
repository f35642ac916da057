"""The synthetic clips of an evaluation: which scenes, how large, how long, through which lens."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bokeh_core.strength import MAX_STRENGTH

from ..mitsuba.runtime import missing
from ..scenes.presets import PRESETS

_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})", re.ASCII)
_SMALLEST_SIDE_PX, _LARGEST_SIDE_PX = 16, 16_384
# Larger ones are slips of the keyboard, and would end in a machine without memory.
_MOST, _MOST_RAYS_ACROSS, _LARGEST_GAMMA = 100_000, 1_001, 10.0


SOLID, SOLID_AVERAGED = SOLID_PRESETS = ("mitsuba", "mitsuba_averaged")
"""Scenes of real geometry: with the depth at the centre of each pixel, or the mean over its square."""

ALL_PRESETS = (*PRESETS, *SOLID_PRESETS)

_GAMMA_OF_PAPER, _GAMMA_OF_SOLIDS = 1.0, 2.2


@dataclass(frozen=True)
class ClipPlan:
    """One synthetic clip of an evaluation, by what decides its content.

    Attributes:
        preset: of `ALL_PRESETS`.
        seed: of the scene.
        num_frames, height, width: of the clip, px.
        gamma: light = display ** gamma is averaged.
        strength: K in px of a frame 1024 px wide; None = what the preset draws.
        rays_across: lens grid of the ground truth; None = as many as the blur needs.
        library: folder of pictures; None = where `AssetLibrary.load` looks.
        split: which of its pictures: "held-out", "training" or "all".
    """

    preset: str
    seed: int
    num_frames: int
    height: int
    width: int
    gamma: float = 1.0
    strength: float | None = None
    rays_across: int | None = None
    library: Path | None = None
    split: str = "held-out"

    @property
    def name(self) -> str:
        """Short and unique within an evaluation, for file names."""
        return f"{self.preset}_{self.seed}"

    @property
    def solid(self) -> bool:
        """Whether it shows real geometry, rendered by Mitsuba; it has no layers then."""
        return self.preset in SOLID_PRESETS


def plan_clips(
    preset: str,
    clips: int,
    size: str,
    num_frames: int,
    *,
    seed_from: int = 0,
    strengths: Sequence[float] = (),
    gamma: float | None = None,
    rays_across: int | None = None,
    library: Path | None = None,
    split: str = "held-out",
) -> list[ClipPlan]:
    """Lay out clips with seeds `seed_from`, `seed_from` + 1, ...; strengths take turns.

    Without a gamma clips of planes add up display values, as the paper's data, and solid scenes linear light.

    Raises:
        ValueError: no such preset, one whose renderer is not installed, a size that is not "1024x576", or a
            number out of range.
    """
    if preset not in ALL_PRESETS:
        raise ValueError(f"There is no preset {preset!r}; choose one of {', '.join(ALL_PRESETS)}.")
    solid = preset in SOLID_PRESETS
    if solid and (why_not := missing()) is not None:
        raise ValueError(f"The preset {preset} needs it: {why_not}.")
    if solid and rays_across is not None:
        raise ValueError(
            f"--rays-across is {rays_across}; the preset {preset} takes as many as its noise needs."
        )
    if gamma is None:
        gamma = _GAMMA_OF_SOLIDS if solid else _GAMMA_OF_PAPER
    match = _SIZE.fullmatch(size)
    if match is None:
        raise ValueError(f"The size is {size!r:.40}; write width x height in px, such as 1024x576.")
    width, height = int(match[1]), int(match[2])
    if min(width, height) < _SMALLEST_SIDE_PX:
        raise ValueError(f"The size is {size}; each side must be {_SMALLEST_SIDE_PX} px or more.")
    if max(width, height) > _LARGEST_SIDE_PX:
        raise ValueError(f"The size is {size:.40}; each side must be {_LARGEST_SIDE_PX} px or less.")
    if not 1 <= clips <= _MOST or not 1 <= num_frames <= _MOST:
        raise ValueError(f"{clips} clips of {num_frames} frames; there must be 1 to {_MOST} of each.")
    if not 0 <= seed_from < 2**62:
        raise ValueError(f"The first seed is {seed_from}; it must be 0 to below 2^62.")
    if not 0 < gamma <= _LARGEST_GAMMA:
        raise ValueError(f"The gamma is {gamma:g}; it must be above 0, up to {_LARGEST_GAMMA:g}.")
    if rays_across is not None and not 1 <= rays_across <= _MOST_RAYS_ACROSS:
        raise ValueError(f"--rays-across is {rays_across}; it must be 1 to {_MOST_RAYS_ACROSS}.")
    wrong = [strength for strength in strengths if not 0 <= strength <= MAX_STRENGTH]
    if wrong:
        raise ValueError(f"A strength is {wrong[0]:g}; each must be 0 to {MAX_STRENGTH:g} px.")
    return [
        ClipPlan(
            preset,
            seed_from + i,
            num_frames,
            height,
            width,
            gamma,
            strengths[i % len(strengths)] if strengths else None,
            rays_across,
            library,
            split,
        )
        for i in range(clips)
    ]
