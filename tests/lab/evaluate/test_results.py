"""Means over clips and ratios of times, from result files that were written by hand."""

import math
from pathlib import Path
from typing import Any

import pytest

from bokeh_lab.evaluate.clip_plan import plan_clips
from bokeh_lab.evaluate.plan import Bench, EvaluationPlan, make_plan
from bokeh_lab.evaluate.results import read_measurements, summarise
from bokeh_lab.evaluate.store import write_json
from bokeh_lab.metrics import METRICS, Missing, SetMetric


@pytest.fixture
def plan() -> EvaluationPlan:
    clips = plan_clips("paper", 2, "64x48", 2, split="all")
    return make_plan(clips, ["gather", "identity", "deeplens"], ("none", "erode"), Bench())


def write_result(
    plan: EvaluationPlan, out: Path, at: int, psnr: float, seconds: float, **changes: Any
) -> None:
    unit = plan.units[at]
    per_clip = {metric.name for metric in METRICS if not isinstance(metric, SetMetric)}
    missing = {metric.name: "no weights: none" for metric in METRICS if metric.name not in per_clip}
    content = {
        "key": unit.key,
        "values": {**dict.fromkeys(per_clip - {"fd", "lpips"}, 0.5), "psnr": psnr},
        "missing": {**missing, "fd": "no weights: RAFT", "lpips": "no weights: SqueezeNet"},
        "map_values": {"opw": 0.25},
        "seconds_per_frame": seconds,
        "machine": "this",
        "processes": 1,
        "strength_px": 8.0,
        "focal_disparity": [0.25, 0.75],
    }
    write_json(unit.result_file(out), content | changes)


def test_rows_are_means_over_clips(plan, tmp_path):
    # Units: clip 0 gather none, gather erode, identity none, identity erode, then clip 1 alike.
    for at, psnr, seconds in (
        (0, 30.0, 0.1),
        (4, 34.0, 0.3),
        (2, 20.0, 0.02),
        (6, math.inf, 0.02),
        (1, 25.0, 0.1),
    ):
        write_result(plan, tmp_path, at, psnr, seconds)
    measurements = read_measurements(plan, tmp_path)
    assert [plan.units.index(m.unit) for m in measurements] == [0, 1, 2, 4, 6]
    assert measurements[0].focal_disparity == (0.25, 0.75)
    rows = {(row.renderer, row.perturbation): row for row in summarise(plan, measurements, {}, tmp_path)}
    assert list(rows) == [
        ("gather", "none"),
        ("gather", "erode"),
        ("identity", "none"),
        ("identity", "erode"),
        ("deeplens", "none"),
    ]
    gather = rows["gather", "none"]
    assert gather.values["psnr"] == pytest.approx(32.0)
    assert gather.values["fd"] == Missing("no weights: RAFT")
    assert isinstance(gather.values["vfid_i"], Missing)
    assert gather.seconds_per_frame == pytest.approx(0.2)
    assert gather.times_gather == pytest.approx(1.0)
    assert gather.complete
    identity = rows["identity", "none"]
    assert identity.values["psnr"] == math.inf
    assert identity.times_gather == pytest.approx(0.04 / 0.4)
    eroded = rows["gather", "erode"]
    assert (eroded.clips, eroded.planned, eroded.complete) == (1, 2, False)
    assert eroded.values["psnr"] == 25.0
    assert rows["identity", "erode"].values == {}
    assert not rows["identity", "erode"].complete
    assert rows["deeplens", "none"].why_not is not None
    assert not rows["deeplens", "none"].complete


def test_times_of_another_machine_or_load_are_not_compared(plan, tmp_path):
    write_result(plan, tmp_path, 0, 30.0, 0.1)
    write_result(plan, tmp_path, 4, 30.0, 0.1)
    write_result(plan, tmp_path, 2, 20.0, 0.5)
    write_result(plan, tmp_path, 6, 20.0, 9.0, machine="other")
    rows = summarise(plan, read_measurements(plan, tmp_path), {}, tmp_path)
    identity = next(row for row in rows if (row.renderer, row.perturbation) == ("identity", "none"))
    assert identity.times_gather == pytest.approx(5.0)
    write_result(plan, tmp_path, 2, 20.0, 0.5, processes=2)
    rows = summarise(plan, read_measurements(plan, tmp_path), {}, tmp_path)
    identity = next(row for row in rows if (row.renderer, row.perturbation) == ("identity", "none"))
    assert identity.times_gather is None


def test_failures_are_told_and_results_of_other_keys_are_not_read(plan, tmp_path):
    write_result(plan, tmp_path, 0, 30.0, 0.1, key="another")
    assert read_measurements(plan, tmp_path) == []
    failures = {plan.units[0].key: "RuntimeError: out of memory"}
    row = summarise(plan, [], failures, tmp_path)[0]
    assert (row.renderer, row.why_not, row.clips) == ("gather", "RuntimeError: out of memory", 0)
