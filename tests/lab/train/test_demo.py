"""The demo's pieces: curves, and a run of it that is cut down to a few steps."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import yaml  # type: ignore[import-untyped]

from bokeh_lab.train.__main__ import main
from bokeh_lab.train.curves import curve_of, smoothed
from bokeh_lab.train.journal import contact_sheet


def test_smoothed_is_the_mean_of_what_came_before():
    assert smoothed([1.0, 3.0, 5.0, 7.0], 1) == [1.0, 3.0, 5.0, 7.0]
    assert smoothed([1.0, 3.0, 5.0, 7.0], 3) == [1.0, 2.0, 3.0, 5.0]


def test_pixel_stages_are_drawn_against_the_sharp_frames():
    assert curve_of([{"loss": 1.0, "share_of_sharp": 0.5}]) == "share_of_sharp"
    assert curve_of([{"loss": 1.0}]) == "loss"


def test_contact_sheet_has_a_row_a_version():
    rows = {"black": torch.zeros(5, 8, 16, 3), "white": torch.ones(5, 8, 16, 3)}
    sheet = contact_sheet(rows, columns=3, scale=2)
    # Three frames of 16 px beside each other, each row below a caption of 22 px.
    assert sheet.shape == (2 * (22 + 16), 3 * 32, 3)
    assert sheet[22:38].max() == 0 and sheet[60:76].min() == 255


def test_demo_leaves_curves_pictures_and_a_video(tiny_run: dict[str, Any], tmp_path: Path, capsys: Any):
    tiny_run["run"] = {**tiny_run["run"], "steps": 2}
    tiny_run["data"] = {**tiny_run["data"], "shards": str(tmp_path / "clips")}
    tiny_run["validation"] = {"clips": 1, "frames": 2, "strengths": [64]}
    config = tmp_path / "demo.yaml"
    phases = [{"stage": "stage0"}, {"stage": "pixels"}]
    config.write_text(yaml.safe_dump({"common": tiny_run, "phases": phases}), encoding="utf-8")
    assert main(["demo", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    output = Path(tiny_run["output"])
    for name in ("loss.png", "before_after.png", "before_after.mp4", "2-pixels/unet.safetensors"):
        assert (output / name).is_file()
        assert str(output / name) in said
    picture = cv2.imread(str(output / "before_after.png"))
    # Two frames of 64 px, enlarged twice, in three rows.
    assert picture is not None and picture.shape == (3 * (22 + 128), 2 * 128, 3)
    assert np.unique(picture).size > 50
    lines = [line.split() for line in said.splitlines()]
    scores = {
        line[0]: float(line[1]) for line in lines if line and line[0] in ("identity", "gather", "network")
    }
    assert scores.keys() == {"identity", "gather", "network"}
    assert scores["gather"] > scores["identity"]
