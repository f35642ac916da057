"""What a result cannot keep of its source is told before the first frame is rendered, and in the report."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from bokeh_core.render import (
    FileClip,
    GivenDepth,
    GivenFocus,
    GivenStrength,
    LensRenderer,
    RenderJob,
    run_job,
)
from bokeh_core.video_io import Encoding
from tests.core.render.clips import moving_pictures, write_video

COUNT = 10


class Stop(Exception):
    """The user's cancel."""


def job(source: Path, output: Path, codec: str) -> RenderJob:
    return RenderJob(
        FileClip(source, keep_alpha=codec != "h264"),
        GivenDepth(torch.linspace(0, 1, 32).expand(COUNT, 24, 32)),
        GivenFocus(torch.full((COUNT,), 0.5)),
        GivenStrength(torch.zeros(COUNT)),
        LensRenderer(),
        output,
        Encoding(codec),
        8,
    )


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    return write_video(tmp_path / "deep.mkv", moving_pictures(COUNT, 24, 32), pixel_format="yuv420p10le")


def test_it_is_told_before_rendering_and_after_a_stop_again(
    tmp_path: Path, deep: Path, caplog: pytest.LogCaptureFixture
):
    told_at: dict[str, int] = {}

    def progress(stage: str, done: int, total: int) -> None:
        told_at.setdefault(stage, len(caplog.records))
        if stage == "rendering" and done == 9 and stop:
            raise Stop

    sentence = "the video has 10 bits a level; h264 keeps 8"
    with caplog.at_level(logging.WARNING, "bokeh_core.render"):
        stop = True
        with pytest.raises(Stop):
            run_job(job(deep, tmp_path / "out.mp4", "h264"), progress)
        assert told_at["rendering"] == 1
        assert sentence in caplog.records[0].getMessage()
        stop = False
        report = run_job(job(deep, tmp_path / "out.mp4", "h264"), progress)
    assert report.rendered_frames == COUNT - 8
    assert sentence in report.text
    assert len(caplog.records) == 2


def test_nothing_is_told_where_nothing_is_lost(tmp_path: Path, deep: Path, caplog: pytest.LogCaptureFixture):
    assert "Warning: the video" not in run_job(job(deep, tmp_path / "out.mov", "prores")).text
    assert not caplog.records


def test_alpha_that_is_left_out(tmp_path: Path):
    pixels = np.full((COUNT, 24, 32, 3), 90, np.uint8)
    source = write_video(tmp_path / "in.mkv", pixels, pixel_format="bgra")
    assert "alpha is left out" in run_job(job(source, tmp_path / "out.mp4", "h264")).text
    assert "alpha is left out" not in run_job(job(source, tmp_path / "out.mkv", "ffv1")).text
