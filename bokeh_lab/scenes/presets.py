"""Synthetic clips by preset and seed (paper section 4.1 and appendix A)."""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from bokeh_core.strength import strength_in_pixels

from .draws import Draws
from .library import AssetLibrary
from .maker import PlaneMaker, SceneDistribution
from .scene import Plane, Scene

STRENGTHS = (4.0, 8.0, 16.0, 32.0)
"""K of the paper's test clips, in px on a frame 1024 px wide."""

_RACK_FOCUS = 1 / 3
_BACKGROUND_FOCUS = 0.2

_PRESETS = {
    "paper": SceneDistribution(
        cutouts={"library": 0.7, "hair": 0.15, "thin": 0.08, "blob": 0.07},
        backgrounds={"photograph": 0.65, "surface": 0.12, "texture": 0.08, "night": 0.15},
        objects=(1, 4),
        slanted_background=0.25,
        highlights=0.4,
        travel=0.12,
        period_frames=(30, 80),
        spread=0.8,
    ),
    "authors": SceneDistribution(
        cutouts={"library": 1.0},
        backgrounds={"photograph": 1.0},
        objects=(1, 4),
        slanted_background=0.0,
        highlights=0.0,
        travel=0.0,
        period_frames=(30, 80),
        spread=1.0,
        authors_motion=True,
    ),
    "hard": SceneDistribution(
        cutouts={"library": 0.25, "hair": 0.35, "thin": 0.4},
        backgrounds={"photograph": 0.5, "surface": 0.2, "texture": 0.1, "night": 0.2},
        objects=(3, 4),
        slanted_background=0.2,
        highlights=1.0,
        travel=0.2,
        period_frames=(14, 32),
        spread=0.35,
    ),
}
PRESETS = tuple(_PRESETS)


def make_scene(
    preset: str,
    seed: int,
    num_frames: int,
    height: int,
    width: int,
    library: AssetLibrary | None = None,
    *,
    strengths: Sequence[float] | None = None,
) -> Scene:
    """Draw a scene: a background and one to four cut-outs that move, a focus and a blur strength.

    The same arguments give the same scene on every machine. Foreground depths are linspace(1, 5, 4) +- 0.25,
    the background's 100 to 200 (or a ground or wall that reaches nearer); disparity is 1 / z, min-max
    normalised over what the clip shows. Planes never cross: each has a range of depths of its own.

    Args:
        preset: "paper" (smooth motion, slanted planes, photographs, some hair and highlights), "authors"
            (random walk, depths drawn anew for every frame) or "hard" (thin structures, hair, overlap, fast).
        seed: any integer.
        num_frames, height, width: of the clip.
        library: where photographs and cut-outs come from; None = `AssetLibrary.load()`.
        strengths: values that K is drawn from, in px on a frame 1024 px wide; None = `STRENGTHS`.

    Raises:
        ValueError: unknown preset, an empty clip, a frame under 32 px, a negative or missing strength, or
            a library without pictures.
    """
    if preset not in _PRESETS:
        raise ValueError(f"preset is {preset!r}; choose one of {', '.join(PRESETS)}.")
    if num_frames < 1 or min(height, width) < 32:
        raise ValueError(
            f"The clip has {num_frames} frames of {width} x {height} px; 1 and 32 x 32 are needed."
        )
    choices = tuple(STRENGTHS if strengths is None else strengths)
    if not choices or not all(value >= 0 for value in choices):
        raise ValueError(f"strengths is {choices}; give at least one value, each 0 or more.")
    maker = PlaneMaker(
        _PRESETS[preset], (preset, seed), num_frames, height, width, library or _bundled_library()
    )
    planes = maker.planes()
    draws = Draws.named(preset, seed, "lens")
    focal, subject = _focus(planes, draws, num_frames, height, width)
    strength = torch.full((num_frames,), float(draws.choice(choices)))
    return Scene(planes, height, width, focal, strength_in_pixels(strength, width), subject)


@lru_cache(maxsize=1)
def _bundled_library() -> AssetLibrary:
    return AssetLibrary.load()


def _focus(
    planes: Sequence[Plane], draws: Draws, num_frames: int, height: int, width: int
) -> tuple[Tensor, int]:
    """Focal disparity [T], and the plane it is nearest to for the longest time.

    Most clips stay on one plane; in the others the focus moves evenly from one to another.
    """
    middles = torch.stack([_middle_disparity(plane, height, width) for plane in planes])  # [P, T]
    background = len(planes) - 1
    first = background if draws.chance(_BACKGROUND_FOCUS) else draws.integer(0, background - 1)
    second = (first + draws.integer(1, background)) % len(planes)
    if not draws.chance(_RACK_FOCUS):
        return middles[first].float().clamp(0, 1), first
    weight = torch.linspace(0, 1, num_frames, dtype=torch.float64)
    focal = torch.lerp(middles[first, 0], middles[second, -1], weight)
    nearest = (middles - focal).abs().argmin(0)
    return focal.float().clamp(0, 1), int(nearest.bincount(minlength=len(planes)).argmax())


def _middle_disparity(plane: Plane, height: int, width: int) -> Tensor:
    """Disparity [T] at the middle of a plane's texture, or the part of the frame that is nearest to it."""
    middle = torch.tensor([(plane.texture.shape[2] - 1) / 2, (plane.texture.shape[1] - 1) / 2]).double()
    at = torch.linalg.solve(plane.placement[:, :, :2], middle - plane.placement[:, :, 2])
    x, y = at[:, 0].clamp(0, width - 1), at[:, 1].clamp(0, height - 1)
    return plane.disparity[:, 0] + plane.disparity[:, 1] * x + plane.disparity[:, 2] * y
