"""The tables of an evaluation: what stands in every cell, as Markdown and as CSV."""

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..metrics import METRICS, Missing, Value
from ..metrics.maps import MAP_METRICS
from ..metrics.registry import Metric
from .perturb import NONE, TITLES, base_of, is_refined
from .published import PUBLISHED, PUBLISHED_COLUMNS
from .references import ANOTHER_GRID, GROUND_TRUTH
from .results import Measurement, Row

SANITY = frozenset({GROUND_TRUTH, ANOTHER_GRID, "identity"})
"""Renderers that show whether the bench is sound; they compete for nothing."""

ROBUSTNESS_METRICS = ("psnr", "edge_psnr", "rm")
NOTHING = "–"
# Escaped: some tools for Windows read Python files as cp1252, which lacks these.
UP, DOWN, MINUS, INFINITY = "\u2191", "\u2193", "\u2212", "\u221e"
_LONGEST_NUMBER = 30


@dataclass(frozen=True)
class Cell:
    """Text of one cell; `best` where it is the best of its column."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class Table:
    """A titled table with notes below.

    Attributes:
        title: heading.
        intro: one sentence above.
        header: of the columns; the first holds names.
        rows: as many cells as the header has.
        notes: lines below.
    """

    title: str
    intro: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def holds_text(self, column: int) -> bool:
        """Whether a column holds text, aligned left, rather than numbers."""
        return column == 0 or any(len(row[column].text) > _LONGEST_NUMBER for row in self.rows)


@dataclass(frozen=True)
class _Column:
    """A column of a table of rows: how to read a row, which way is good, and how to print it."""

    header: str
    higher_is_better: bool
    digits: int
    value: Callable[[Row], Value | None]


def comparison_tables(rows: Sequence[Row]) -> list[Table]:
    """One table of renderers given image and disparity, one of those given the layers; clean maps only."""
    kinds = (
        ("Given image + disparity", "What a video and a depth map allow; the paper compares these.", False),
        (
            "Given layers",
            "Told all layers of the scene, hidden parts too: a ceiling, not a competitor.",
            True,
        ),
    )
    return [
        _comparison(title, intro, [r for r in rows if r.given_layers == given and r.perturbation == NONE])
        for title, intro, given in kinds
        if any(r.given_layers == given for r in rows)
    ]


def robustness_tables(rows: Sequence[Row]) -> list[Table]:
    """One table a metric: renderers in rows, perturbations in columns, the change against the clean map."""
    perturbations = list(dict.fromkeys(base_of(row.perturbation) for row in rows))
    if all(row.perturbation == NONE for row in rows):
        return []
    return [
        _robustness(metric, rows, perturbations) for metric in METRICS if metric.name in ROBUSTNESS_METRICS
    ]


def map_tables(measurements: Sequence[Measurement]) -> list[Table]:
    """What metrics say of the maps, mean over clips; nothing where none was disturbed or refined."""
    clips: dict[str, dict[str, Measurement]] = {}
    for m in measurements:
        # Renderers of one clip are given the same maps.
        clips.setdefault(m.unit.perturbation, {}).setdefault(m.unit.clip.name, m)
    if set(clips) <= {NONE}:
        return []
    body = []
    for perturbation, of in clips.items():
        means = [
            _mean([m.map_values[metric.name] for m in of.values() if metric.name in m.map_values])
            for metric in MAP_METRICS
        ]
        title = TITLES[base_of(perturbation)] + (", refined" if is_refined(perturbation) else "")
        cells = (_cell(mean, metric.digits, None) for mean, metric in zip(means, MAP_METRICS, strict=True))
        body.append((Cell(title), *cells, Cell(str(len(of)))))
    header = ("disparity", *(f"{metric.title} {DOWN}" for metric in MAP_METRICS), "clips")
    intro = "Of disparity in [0, 1]; OPW is the difference that motion between frames does not explain."
    return [Table("The maps themselves", intro, header, tuple(body))]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def missing_table(rows: Sequence[Row]) -> list[Table]:
    """Why metrics have no value; nothing where all of them have one."""
    reasons = dict.fromkeys(
        (metric.title, value.reason)
        for metric in METRICS
        for row in rows
        if isinstance(value := row.values.get(metric.name), Missing)
    )
    if not reasons:
        return []
    lines = tuple((Cell(title), Cell(reason)) for title, reason in reasons)
    return [Table("Metrics without a value", "What each of them needs.", ("metric", "reason"), lines)]


def published_table() -> Table:
    """The paper's own numbers, for orientation."""
    rows = tuple(
        (Cell(name), *(Cell(f"{value:.3f}") for value in values)) for name, values in PUBLISHED.items()
    )
    return Table(
        "The paper's own numbers",
        "Copied from its Tab. 1, not measured here: its own 200 clips of 25 frames at 1024 x 576 and its own "
        "machine, so only the order of the renderers compares.",
        ("renderer", *PUBLISHED_COLUMNS),
        rows,
    )


def markdown(tables: Sequence[Table], heading: str, facts: Sequence[str]) -> str:
    """The whole of table.md."""
    parts = [f"# {heading}", *facts]
    for table in tables:
        rule = ("---" if table.holds_text(at) else "---:" for at in range(len(table.header)))
        lines = [_markdown_line(table.header), f"|{'|'.join(rule)}|"]
        lines += [_markdown_line([f"**{c.text}**" if c.best else c.text for c in row]) for row in table.rows]
        parts += [f"## {table.title}", table.intro, "\n".join(lines)]
        if table.notes:
            parts.append("\n".join(f"- {note}" for note in table.notes))
    return "\n\n".join(parts) + "\n"


