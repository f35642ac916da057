"""Cells of the tables from rows that were made by hand."""

import csv
import io
import math
from dataclasses import replace

import pytest

from bokeh_lab.evaluate.clip_plan import plan_clips
from bokeh_lab.evaluate.plan import Unit
from bokeh_lab.evaluate.results import Measurement, Row
from bokeh_lab.evaluate.tables import (
    Table,
    comparison_tables,
    map_tables,
    markdown,
    missing_table,
    published_table,
    robustness_tables,
    summary_csv,
)
from bokeh_lab.metrics import Missing, Value

NO_WEIGHTS = Missing("no weights: put the file into a folder")


def row(name: str, psnr: float, edges: float, rm: float, **more) -> Row:
    values: dict[str, Value] = {"psnr": psnr, "edge_psnr": edges, "rm": rm, "fd": NO_WEIGHTS}
    return replace(
        Row(name, name.title(), False, "none", values, 4, 4, seconds_per_frame=0.5, times_gather=2.0), **more
    )


ROWS = [
    row("identity", 99.0, 99.0, 0.0, seconds_per_frame=0.0),
    row("gather", 30.004, 20.0, 0.005, times_gather=1.0, seconds_per_frame=0.25),
    row("lens", 40.126, 35.0, 0.002),
    row("half", 50.0, 50.0, 0.001, clips=3),
    Row("net", "Network", False, "none", why_not="no weights: nobody has them"),
    row("layers", 60.0, 60.0, 0.0001, given_layers=True),
]


def columns(table: Table, name: str) -> dict[str, str]:
    at = next(i for i, header in enumerate(table.header) if header.startswith(name))
    return {
        cells[0].text: f"*{cells[at].text}*" if cells[at].best else cells[at].text for cells in table.rows
    }


def test_given_layers_have_a_table_of_their_own():
    image, layers = comparison_tables(ROWS)
    assert [cells[0].text for cells in image.rows] == ["Identity", "Gather", "Lens", "Half", "Network"]
    assert [cells[0].text for cells in layers.rows] == ["Layers"]
    assert columns(layers, "PSNR, dB")["Layers"] == "*60.00*"


def test_the_best_is_bold_whichever_way_is_good():
    image, _ = comparison_tables(ROWS)
    # Sanity rows and rows with clips missing do not compete.
    assert columns(image, "PSNR, dB \u2191") == {
        "Identity": "99.00",
        "Gather": "30.00",
        "Lens": "*40.13*",
        "Half": "50.00",
        "Network": "no weights",
    }
    assert columns(image, "RM \u2193")["Lens"] == "*0.0020*"
    assert columns(image, "RM \u2193")["Half"] == "0.0010"
    assert columns(image, "s a frame \u2193")["Gather"] == "*0.250*"
    assert columns(image, "s a frame \u2193")["Identity"] == "0.000"
    assert columns(image, "× gather \u2193") == {
        "Identity": "2.00",
        "Gather": "*1.00*",
        "Lens": "2.00",
        "Half": "2.00",
        "Network": "–",
    }


def test_what_looks_equal_is_equally_bold():
    (table,) = comparison_tables([row("a", 40.001, 1, 1), row("b", 40.004, 1, 1), row("c", 39.994, 1, 1)])
    assert columns(table, "PSNR, dB") == {"A": "*40.00*", "B": "*40.00*", "C": "39.99"}


def test_missing_metrics_say_why_and_never_a_number():
    image, _ = comparison_tables(ROWS)
    assert set(columns(image, "FD, px").values()) == {"no weights", "–"}
    (table,) = missing_table(ROWS)
    assert [tuple(cell.text for cell in cells) for cells in table.rows] == [
        ("FD", "no weights: put the file into a folder")
    ]
    assert table.holds_text(1)
    assert missing_table([row("a", 1, 1, 1, values={"psnr": 1.0})]) == []


def test_renderers_that_do_not_run_and_clips_that_failed():
    failed = row("lens", 40.0, 35.0, 0.1, clips=3, why_not="RuntimeError: out of memory")
    (table,) = comparison_tables([failed, ROWS[4]])
    assert columns(table, "clips") == {"Lens": "3 of 4", "Network": "0"}
    assert table.notes == (
        "Lens: failed on 1 of 4 clips: RuntimeError: out of memory",
        "Network: not run: no weights: nobody has them",
    )


def test_infinite_psnr_of_the_truth():
    truth = row("ground_truth", math.inf, math.inf, 0.0, given_layers=True)
    (table,) = comparison_tables([truth, row("layers", 60.0, 60.0, 0.1, given_layers=True)])
    assert columns(table, "PSNR, dB") == {"Ground_Truth": "\u221e", "Layers": "*60.00*"}


