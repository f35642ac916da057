"""Loss curves of runs as a PNG."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bokeh_core.disk.whole_file import whole_file

from .journal import read_log

_WIDTH_INCHES, _ROW_INCHES, _DPI = 7.5, 2.4, 130
_POINTS, _MEAN = "#b9c7dc", "#1f5fa8"


_LABELS = {"loss": "loss", "share_of_sharp": "loss / that of the\nsharp frames"}


def curve_of(reports: Sequence[Mapping[str, Any]]) -> str:
    """The value that shows best how training goes."""
    return "share_of_sharp" if "share_of_sharp" in reports[0] else "loss"


def smoothed(values: Sequence[float], window: int) -> list[float]:
    """Mean of each value with up to `window` - 1 values before it."""
    return [
        sum(values[max(i + 1 - window, 0) : i + 1]) / (i + 1 - max(i + 1 - window, 0))
        for i in range(len(values))
    ]


def draw_curves(runs: Mapping[str, Path], path: Path) -> bool:
    """Draw the loss of each run over its steps; in pixels, as a share of the sharp frames' own loss.

    Args:
        runs: title -> folder of a run.
        path: of the PNG.

    Returns:
        False where matplotlib is not installed or there is nothing to draw.
    """
    logs = {
        title: [report for report in read_log(folder) if report["group"] == "train"]
        for title, folder in runs.items()
    }
    logs = {title: reports for title, reports in logs.items() if reports}
    if not logs or importlib.util.find_spec("matplotlib") is None:
        return False
    # The object interface: pyplot would look for a display and keep figures alive.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_INCHES, _ROW_INCHES * len(logs)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(logs), 1, squeeze=False)
    for axes, (title, reports) in zip(grid[:, 0], logs.items(), strict=True):
        name = curve_of(reports)
        steps, losses = [r["step"] for r in reports], [r[name] for r in reports]
        axes.plot(steps, losses, color=_POINTS, linewidth=1)
        axes.plot(steps, smoothed(losses, max(len(losses) // 10, 1)), color=_MEAN, linewidth=2)
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_ylabel(_LABELS[name])
        axes.set_ylim(bottom=0)
        axes.grid(color="#e3e6ea", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    grid[-1, 0].set_xlabel("step")
    with whole_file(path) as beside:
        figure.savefig(beside, dpi=_DPI, format="png")
    return True
