"""The plot of an evaluation: PSNR of every renderer, overall and near occlusion edges, best on top."""

import importlib.util
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bokeh_core.disk.whole_file import whole_file

from .perturb import NONE
from .references import GROUND_TRUTH
from .results import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OVERALL, _EDGES = "psnr", "edge_psnr"
_INK, _OVERALL_COLOUR, _EDGE_COLOUR, _LINE = "#222222", "#1f5fa8", "#d9822b", "#c9ced6"
_ROW_INCHES = 0.34
_WIDTH_INCHES = 8.6
_DPI = 150


def require_matplotlib() -> None:
    """Find out before hours of work whether the plot can be drawn.

    Raises:
        ValueError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError("The plot needs matplotlib; install it (pip install matplotlib), or pass --no-plot.")


def draw_plot(rows: Sequence[Row], path: Path, caption: str) -> bool:
    """Draw two dots a renderer, sorted by PSNR; those given the layers in a panel of their own.

    Args:
        rows: as `summarise` makes them; only clean maps are drawn.
        path: of the PNG file.
        caption: small print: what was measured.

    Returns:
        Whether there was anything to draw.
    """
    groups = [
        ("Given image + disparity", _sorted(row for row in rows if not row.given_layers)),
        ("Given layers", _sorted(row for row in rows if row.given_layers)),
    ]
    groups = [(title, items) for title, items in groups if items]
    if not groups:
        return False
    # The object interface: pyplot would look for a display and keep figures alive.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    heights = [len(items) + 1.2 for _, items in groups]
    figure = Figure(figsize=(_WIDTH_INCHES, _ROW_INCHES * sum(heights) + 1.1), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(groups), 1, sharex=True, squeeze=False, height_ratios=heights)
    for axes, (title, items) in zip(grid[:, 0], groups, strict=True):
        _draw_group(axes, title, items)
    low, high = _range([row for _, items in groups for row in items])
    grid[-1, 0].set_xlim(low, high)
    grid[-1, 0].set_xlabel(f"PSNR in dB, mean over clips. {caption}", color=_INK, fontsize=8.5)
    handles = [
        grid[0, 0].plot([], [], "o", color=colour, label=label)[0]
        for colour, label in ((_OVERALL_COLOUR, "whole frame"), (_EDGE_COLOUR, "near occlusion edges"))
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=2, frameon=False, fontsize=9)
    with whole_file(path) as beside:
        figure.savefig(beside, format="png", dpi=_DPI, facecolor="white")
    return True


def _draw_group(axes: "Axes", title: str, items: Sequence[Row]) -> None:
    for y, row in enumerate(items):
        overall, edges = _number(row, _OVERALL), _number(row, _EDGES)
        shown = [value for value in (overall, edges) if value is not None]
        axes.plot([min(shown), max(shown)], [y, y], color=_LINE, linewidth=2.5, zorder=1)
        outer_right = max(shown)
        for value, colour in ((overall, _OVERALL_COLOUR), (edges, _EDGE_COLOUR)):
            if value is None:
                continue
            axes.plot(value, y, "o", color=colour, markersize=6.5, zorder=2)
            right = value == outer_right
            axes.annotate(
                f"{value:.1f}",
                (value, y),
                xytext=(7 if right else -7, 0),
                textcoords="offset points",
                ha="left" if right else "right",
                va="center",
                fontsize=8,
                color=colour,
            )
    labels = [row.title + ("" if row.complete else f" ({row.clips} of {row.planned} clips)") for row in items]
    axes.set_yticks(range(len(items)), labels, fontsize=9, color=_INK)
    axes.set_ylim(len(items) - 0.4, -0.6)
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", color=_INK)
    axes.grid(axis="x", color="#eceff3")
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _sorted(rows: Iterable[Row]) -> list[Row]:
    drawn = [
        row
        for row in rows
        if row.perturbation == NONE and row.renderer != GROUND_TRUTH and _number(row, _OVERALL) is not None
    ]
    return sorted(drawn, key=lambda row: -(_number(row, _OVERALL) or 0))


def _number(row: Row, metric: str) -> float | None:
    value = row.values.get(metric)
    return value if isinstance(value, float) and math.isfinite(value) else None


def _range(items: Sequence[Row]) -> tuple[float, float]:
    """Limits with room for the numbers beside the dots."""
    values = [v for row in items for v in (_number(row, _OVERALL), _number(row, _EDGES)) if v is not None]
    room = max(2.0, 0.09 * (max(values) - min(values)))
    return min(values) - room, max(values) + room
