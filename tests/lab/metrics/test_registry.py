"""The list of metrics, as a table is made of it."""

import math

import pytest
import torch

from bokeh_lab.metrics import (
    METRICS,
    Backbones,
    ClipMetric,
    Missing,
    SetMetric,
    mean_over_clips,
    measure_clip,
    metric_named,
    start_set,
)
from bokeh_lab.metrics.fidelity import ssim
from bokeh_lab.metrics.flow import fd_dis

PER_CLIP = ("psnr", "edge_psnr", "ssim", "rm", "fd", "fd_dis", "lpips", "vepi")
PER_SET = ("vfid_i", "fvd")
NEED_WEIGHTS = ("fd", "lpips", "vfid_i", "fvd")


@pytest.fixture
def pair(make_pair, texture):
    truth = torch.stack([texture(130, 140, seed) for seed in range(2)]) * 0.5
    return make_pair(truth + 0.1, truth)


def test_names():
    assert tuple(m.name for m in METRICS if isinstance(m, ClipMetric)) == PER_CLIP
    assert tuple(m.name for m in METRICS if isinstance(m, SetMetric)) == PER_SET
    assert len({m.title for m in METRICS}) == len(METRICS)


def test_better_and_units():
    assert {m.name for m in METRICS if m.higher_is_better} == {"psnr", "edge_psnr", "ssim", "vepi"}
    assert {m.name: m.unit for m in METRICS if m.unit} == {
        "psnr": "dB",
        "edge_psnr": "dB",
        "fd": "px",
        "fd_dis": "px",
    }


def test_values_without_weights(pair):
    values = {name: measure_clip(name, pair) for name in PER_CLIP}
    assert values["psnr"] == pytest.approx(20, abs=1e-3)
    assert values["edge_psnr"] == pytest.approx(20, abs=1e-3)
    assert values["rm"] == pytest.approx(0, abs=1e-6)
    assert values["vepi"] == pytest.approx(1, abs=1e-6)
    assert values["ssim"] == ssim(pair)
    assert values["fd_dis"] == fd_dis(pair)
    assert {name for name, value in values.items() if isinstance(value, Missing)} == {"fd", "lpips"}


def test_sets_without_weights():
    assert all(isinstance(start_set(name), Missing) for name in PER_SET)


def test_what_is_missing():
    backbones = Backbones()
    assert {m.name for m in METRICS if m.missing(backbones) is not None} == set(NEED_WEIGHTS)
    package = ClipMetric(
        name="n",
        title="N",
        higher_is_better=True,
        packages=("no_such_package",),
        measure=lambda pair, backbones: 1.0,
    )
    assert package.missing(backbones) == Missing("no package: pip install no_such_package")


def test_the_wrong_kind_of_metric(pair):
    with pytest.raises(ValueError, match="use start_set"):
        measure_clip("fvd", pair)
    with pytest.raises(ValueError, match="use measure_clip"):
        start_set("psnr")
    with pytest.raises(ValueError, match="no metric 'mse'; choose from psnr, "):
        metric_named("mse")


def test_mean_over_clips():
    reason = Missing("needs 2 frames")
    assert mean_over_clips([1.0, 2.0, 6.0]) == 3
    assert mean_over_clips([1.0, reason, 2.0]) == 1.5
    assert mean_over_clips([reason, Missing("other")]) == reason
    assert mean_over_clips([1.0, math.inf]) == math.inf
    with pytest.raises(ValueError, match="no clips"):
        mean_over_clips([])
