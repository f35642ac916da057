"""A clip whose depth is estimated: the whole job, stopped and resumed, with the maps beside the parts."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bokeh_core.disparity.estimator import DepthEstimator, EstimatorFiles
from bokeh_core.disparity.prepare import prepare_disparity
from bokeh_core.progress import no_progress
from bokeh_core.render import (
    FileClip,
    GivenDepth,
    LensRenderer,
    RenderJob,
    Strength,
    TensorClip,
    parse_focus,
    run_job,
)
from bokeh_core.render.command.program import main
from bokeh_core.render.estimated import EstimatedDepth
from bokeh_core.render.parts_folder import parts_folder
from bokeh_core.render.stored_maps import StoredMaps
from bokeh_core.video_io import Encoding
from tests.core.disparity.tiny_estimator import write_tiny_estimator
from tests.core.render.clips import moving_pictures, read_video, write_video

COUNT, HEIGHT, WIDTH = 20, 48, 64
SMALL_SIZE = '{"size": {"height": 56, "width": 56}}'


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> EstimatorFiles:
    folder = write_tiny_estimator(tmp_path_factory.mktemp("models") / "tiny")
    (folder / "preprocessor_config.json").write_text(SMALL_SIZE, encoding="utf-8")
    return EstimatorFiles(folder)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mkv", moving_pictures(COUNT, HEIGHT, WIDTH))


class Counting:
    """Loads a model and counts the frames that it sees."""

    def __init__(self) -> None:
        self.frames = 0

    def __call__(self, files: EstimatorFiles) -> tuple[DepthEstimator, int]:
        model = files.load()
        plain = model.maps

        def counted(frames: torch.Tensor) -> torch.Tensor:
            self.frames += len(frames)
            return plain(frames)

        model.maps = counted  # type: ignore[method-assign]
        return model, 1


def job_of(video: Path, model: EstimatorFiles, output: Path, load: Any) -> RenderJob:
    focus, strength = parse_focus("point"), Strength("100")
    depth = EstimatedDepth(model, load)
    return RenderJob(FileClip(video), depth, focus, strength, LensRenderer(), output, Encoding("ffv1"), 8)


def test_the_result_is_that_of_the_same_maps_in_memory(video: Path, model: EstimatorFiles, tmp_path: Path):
    job = job_of(video, model, tmp_path / "out.mkv", Counting())
    report = run_job(job)
    assert "estimated frame by frame" in report.text and "may waver" in report.text
    frames = torch.stack(list(job.clip.frames(0, job.clip.timestamps(no_progress))))
    estimator = model.load()
    maps = torch.cat([estimator.maps(frame[None]) for frame in frames])
    disparity = prepare_disparity(maps, polarity="near white", height=HEIGHT, width=WIDTH).disparity
    same = replace(
        job, clip=TensorClip(frames, Fraction(24)), depth=GivenDepth(disparity), output=tmp_path / "same.mkv"
    )
    run_job(same)
    difference = read_video(job.output).astype(int) - read_video(same.output).astype(int)
    # Maps in 65536 levels.
    assert np.abs(difference).max() <= 1
    assert not parts_folder(job.output).exists()


def test_a_stopped_estimate_goes_on_where_it_was(video: Path, model: EstimatorFiles, tmp_path: Path):
    class Stopped(Exception):
        """Stands for a cancel."""

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "estimating depth" and done == 18:
            raise Stopped

    first, second = Counting(), Counting()
    output = tmp_path / "out.mkv"
    with pytest.raises(Stopped):
        run_job(job_of(video, model, output, first), stop)
    kept = sorted(path.name for path in parts_folder(output).glob("depth_*"))
    assert kept == ["depth_00000000.npz"] and first.frames == 18
    run_job(job_of(video, model, output, second))
    # 16 of them were kept.
    assert second.frames == COUNT - 16
    assert not parts_folder(output).exists()
    whole = job_of(video, model, tmp_path / "whole.mkv", Counting())
    run_job(whole)
    assert np.array_equal(read_video(output), read_video(whole.output))


def test_damaged_maps_are_made_again(video: Path, model: EstimatorFiles, tmp_path: Path):
    stored = StoredMaps(tmp_path, 20)
    maps = [torch.rand((5, 7), generator=torch.Generator().manual_seed(t)) for t in range(16)]
    stored.write(0, maps)
    assert stored.has(0) and not stored.has(16)
    found = stored._read(0)
    assert (found - torch.stack(maps)).abs().max().item() < 1 / 65535
    content = bytearray(stored.path(0).read_bytes())
    content[len(content) // 2] ^= 0xFF
    stored.path(0).write_bytes(bytes(content))
    assert not stored.has(0)
    # Of a map without contrast every level is its one value.
    stored.write(16, [torch.full((5, 7), 0.3)] * 4)
    assert torch.equal(stored._read(16), torch.full((4, 5, 7), 0.3))


def test_a_full_disk_is_told_before_anything_is_estimated(video: Path, model: EstimatorFiles, tmp_path: Path):
    load = Counting()
    with pytest.raises(ValueError, match="too full"):
        run_job(job_of(video, model, tmp_path / "out.mkv", load), free_bytes=lambda _folder: 1000)
    assert load.frames == 0


def test_the_command_line_is_the_whole_job(
    video: Path, model: EstimatorFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    output = tmp_path / "out.mp4"
    argv = [str(video), "--disparity", "estimate", "-o", str(output), "--device", "cpu", "--strength", "8"]
    assert main([*argv, "--depth-model", str(model.folder)]) == 0
    assert (
        "Read 20 frames of 56 x 42 px, 16-bit, from tiny, estimated frame by frame."
        in capsys.readouterr().err
    )
    assert len(read_video(output)) == COUNT
    assert main([*argv, "--depth-model", str(tmp_path)]) == 1
    assert "is no Depth Anything model" in capsys.readouterr().err
    assert main([*argv, "--depth-model", "nobody/nothing"]) == 1
    assert "that can be fetched: depth-anything" in capsys.readouterr().err


def test_a_model_goes_with_estimating(video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    argv = [str(video), "--disparity", str(video), "-o", str(tmp_path / "o.mp4"), "--depth-model", "x"]
    assert main(argv) == 1
    assert "--depth-model goes with --disparity estimate" in capsys.readouterr().err


def test_a_folder_of_clips_needs_no_maps(model: EstimatorFiles, tmp_path: Path):
    (tmp_path / "clips").mkdir()
    for name in ("a", "b"):
        write_video(tmp_path / "clips" / f"{name}.mkv", moving_pictures(3, HEIGHT, WIDTH))
    argv = [str(tmp_path / "clips"), "--disparity", "estimate", "--depth-model", str(model.folder)]
    assert main([*argv, "-o", str(tmp_path / "out"), "--device", "cpu"]) == 0
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == ["a", "b"]
