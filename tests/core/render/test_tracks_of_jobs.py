"""What jobs make of sound and times: endings, lines of the report, refusals before rendering."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from bokeh_core.render import (
    FileClip,
    GivenDepth,
    LensRenderer,
    RenderJob,
    Strength,
    TensorClip,
    TrimmedClip,
    parse_focus,
    run_job,
    stored_under_key,
)
from bokeh_core.render.command.program import main
from bokeh_core.video_io import CODECS, Encoding
from tests.core.render.clips import times_of, write_disparity
from tests.core.video_io.rewriting import samples_of
from tests.core.video_io.test_tracks import write_film


def job_of(source: Path, encoding: Encoding | None = None) -> RenderJob:
    return RenderJob(
        FileClip(source),
        GivenDepth(torch.linspace(0, 1, 32).expand(6, 32, 32).clone()),
        parse_focus("0.5"),
        Strength("0"),
        LensRenderer(device=torch.device("cpu")),
        Path(),
        encoding or Encoding(),
    )


def test_a_result_named_by_its_key_gets_an_ending_that_holds_the_sound(tmp_path: Path):
    source = write_film(tmp_path / "old.avi", ["pcm_u8"])
    job = stored_under_key(job_of(source), tmp_path, "old")
    assert job.output.suffix == ".mov"
    report = run_job(job)
    assert "Written as .mov: .mp4 cannot hold the sound of old.avi, which is pcm_u8." in report.text
    assert np.array_equal(samples_of(job.output), samples_of(source))


def test_each_result_of_a_folder_gets_an_ending_that_holds_its_sound(tmp_path: Path):
    (tmp_path / "in").mkdir()
    write_film(tmp_path / "in" / "old.1.avi", ["pcm_u8"])
    write_film(tmp_path / "in" / "new.mp4")
    for name in ("old.1", "new"):
        write_disparity(tmp_path / "depth" / name, np.zeros((6, 32, 32), np.float32) + np.linspace(0, 1, 32))
    folders = [str(tmp_path / "in"), "--disparity", str(tmp_path / "depth"), "-o", str(tmp_path / "out")]
    assert main([*folders, "--strength", "0", "--focus", "0.5", "--device", "cpu"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["new.mp4", "old.1.mov"]


def test_a_refusal_comes_before_anything_is_made(tmp_path: Path):
    source = write_film(tmp_path / "old.avi", ["pcm_u8"])
    job = replace(job_of(source), output=tmp_path / "out.mp4")
    with pytest.raises(ValueError, match=r"out\.mp4 cannot hold the sound .* \.mov or \.mkv"):
        run_job(job)
    assert [path.name for path in tmp_path.iterdir()] == ["old.avi"]


def test_a_trimmed_clip_keeps_the_same_sound(tmp_path: Path):
    source = write_film(tmp_path / "old.avi", ["pcm_u8", "adpcm_ms"])
    clip = TrimmedClip(source, False, 0.0, 0.125)
    plan = clip.tracks(tmp_path / "out.mp4", Encoding())
    assert (plan.copied, dict(plan.encoded)) == ((), {0: "pcm_s16le", 1: "pcm_s16le"})
    job = replace(job_of(source), clip=clip, depth=GivenDepth(torch.zeros(3, 32, 32)))
    job = stored_under_key(job, tmp_path, "part")
    run_job(job)
    with av.open(str(job.output)) as container:
        assert [track.codec_context.name for track in container.streams.audio] == ["pcm_s16le", "pcm_s16le"]


def test_more_than_a_thousand_frames_a_second(tmp_path: Path):
    clip = TensorClip(torch.rand(6, 32, 32, 3), Fraction(2000))
    job = replace(job_of(write_film(tmp_path / "x.mp4"), Encoding("ffv1")), clip=clip)
    with pytest.raises(ValueError, match=r"x_.*\.mkv cannot hold the times .* Choose h264 or prores\."):
        run_job(stored_under_key(job, tmp_path, "x"))
    job = stored_under_key(replace(job, encoding=Encoding("prores")), tmp_path, "fast")
    run_job(job)
    with av.open(str(job.output)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([t / 2000 for t in range(6)], abs=1e-9)


@pytest.mark.parametrize("codec", list(CODECS))
def test_every_ending_that_a_codec_is_offered_with(tmp_path: Path, codec: str):
    source = write_film(tmp_path / "in.mp4")
    for ending in Encoding(codec).endings:
        job = replace(job_of(source, Encoding(codec)), output=tmp_path / f"out{ending}")
        assert run_job(job).num_frames == 6
        assert len(times_of(job.output)) == 6
