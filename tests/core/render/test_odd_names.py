"""Clips, maps and results whose names mean something to FFmpeg, given relative to where one is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bokeh_core.render.command.program import main
from tests.core.render.clips import moving_pictures, sound_packets, times_of, write_video


@pytest.mark.parametrize(
    "name",
    [
        "clip %03d",
        "#1, {a}",
        pytest.param("take:1", marks=pytest.mark.skipif("os.name == 'nt'", reason="no such name there")),
        pytest.param("what? *", marks=pytest.mark.skipif("os.name == 'nt'", reason="no such name there")),
    ],
)
def test_a_command_with_odd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.chdir(tmp_path)
    plain = write_video(
        tmp_path / "plain.mp4",
        moving_pictures(9, 32, 48),
        codec="libx264",
        pixel_format="yuv420p",
        sound=True,
    )
    Path(f"{name}.mp4").write_bytes(plain.read_bytes())
    greys = np.repeat(moving_pictures(9, 32, 48)[..., :1], 3, axis=-1)
    depth = write_video(tmp_path / "depth.mkv", greys, pixel_format="gray")
    depth.rename(f"{name} depth.mkv")
    argv = [f"{name}.mp4", "--disparity", f"{name} depth.mkv", "-o", f"{name} out.mp4", "--strength", "0"]
    assert main([*argv, "--device", "cpu", "--part-frames", "8"]) == 0
    result = tmp_path / f"{name} out.mp4"
    # Read under a name that means nothing.
    plain_copy = tmp_path / "copy.mp4"
    plain_copy.write_bytes(result.read_bytes())
    assert times_of(plain_copy) == times_of(plain)
    assert sound_packets(plain_copy) == sound_packets(plain)
