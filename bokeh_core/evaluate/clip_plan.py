"""The synthetic clips of an evaluation: which scenes, how large, how long, through which lens."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..scenes.presets import PRESETS

_SIZE = re.compile(r"(\d+)x(\d+)")
_SMALLEST_SIDE_PX = 16


@dataclass(frozen=True)
class ClipPlan:
    """One synthetic clip.

    Attributes:
        preset: of `scenes.presets`.
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


def plan_clips(
    preset: str,
    clips: int,
    size: str,
    num_frames: int,
    *,
    seed_from: int = 0,
    strengths: Sequence[float] = (),
    gamma: float = 1.0,
    rays_across: int | None = None,
    library: Path | None = None,
    split: str = "held-out",
) -> list[ClipPlan]:
    """Lay out clips with seeds `seed_from`, `seed_from` + 1, ...; strengths take turns.

    Raises:
        ValueError: no such preset, a count below 1, a size that is not "1024x576", or a negative strength.
    """
    if preset not in PRESETS:
        raise ValueError(f"There is no preset {preset!r}; choose one of {', '.join(PRESETS)}.")
    match = _SIZE.fullmatch(size)
    if match is None:
        raise ValueError(f"The size is {size!r}; write width x height in px, such as 1024x576.")
    width, height = int(match[1]), int(match[2])
    if min(width, height) < _SMALLEST_SIDE_PX:
        raise ValueError(f"The size is {size}; each side must be {_SMALLEST_SIDE_PX} px or more.")
    if clips < 1 or num_frames < 1:
        raise ValueError(f"{clips} clips of {num_frames} frames; there must be at least 1 of each.")
    if seed_from < 0:
        raise ValueError(f"The first seed is {seed_from}; it must be 0 or more.")
    if any(not 0 <= strength < float("inf") for strength in strengths):
        raise ValueError(
            f"The strengths are {', '.join(f'{s:g}' for s in strengths)}; each must be 0 px or more."
        )
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
