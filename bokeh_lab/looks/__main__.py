"""Lens Blur against rays through the same lens, a row a look: python -m bokeh_lab.looks --help."""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np
import torch
from torch import Tensor

from bokeh_core.console import progress_bar
from bokeh_core.lens import LensSettings

from ..ground_truth import GroundTruthClip, render_clip
from ..metrics.clip_pair import ClipPair
from ..metrics.fidelity import edge_psnr, psnr
from ..scenes.presets import make_scene
from ..scenes.scene import Scene
from . import looks
from .finer import by_area, finer
from .given import GIVEN, PICTURE, rendered_given
from .lamps import with_lamps

GAMMA = 2.2
STRENGTHS = (16.0, 24.0, 32.0)
SIZE = (192, 320)


@dataclass(frozen=True)
class Likeness:
    """PSNR in dB of one clip as a screen shows it.

    Attributes:
        all: over the whole frame.
        edges, away: where light of two surfaces may mix, and where not; None = there is no such place.
        plain: of Lens Blur without the look.
    """

    all: float
    edges: float | None
    away: float | None
    plain: float


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bokeh_lab.looks",
        description="PSNR of Lens Blur against rays through the same lens, one row a look.",
    )
    parser.add_argument("--clips", type=int, default=6, help="how many, a frame each (default: 6)")
    parser.add_argument("--seed-from", type=int, default=20000, help="seed of the first (default: 20000)")
    parser.add_argument("--scenes", default="paper", help="preset of the scenes (default: paper)")
    parser.add_argument("--light", type=float, default=1.0, help="of the lamps, linear, 1 = white (default)")
    parser.add_argument("--rays-across", type=int, default=45, help="lens grid of the truth (default: 45)")
    parser.add_argument(
        "--finer",
        type=int,
        default=1,
        choices=(1, 3, 5),
        help="the mean of so many rows and columns of rays is a pixel (default: 1)",
    )
    parser.add_argument(
        "--given",
        action="append",
        choices=GIVEN,
        help="what of the truth Lens Blur is told: no more than a picture and a map (default), also the true "
        "colours and shares of all pixels that two surfaces share, or all layers; repeatable, a row each",
    )
    parser.add_argument("--each", action="store_true", help="also the PSNR of each clip")
    parser.add_argument("--look", action="append", choices=list(looks()), help="only this one; repeatable")
    parser.add_argument("--pictures", type=Path, help="folder for truth, Lens Blur and difference of each")
    return parser.parse_args(argv)


def scene_of(seed: int, arguments: argparse.Namespace) -> Scene:
    """One frame with lamps."""
    strength = STRENGTHS[seed % len(STRENGTHS)]
    scene = make_scene(arguments.scenes, seed, 1, *SIZE, strengths=[strength])
    return with_lamps(scene, seed, arguments.light, GAMMA)


def truth_of(scene: Scene, arguments: argparse.Namespace, lens: LensSettings) -> GroundTruthClip:
    """What a lens records of it, ray-traced."""
    clip = render_clip(
        finer(scene, arguments.finer), gamma=GAMMA, rays_across=arguments.rays_across, lens=lens
    )
    return by_area(clip, arguments.finer)


def likeness(truth: GroundTruthClip, picture: Tensor, plain: Tensor) -> Likeness:
    """Compare what Lens Blur makes, and what it makes without the look, with the truth."""
    shown = truth.bokeh.clamp(0, 1)

    def pair(prediction: Tensor, where: Tensor) -> ClipPair:
        return ClipPair(prediction.clamp(0, 1), shown, truth.frames.clamp(0, 1), truth.in_focus, where)

    near, away = (edge_psnr(pair(picture, where)) for where in (truth.edges, ~truth.edges))
    return Likeness(
        psnr(pair(picture, truth.edges)),
        near if isinstance(near, float) else None,
        away if isinstance(away, float) else None,
        psnr(pair(plain, truth.edges)),
    )


def _write(folder: Path, name: str, truth: Tensor, picture: Tensor) -> None:
    """Truth, Lens Blur, and four times their difference about grey, side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [truth.clamp(0, 1), picture.clamp(0, 1)]
    parts.append((0.5 + 4 * (parts[1] - parts[0])).clamp(0, 1))
    bgr = (torch.cat(parts, 1).numpy()[..., ::-1] * 255).round().astype(np.uint8)
    cv2.imwrite(str(folder / f"{name.replace(' ', '_')}.png"), bgr)


def _row(title: str, clips: Sequence[Likeness], each: bool) -> str:
    """A row of the table."""
    everywhere = [one.all for one in clips]
    near, away = _mean([one.edges for one in clips]), _mean([one.away for one in clips])
    values = [fmean(everywhere), min(everywhere), near, away, fmean(one.plain for one in clips)]
    row = f"| {title} | " + " | ".join(f"{value:.2f}" for value in values) + " |"
    return row + " " + ", ".join(f"{one:.1f}" for one in everywhere) + " |" if each else row


def _mean(values: Sequence[float | None]) -> float:
    """Mean of those there are."""
    there = [value for value in values if value is not None]
    return fmean(there) if there else math.nan


def main(argv: Sequence[str]) -> None:
    """Measure and print the table."""
    arguments = parse(argv)
    chosen = {name: lens for name, lens in looks().items() if name in (arguments.look or looks())}
    lines = [
        "| look | PSNR, dB | least | near edges, dB | away from edges, dB | without the look, dB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    if arguments.each:
        lines = [lines[0] + " each clip, dB |", lines[1] + "---|"]
    given = arguments.given or [PICTURE]
    with progress_bar("looks", "clip", len(chosen) * arguments.clips) as bar:
        for name, lens in chosen.items():
            found: dict[str, list[Likeness]] = {told: [] for told in given}
            for seed in range(arguments.seed_from, arguments.seed_from + arguments.clips):
                scene = scene_of(seed, arguments)
                truth, layered = truth_of(scene, arguments, lens), scene.layers(0)
                for told in given:
                    picture, plain = (
                        rendered_given(told, truth, layered, look) for look in (lens, LensSettings())
                    )
                    found[told].append(likeness(truth, picture, plain))
                    if arguments.pictures:
                        _write(arguments.pictures, f"{name}_{told}_{seed}", truth.bokeh[0], picture[0])
                bar.update()
            for told, clips in found.items():
                title = name if told == PICTURE else f"{name}, given {told}"
                lines.append(_row(title, clips, arguments.each))
                bar.write(lines[-1], file=sys.stderr)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
