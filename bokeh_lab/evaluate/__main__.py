"""Command line of the evaluation: python -m bokeh_lab.evaluate --help."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

from bokeh_core.console import progress_bar, write_what_the_stream_can_show
from bokeh_core.render.command.devices import chosen_device
from bokeh_core.render.processes import Process

from ..metrics import METRICS, Backbones
from .clip_plan import ALL_PRESETS, plan_clips
from .measure import Event, Settings, is_done
from .perturb import PERTURBATIONS, parse_perturbations, with_refined
from .plan import Bench, EvaluationPlan, make_plan
from .plot import require_matplotlib
from .report import PAGE_FILE, write_report
from .run import run
from .selection import ALL

# A process takes a core and, at the paper's size, about 2 GB.
_JOBS = min(2, os.cpu_count() or 1)
_MOST_JOBS = 256


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bokeh_lab.evaluate",
        description="Compare renderers on synthetic clips with ray-traced ground truth. The same command "
        "again continues where it stopped. The paper's scale: --clips 200 --size 1024x576 --frames 25.",
    )
    clips = parser.add_argument_group("clips")
    clips.add_argument("--preset", default="paper", help=f"{', '.join(ALL_PRESETS)} (default: paper)")
    clips.add_argument("--clips", type=int, default=4, help="how many (default: 4)")
    clips.add_argument("--size", default="448x256", help="width x height in px (default: 448x256)")
    clips.add_argument("--frames", type=int, default=6, help="of a clip (default: 6)")
    clips.add_argument("--seed-from", type=int, default=0, help="seed of the first clip (default: 0)")
    clips.add_argument(
        "--strengths",
        type=_numbers,
        default=(),
        help="K in turn, px at 1024 px width: 4,8,16,32 (default: preset's)",
    )
    clips.add_argument(
        "--gamma",
        type=float,
        help="light = display ** gamma (default: 1, the paper's; for mitsuba 2.2, linear light)",
    )
    clips.add_argument("--rays-across", type=int, help="lens grid of the truth (default: as the blur needs)")
    clips.add_argument(
        "--library", type=Path, help="folder of fetched pictures (default: those in the repository)"
    )
    clips.add_argument(
        "--split",
        default="held-out",
        choices=("held-out", "training", "all"),
        help="of the pictures (default: held-out)",
    )
    what = parser.add_argument_group("what is compared")
    what.add_argument("--renderers", default=None, help="names separated by commas, or all (default: all)")
    what.add_argument(
        "--renderer", action="append", default=[], metavar="FILE.py:FUNCTION", help="your own; repeatable"
    )
    what.add_argument(
        "--perturb",
        default="none",
        help=f"disturb the disparity: {', '.join(PERTURBATIONS)}; all that are the same in every "
        "frame, over_time those that are not (default: none)",
    )
    what.add_argument(
        "--refine",
        action="store_true",
        help="each of these, and the clean disparity, also as Refine Disparity mends it",
    )
    how = parser.add_argument_group("how")
    how.add_argument("--device", default="cpu", help="cpu, cuda, ... (default: cpu)")
    how.add_argument("--weights", type=Path, help="folder of the metrics' networks")
    how.add_argument("--allow-download", action="store_true", help="let the metrics download their networks")
    how.add_argument("--jobs", type=int, default=_JOBS, help=f"processes, one thread each (default: {_JOBS})")
    how.add_argument(
        "--out", type=Path, default=Path("output/evaluation"), help="(default: output/evaluation)"
    )
    how.add_argument("--no-videos", action="store_true", help="measure only; the page then has no players")
    how.add_argument("--no-plot", action="store_true", help="do without matplotlib")
    how.add_argument(
        "--discard-clips",
        action="store_true",
        help="delete the ground truth of a finished clip (25 frames of 1024x576 take 410 MB)",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Run the command line; return the exit code: 1 when a renderer failed."""
    write_what_the_stream_can_show()
    arguments = parse(argv)
    if not 1 <= arguments.jobs <= _MOST_JOBS:
        raise ValueError(f"--jobs is {arguments.jobs}; it must be 1 to {_MOST_JOBS}.")
    if arguments.out.exists() and not arguments.out.is_dir():
        raise ValueError(f"--out is {arguments.out}, which is a file; name a folder.")
    if not arguments.no_plot:
        require_matplotlib()
    plan = plan_of(arguments)
    settings = Settings(
        arguments.out, not arguments.no_videos, not arguments.discard_clips, processes=arguments.jobs
    )
    settings.out.mkdir(parents=True, exist_ok=True)
    waiting = sum(not is_done(unit, settings) for unit in plan.units)
    with progress_bar("evaluate", "measurement", waiting) as bar:
        failures = run(plan, settings, partial(show, bar))
    command = shlex.join(["python", "-m", "bokeh_lab.evaluate", *argv])
    write_report(plan, settings.out, failures, command=command, plot=not arguments.no_plot)
    sys.stdout.write(f"{settings.out / PAGE_FILE}\n")
    return 1 if failures else 0


def plan_of(arguments: argparse.Namespace) -> EvaluationPlan:
    """Lay out what a command line asks for.

    Raises:
        ValueError: an argument out of range, or a name that does not exist.
    """
    clips = plan_clips(
        arguments.preset,
        arguments.clips,
        arguments.size,
        arguments.frames,
        seed_from=arguments.seed_from,
        strengths=arguments.strengths,
        gamma=arguments.gamma,
        rays_across=arguments.rays_across,
        library=arguments.library,
        split=arguments.split,
    )
    device = str(chosen_device(arguments.device, Process()))
    bench = Bench(device, arguments.weights, arguments.allow_download)
    backbones = Backbones(bench.weights, allow_download=bench.allow_download, device=bench.device)
    required = [
        metric for metric in METRICS if metric.name == "psnr" and metric.missing(backbones) is not None
    ]
    for metric in required:
        raise ValueError(f"{metric.title} cannot be measured: {metric.missing(backbones)}.")
    # Naming only one's own renderer means that one alone.
    names = arguments.renderers or ("" if arguments.renderer else ALL)
    specs = [name.strip() for name in names.split(",") if name.strip()] + arguments.renderer
    if not specs:
        raise ValueError(
            f"--renderers is {names!r:.80}, which names none; write names separated by commas, or {ALL}."
        )
    perturbations = parse_perturbations(arguments.perturb)
    return make_plan(clips, specs, with_refined(perturbations) if arguments.refine else perturbations, bench)


def show(bar: Any, event: Event) -> None:
    """Bring the bar to where a run is; failures are lines above it."""
    if event.failure is None:
        bar.set_postfix_str(event.text, refresh=event.unit is None)
    else:
        bar.write(f"{event.text}: failed: {event.failure}", file=sys.stderr)
    bar.update(event.unit is not None)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 4,8,16,32") from error


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"evaluate: {error}")
    except OSError as error:
        sys.exit(f"evaluate: the system says: {error}. The same command continues.")
    except BrokenProcessPool:
        sys.exit(
            "evaluate: a process was ended from outside, often for want of memory; the same command with a "
            "smaller --jobs continues."
        )
    except KeyboardInterrupt:
        sys.exit("\nStopped; the same command again continues.")
