"""What light beyond white is worth, against Mitsuba's lens: python -m bokeh_lab.mitsuba.light --help."""

import argparse
import math
import sys
from collections.abc import Sequence
from statistics import fmean

import torch
from torch import Tensor

from bokeh_core.coc import signed_circle_of_confusion_px
from bokeh_core.console import progress_bar
from bokeh_core.lens import lens_blur
from bokeh_core.lens.lamps import lamps_in
from bokeh_core.lens.neighbourhood import dilate

from ..ground_truth import GroundTruthClip
from ..scenes.library import AssetLibrary
from .clip import render_solid_clip
from .scenes import KINDS, STRENGTHS, make_solid_scene

LAMPS, GLOSSY = "lamps", "glossy"
GAINS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
# Two pictures of independent noise differ by twice its power.
_OF_TWO_DB = 3.01
# A lamp that comes so near the border shines across it.
_BORDER_PX = 2


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bokeh_lab.mitsuba.light",
        description="PSNR, as a screen shows it, of Lens Blur on scenes with lamps or highlights. Frames are "
        "clipped at white, without and with the highlight gain that is best for all shots, or keep their "
        "light; the truth is blurred with all of its light.",
    )
    parser.add_argument("--shots", type=int, default=3, help="how many, radii take turns (default: 3)")
    parser.add_argument("--kind", choices=(LAMPS, GLOSSY), default=LAMPS, help="of scenes (default: lamps)")
    parser.add_argument("--size", default="448x256", help="of the frames, px (default: 448x256)")
    return parser.parse_args(argv)


def shown_psnr(picture: Tensor, truth: Tensor, where: Tensor | None = None) -> float:
    """PSNR in dB of display values [1, H, W, 3], cut at white; of all pixels or where a bool [H, W] says."""
    error = (picture.clamp(0, 1) - truth.clamp(0, 1)).square()
    return -10 * math.log10((error if where is None else error[0][where]).mean().item())


def within_frame(truth: GroundTruthClip) -> Tensor:
    """Where no light of a lamp arrives that the border of the frame cuts: bool [H, W].

    How much of such a lamp lies outside a picture does not tell.
    """
    height, width = truth.frames.shape[1:3]
    border = torch.ones(height, width, dtype=torch.bool)
    border[_BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX] = False
    radius_px = signed_circle_of_confusion_px(
        truth.disparity, truth.focal_disparity, truth.blur_strength_px
    ).abs()
    cut = border & lamps_in(truth.frames[0].movedim(-1, 0) ** truth.gamma)
    return ~dilate(cut, math.ceil(radius_px.max().item()) + _BORDER_PX)


def blurred(truth: GroundTruthClip, frames: Tensor, gain: float = 0.0) -> Tensor:
    """Lens Blur of frames, with the exact depth of a clip and a gain of highlights."""
    return lens_blur(
        frames,
        truth.disparity,
        truth.focal_disparity,
        truth.blur_strength_px,
        contour_reach_px=0,
        highlight_gain=gain,
    )


def main(argv: Sequence[str]) -> None:
    """Measure and print the table."""
    arguments = parse(argv)
    width, height = (int(side) for side in arguments.size.split("x"))
    library = AssetLibrary.load()
    rows, by_gain = [], []
    with progress_bar("light", "shot", arguments.shots) as bar:
        for shot in range(arguments.shots):
            # The scenes of lamps are those that take turns in the presets of the evaluation.
            seed = shot * len(KINDS) + (tuple(KINDS).index(LAMPS) if arguments.kind == LAMPS else 0)
            scene = make_solid_scene(seed, library, arguments.kind)
            truth, again = (
                render_solid_clip(scene, 1, height, width, keeps_light=True, noise=noise) for noise in (0, 1)
            )
            clipped = truth.frames.clamp(0, 1)
            by_gain.append([shown_psnr(blurred(truth, clipped, gain), truth.bokeh) for gain in GAINS])
            kept = blurred(truth, truth.frames)
            rows.append(
                [
                    shown_psnr(blurred(truth, clipped), truth.bokeh),
                    shown_psnr(kept, truth.bokeh),
                    shown_psnr(kept, truth.bokeh, within_frame(truth)),
                    shown_psnr(again.bokeh, truth.bokeh) + _OF_TWO_DB,
                ]
            )
            bar.update()
    of_gains = [fmean(column) for column in zip(*by_gain, strict=True)]
    best = of_gains.index(max(of_gains))
    for row, gains in zip(rows, by_gain, strict=True):
        row.insert(1, gains[best])
    lines = [
        f"| radius up to, px | clipped, dB | highlight gain {GAINS[best]:g}, dB | light kept, dB "
        "| of it what no lamp cut by the frame reaches, dB | noise of the truth, dB |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for shot, row in enumerate(rows):
        radius = STRENGTHS[shot % len(STRENGTHS)] * width / 1024
        lines.append(f"| {radius:.0f} | " + " | ".join(f"{value:.1f}" for value in row) + " |")
    means = [fmean(column) for column in zip(*rows, strict=True)]
    lines.append("| mean | " + " | ".join(f"{value:.1f}" for value in means) + " |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