def clips_csv(measurements: Sequence[Measurement]) -> str:
    """One line a renderer, clip and perturbation; what is missing stays empty."""
    return _csv_text(
        {
            "clip": m.unit.clip.name,
            "seed": m.unit.clip.seed,
            "renderer": m.unit.renderer,
            "perturbation": m.unit.perturbation,
            **{metric.name: _csv(m.values.get(metric.name)) for metric in METRICS},
            "seconds_per_frame": _csv(m.seconds_per_frame),
            "strength_px": _csv(m.strength_px),
            "focal_first": _csv(m.focal_disparity[0]),
            "focal_last": _csv(m.focal_disparity[1]),
            "machine": m.machine,
            "processes": m.processes,
        }
        for m in measurements
    )


def summary_csv(rows: Sequence[Row]) -> str:
    """One line a renderer and perturbation: means over clips; reasons in the last column."""
    return _csv_text(
        {
            "renderer": row.renderer,
            "title": row.title,
            "given": "layers" if row.given_layers else "image and disparity",
            "perturbation": row.perturbation,
            "clips": row.clips,
            "planned": row.planned,
            **{metric.name: _csv(row.values.get(metric.name)) for metric in METRICS},
            "seconds_per_frame": _csv(row.seconds_per_frame),
            "times_gather": _csv(row.times_gather),
            "why_not": row.why_not or "",
        }
        for row in rows
    )


def _comparison(title: str, intro: str, rows: Sequence[Row]) -> Table:
    columns = [_metric_column(metric) for metric in METRICS]
    columns.append(_Column(f"s a frame {DOWN}", False, 3, lambda row: row.seconds_per_frame))
    columns.append(_Column(f"× gather {DOWN}", False, 2, lambda row: row.times_gather))
    notes: dict[str, None] = {}
    for row in rows:
        if row.why_not is not None:
            how = (
                "not run"
                if row.planned == 0
                else f"failed on {row.planned - row.clips} of {row.planned} clips"
            )
            notes[f"{row.title}: {how}: {row.why_not}"] = None
    best = [_best(column, rows) for column in columns]
    body = []
    for row in rows:
        cells = [
            _cell(column.value(row), column.digits, top) for column, top in zip(columns, best, strict=True)
        ]
        if row.clips == 0:
            # Nothing was measured: the reason takes the place of the first number.
            cells[0] = Cell(Missing(row.why_not or "not measured").short)
        elif not row.complete or row.renderer in SANITY:
            cells = [Cell(cell.text) for cell in cells]
        clips = str(row.clips) if row.clips == row.planned else f"{row.clips} of {row.planned}"
        body.append((Cell(row.title), *cells, Cell(clips)))
    header = ("renderer", *(column.header for column in columns), "clips")
    return Table(title, intro, header, tuple(body), tuple(notes))


def _robustness(metric: Metric, rows: Sequence[Row], perturbations: Sequence[str]) -> Table:
    named: dict[tuple[str, bool], dict[str, Row]] = {}
    for row in rows:
        if not row.given_layers and row.clips:
            which = (row.renderer, is_refined(row.perturbation))
            named.setdefault(which, {})[base_of(row.perturbation)] = row
    tops = {
        p: _best(_metric_column(metric), [of[p] for of in named.values() if p in of]) for p in perturbations
    }
    body = []
    for (renderer, refined), of in named.items():
        raw = named.get((renderer, False), {})
        clean = raw[NONE].values.get(metric.name) if NONE in raw else None
        cells = [Cell(next(iter(of.values())).title + (", refined" if refined else ""))]
        for p in perturbations:
            value = of[p].values.get(metric.name) if p in of else None
            compete = p in of and of[p].complete and renderer not in SANITY
            cell = _cell(value, metric.digits, tops[p] if compete else None)
            changed = p != NONE or refined
            if changed and isinstance(value, float) and isinstance(clean, float) and math.isfinite(clean):
                change = f"({value - clean:+.{metric.digits}f})"
                cell = Cell(f"{cell.text} {change}".replace("-", MINUS), cell.best)
            cells.append(cell)
        body.append(tuple(cells))
    return Table(
        f"Robustness: {metric.title}",
        f"{_metric_header(metric)} with a disturbed disparity; in brackets the change against the clean map.",
        ("renderer", *(TITLES[p] for p in perturbations)),
        tuple(body),
    )


def _metric_column(metric: Metric) -> _Column:
    return _Column(
        _metric_header(metric),
        metric.higher_is_better,
        metric.digits,
        lambda row: row.values.get(metric.name),
    )


def _metric_header(metric: Metric) -> str:
    unit = f", {metric.unit}" if metric.unit else ""
    return f"{metric.title}{unit} {UP if metric.higher_is_better else DOWN}"


def _best(column: _Column, rows: Sequence[Row]) -> str | None:
    """The best value as printed, so that what looks equal is equally bold."""
    values = [column.value(row) for row in rows if row.complete and row.renderer not in SANITY]
    numbers = [value for value in values if isinstance(value, float)]
    if not numbers:
        return None
    return _text(max(numbers) if column.higher_is_better else min(numbers), column.digits)


def _cell(value: Value | None, digits: int, best: str | None) -> Cell:
    if value is None:
        return Cell(NOTHING)
    if isinstance(value, Missing):
        return Cell(value.short)
    text = _text(value, digits)
    return Cell(text, text == best)


def _text(value: float, digits: int) -> str:
    return (INFINITY if value > 0 else MINUS + INFINITY) if math.isinf(value) else f"{value:.{digits}f}"


def _markdown_line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"


def _csv(value: Value | None) -> str:
    return f"{value:.6g}" if isinstance(value, float) else ""


def _csv_text(lines: Iterable[dict[str, object]]) -> str:
    table = list(lines)
    text = io.StringIO()
    writer = csv.DictWriter(text, table[0].keys() if table else (), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()