def test_refined_maps_have_rows_of_their_own_beside_the_clean_map():
    rows = [
        row("lens", 40.0, 35.0, 0.1),
        row("lens", 38.0, 33.0, 0.1, perturbation="flicker"),
        row("lens", 39.9, 35.0, 0.1, perturbation="none+refined"),
        row("lens", 39.5, 34.0, 0.1, perturbation="flicker+refined"),
    ]
    psnr, *_ = robustness_tables(rows)
    assert psnr.header == ("renderer", "clean", "flicker")
    cells = [[cell.text.replace("\u2212", "-") for cell in cells] for cells in psnr.rows]
    assert cells == [
        ["Lens", "40.00", "38.00 (-2.00)"],
        ["Lens, refined", "39.90 (-0.10)", "39.50 (-0.50)"],
    ]
    assert psnr.rows[0][1].best and psnr.rows[1][2].best


def measured(clip: str, renderer: str, perturbation: str, **values: float) -> Measurement:
    (plan,) = plan_clips("paper", 1, "64x48", 2, seed_from=int(clip))
    unit = Unit(plan, "", renderer, renderer, perturbation, "")
    return Measurement(unit, {}, values, 0.1, "this", 1, 8.0, (0.5, 0.5))


def test_maps_are_measured_once_whatever_renders_them():
    measurements = [
        measured("1", "gather", "none", map_error=0.0, opw=0.01),
        measured("1", "lens", "none", map_error=0.0, opw=0.01),
        measured("2", "lens", "none", map_error=0.0, opw=0.03),
        measured("1", "lens", "flicker+refined", map_error=0.125),
    ]
    (table,) = map_tables(measurements)
    assert [[cell.text for cell in cells] for cells in table.rows] == [
        ["clean", "0.0000", "0.0200", "2"],
        ["flicker, refined", "0.1250", "\u2013", "1"],
    ]
    assert map_tables(measurements[:3]) == []


def test_robustness_shows_the_change_against_the_clean_map():
    rows = [
        row("gather", 30.0, 20.0, 0.1),
        row("gather", 28.5, 17.0, 0.1, perturbation="erode"),
        row("lens", 40.0, 35.0, 0.1),
        row("lens", 41.25, 34.0, 0.1, perturbation="erode"),
        ROWS[4],
        ROWS[5],
    ]
    overall, edges, _relation = robustness_tables(rows)
    assert overall.header == ("renderer", "clean", "eroded one px")
    assert columns(overall, "clean") == {"Gather": "30.00", "Lens": "*40.00*"}
    assert columns(overall, "eroded") == {"Gather": "28.50 (\u22121.50)", "Lens": "*41.25 (+1.25)*"}
    assert columns(edges, "eroded") == {"Gather": "17.00 (\u22123.00)", "Lens": "*34.00 (\u22121.00)*"}
    assert robustness_tables(ROWS) == []


def test_published_numbers_stand_apart_and_say_so():
    table = published_table()
    assert "not measured here" in table.intro
    assert columns(table, "PSNR")["Any-to-Bokeh"] == "38.899"
    assert columns(table, "FVD")["DeepLens"] == "125.338"
    assert not any(cell.best for cells in table.rows for cell in cells)


def test_markdown():
    table = comparison_tables([row("a|b", 40.0, 1.0, 1.0), ROWS[4]])[0]
    text = markdown([table], "Four clips", ["Made by hand."])
    lines = text.splitlines()
    assert lines[:5] == ["# Four clips", "", "Made by hand.", "", "## Given image + disparity"]
    first = next(line for line in lines if line.startswith("| A"))
    assert first.startswith("| A\\|B | **40.00** | **1.00** |")
    assert first.endswith("| no weights | – | – | – | – | – | **0.500** | **2.00** | 4 |")
    assert "- Network: not run: no weights: nobody has them" in lines
    assert "|---|---:|---:|" in text
    pipes = {line.replace("\\|", "").count("|") for line in lines if line.startswith("|")}
    assert pipes == {len(table.header) + 1}


def test_summary_csv():
    lines = list(csv.DictReader(io.StringIO(summary_csv(ROWS))))
    assert [line["renderer"] for line in lines] == ["identity", "gather", "lens", "half", "net", "layers"]
    assert lines[2]["psnr"] == "40.126"
    assert lines[2]["fd"] == ""
    assert lines[4]["why_not"] == "no weights: nobody has them"
    assert [line["given"] for line in lines[4:]] == ["image and disparity", "layers"]
    assert lines[3]["clips"] == "3"
    assert float(lines[1]["times_gather"]) == pytest.approx(1.0)
