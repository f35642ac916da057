"""A few minutes of training on a CPU: the loss falls, and a held-out clip before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..evaluate.video import write_video
from .config import Stage, TrainConfig
from .curves import curve_of, draw_curves
from .export import mpi_mode_of
from .journal import contact_sheet, read_log, write_picture
from .networks import build_network
from .recipe import phase_folder, run_recipe
from .shards import write_shards
from .validation import Validation

_ENLARGED = 2


@dataclass(frozen=True)
class DemoReport:
    """What the demo found and where it left it.

    Attributes:
        losses: of each phase, at its beginning and its end (means of the first and last tenth); in pixels, as
            a share of the sharp frames' own loss.
        metrics: of the identity, of plain gather and of the network on held-out clips.
        files: pictures, video and weights.
    """

    losses: dict[str, tuple[float, float]]
    metrics: dict[str, dict[str, float]]
    files: list[Path]


def run_demo(
    phases: Sequence[tuple[Stage, TrainConfig]], say: Callable[[str], None] = lambda text: None
) -> DemoReport:
    """Render training clips, train all phases, and show a held-out clip before and after.

    Args:
        phases: as of a recipe; the data must be shards.
        say: told what happens.

    Raises:
        ValueError: see `run_recipe` and `write_shards`.
    """
    first = phases[0][1]
    say(f"Rendering {first.data.scenes} training clips into {first.data.shards}")
    write_shards(first.data, first.seed, workers=first.data.workers)
    losses: dict[str, tuple[float, float]] = {}
    folders: dict[str, Path] = {}

    def after_phase(number: int, stage: Stage, _result: object) -> None:
        folder = phase_folder(first.output, number, stage)
        reports = [report for report in read_log(folder) if report["group"] == "train"]
        values = [report[curve_of(reports)] for report in reports]
        tenth = max(len(values) // 10, 1)
        losses[stage] = (sum(values[:tenth]) / tenth, sum(values[-tenth:]) / tenth)
        folders[f"{number}. {stage}"] = folder
        say(f"{stage}: loss {losses[stage][0]:.4f} -> {losses[stage][1]:.4f}")

    last = run_recipe(phases, after_phase)
    output = Path(first.output)
    files = []
    if draw_curves(folders, output / "loss.png"):
        files.append(output / "loss.png")
    say("Measuring held-out clips")
    device = torch.device("cpu")
    validation = Validation(last, device)
    mode = mpi_mode_of(last)
    trained = build_network(last, phases[-1][0], device).eval()
    measured, rendered = validation.measure(trained, mode)
    metrics = {**validation.baselines(), "network": measured}
    clip = validation.clips()[0]
    rows = {
        "before: all in focus": clip.frames,
        "after: the network": rendered[0],
        "ray-traced truth": clip.bokeh,
    }
    enlarged = {
        caption: frames.repeat_interleave(_ENLARGED, 1).repeat_interleave(_ENLARGED, 2)
        for caption, frames in rows.items()
    }
    write_video(torch.cat(list(enlarged.values()), dim=2), output / "before_after.mp4")
    write_picture(contact_sheet(rows, columns=3, scale=_ENLARGED), output / "before_after.png")
    files += [output / "before_after.mp4", output / "before_after.png"]
    files += [Path(path) for path in (last.model.unet, last.model.vae, last.model.layers) if path]
    return DemoReport(losses, metrics, files)
