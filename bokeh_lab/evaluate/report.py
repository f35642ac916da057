"""The files of a finished evaluation: tables, plot and page, made from the measurements on disk."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bokeh_core.disk.whole_file import write_whole_text

from .page import page
from .perturb import NONE
from .plan import EvaluationPlan
from .plot import draw_plot
from .results import Measurement, Row, read_measurements, summarise
from .tables import (
    clips_csv,
    comparison_tables,
    map_tables,
    markdown,
    missing_table,
    published_table,
    robustness_tables,
    summary_csv,
)

PLOT_FILE = "plot.png"
PAGE_FILE = "index.html"


def write_report(
    plan: EvaluationPlan, out: Path, failures: Mapping[str, str], *, command: str, plot: bool
) -> list[Row]:
    """Write table.csv, summary.csv, table.md, plot.png and index.html into a folder.

    Args:
        plan: what was to be measured.
        out: the folder.
        failures: as `run` returns them.
        command: with which it was measured.
        plot: draw the plot too; needs matplotlib.

    Returns:
        The rows of the tables.
    """
    measurements = read_measurements(plan, out)
    rows = summarise(plan, measurements, failures, out)
    heading = f"{len({unit.clip for unit in plan.units})} clips of the preset {plan.units[0].clip.preset}"
    facts = _facts(plan, measurements, command)
    tables = [
        *comparison_tables(rows),
        *robustness_tables(rows),
        *map_tables(measurements),
        *missing_table(rows),
        published_table(),
    ]
    write_whole_text(out / "table.csv", clips_csv(measurements))
    write_whole_text(out / "summary.csv", summary_csv(rows))
    write_whole_text(out / "table.md", markdown(tables, heading, facts))
    drawn = plot and draw_plot(rows, out / PLOT_FILE, _caption(plan))
    text = page(
        plan,
        rows,
        measurements,
        tables,
        out,
        heading=heading,
        facts=facts,
        plot=PLOT_FILE if drawn else None,
    )
    write_whole_text(out / PAGE_FILE, text)
    return rows


def _caption(plan: EvaluationPlan) -> str:
    clips = list(dict.fromkeys(unit.clip for unit in plan.units))
    first = clips[0]
    return (
        f"{len(clips)} clips of {first.num_frames} frames, {first.width} x {first.height} px, "
        f"preset {first.preset}, gamma {first.gamma:g}"
    )


def _facts(plan: EvaluationPlan, measurements: Sequence[Measurement], command: str) -> list[str]:
    clips = list(dict.fromkeys(unit.clip for unit in plan.units))
    seeds = [clip.seed for clip in clips]
    strengths = sorted({clip.strength for clip in clips if clip.strength is not None})
    stated = (
        f"K in turn {', '.join(f'{k:g}' for k in strengths)} px" if strengths else "K as the preset draws it"
    )
    facts = [
        f"{_caption(plan)}, seeds {min(seeds)} to {max(seeds)}, {clips[0].split} pictures; {stated}"
        f"{' on a frame 1024 px wide' if strengths else ''}.",
        f"Made by: {command}",
    ]
    if machines := sorted({f"{m.machine}, {_processes(m.processes)}" for m in measurements}):
        facts.append(
            f"Times were taken on {'; and on '.join(machines)}, after a first frame that loads "
            "and compiles; multiples of gather compare the same clips on the same machine."
        )
    if len(plan.perturbations) > 1:
        facts.append(
            "Disturbed disparity: what is the same in every frame is drawn once a clip, and the focal "
            "disparity stays that of the clean map. Faults over time are drawn for every frame; for them and "
            "for refined maps the focus is measured on the subject in the map at hand. Renderers given the "
            "layers see no disparity and are left out."
        )
    undisturbed = sum(unit.perturbation == NONE for unit in plan.units)
    measured = sum(m.unit.perturbation == NONE for m in measurements)
    if measured < undisturbed:
        facts.append(f"Unfinished: {measured} of {undisturbed} clean results are there.")
    return facts


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes at the same time"
