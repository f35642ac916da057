"""A result that is deleted or emptied after it was handed on is noticed, once."""

from pathlib import Path

import pytest
import torch

from bokeh_core.render.made_results import MadeResults, result_stem


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"12345")
    return path


def test_nothing_is_lost_while_files_stay(film: Path):
    results = MadeResults()
    assert results.losses({"strength": "8"}) == 0
    results.add({"strength": "8", "crf": 18, "disparity": torch.zeros(2)}, film)
    assert [results.losses({"strength": "8"}) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("harm", ["deleted", "emptied", "replaced"])
def test_a_loss_is_counted_once(film: Path, harm: str):
    results = MadeResults()
    results.add({"strength": "8", "crf": 18}, film)
    if harm == "deleted":
        film.unlink()
    else:
        film.write_bytes(b"" if harm == "emptied" else b"other film")
    assert [results.losses({"strength": "8", "crf": 18}) for _ in range(3)] == [1, 1, 1]
    # Made again, it is whole again, and the count stays.
    film.write_bytes(b"12345")
    results.add({"strength": "8", "crf": 18}, film)
    assert results.losses({"strength": "8", "crf": 18}) == 1


def test_other_settings_do_not_mind(film: Path):
    results = MadeResults()
    results.add({"strength": "8", "crf": 18}, film)
    film.unlink()
    assert results.losses({"strength": "9", "crf": 18}) == 0
    # A setting that another node supplies is not known beforehand.
    assert results.losses({"crf": 18, "strength": None}) == 1


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("holiday", "holiday"),
        ("ferien \u6d77", "ferien \u6d77"),
        ("take:1?", "take_1_"),
        ("b\udcffd\n", "b_d_"),
        ("", "video"),
        ("x" * 250, "x" * 96),
        # Three bytes each, and none is cut in two.
        ("\u6d77" * 250, "\u6d77" * 32),
    ],
)
def test_names_of_results(source: str, named: str):
    assert result_stem(source) == named
