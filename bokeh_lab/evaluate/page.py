"""The page of an evaluation: tables, plot and every clip in players side by side; opens from disk."""

import html
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..metrics import Missing, Value
from .measure import RENDER_VIDEO, SHARED_VIDEOS, videos_of
from .perturb import NONE
from .plan import EvaluationPlan
from .references import GROUND_TRUTH
from .results import Measurement, Row
from .tables import INFINITY, SANITY, Cell, Table
from .video import DIFFERENCE_GAIN, FRAMES_PER_SECOND

TEMPLATE = Path(__file__).with_name("page.html")
_PLAYER_METRICS = ("psnr", "edge_psnr")


def page(
    plan: EvaluationPlan,
    rows: Sequence[Row],
    measurements: Sequence[Measurement],
    tables: Sequence[Table],
    out: Path,
    *,
    heading: str,
    facts: Sequence[str],
    plot: str | None,
) -> str:
    """Fill the template; videos that do not exist are left out.

    Args:
        plan: what was measured.
        rows: as `summarise` makes them.
        measurements: as `read_measurements` reads them.
        tables: shown above the clips.
        out: folder that the page will lie in.
        heading: of the page.
        facts: paragraphs below the heading.
        plot: file name of the plot beside the page, or None.
    """
    data = {
        "clips": _clips(measurements, out),
        "renderers": [
            {"name": name, "title": renderer.title}
            for name, renderer in plan.renderers.items()
            if name not in plan.missing and name != GROUND_TRUTH
        ],
        "ranking": _ranking(rows),
        "gain": DIFFERENCE_GAIN,
        "fps": FRAMES_PER_SECOND,
    }
    picture = f'<img class="plot" src="{html.escape(plot)}" alt="PSNR of every renderer">' if plot else ""
    filled = {
        "HEADING": html.escape(heading),
        "FACTS": "\n".join(f"<p>{html.escape(fact)}</p>" for fact in facts),
        "TABLES": "\n".join(_table(table) for table in tables),
        "PLOT": picture,
        # Inside a script element only "<" could end it early.
        "DATA": json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, content in filled.items():
        text = text.replace(f"<!--{name}-->", content)
    return text


def _clips(measurements: Sequence[Measurement], out: Path) -> list[dict[str, Any]]:
    clips: dict[str, dict[str, Any]] = {}
    for m in measurements:
        if m.unit.perturbation != NONE:
            continue
        clip = clips.setdefault(m.unit.clip.name, _clip(m))
        videos = {
            kind: file.relative_to(out).as_posix()
            for kind, file in videos_of(m.unit, out).items()
            if file.is_file()
        }
        clip["shared"].update({kind: videos[kind] for kind in SHARED_VIDEOS if kind in videos})
        if m.unit.renderer != GROUND_TRUTH:
            clip["renders"][m.unit.renderer] = {
                "psnr": _finite(m.values.get("psnr")),
                "label": _label(m.values),
                "video": videos.get(RENDER_VIDEO),
            }
    return list(clips.values())


def _clip(m: Measurement) -> dict[str, Any]:
    first, last = m.focal_disparity
    focus = f"focus {first:.2f}" if abs(first - last) < 0.005 else f"focus {first:.2f} to {last:.2f}"
    clip = m.unit.clip
    return {
        "name": clip.name,
        "facts": f"K up to {m.strength_px:.3g} px, {focus}",
        "size": [clip.width, clip.height],
        "frames": clip.num_frames,
        "shared": {},
        "renders": {},
    }


def _ranking(rows: Sequence[Row]) -> str:
    """The renderer by which clips are sorted at first: the best that is given image and disparity alone."""
    scored = [
        (_finite(row.values.get("psnr")), row.renderer)
        for row in rows
        if row.perturbation == NONE and row.clips and row.renderer not in SANITY
    ]
    image_only = {row.renderer for row in rows if not row.given_layers}
    found = [(psnr, name) for psnr, name in scored if psnr is not None and name in image_only]
    if found:
        return max(found)[1]
    return next((row.renderer for row in rows if row.clips and row.renderer != GROUND_TRUTH), "")


def _label(values: Mapping[str, Value]) -> str:
    shown = [values.get(name) for name in _PLAYER_METRICS]
    texts = [_decibels(value) for value in shown if value is not None]
    return f"{texts[0]} dB, edges {texts[1]}" if len(texts) == 2 else ""


def _decibels(value: Value) -> str:
    if isinstance(value, Missing):
        return value.short
    return f"{value:.1f}" if math.isfinite(value) else INFINITY


def _finite(value: Value | None) -> float | None:
    return value if isinstance(value, float) and math.isfinite(value) else None


def _table(table: Table) -> str:
    columns = range(len(table.header))
    kinds = [' class="text"' if table.holds_text(at) else "" for at in columns]
    head = "".join(f"<th{kinds[at]}>{html.escape(table.header[at])}</th>" for at in columns)
    body = "\n".join(
        f"<tr>{''.join(f'<td{kinds[at]}>{_text(row[at])}</td>' for at in columns)}</tr>" for row in table.rows
    )
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in table.notes)
    return (
        f"<section><h2>{html.escape(table.title)}</h2><p>{html.escape(table.intro)}</p>"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>'
        + (f"<details><summary>Notes</summary><ul>{notes}</ul></details>" if notes else "")
        + "</section>"
    )


def _text(cell: Cell) -> str:
    text = html.escape(cell.text)
    return f"<b>{text}</b>" if cell.best else text
