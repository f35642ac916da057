"""Full, forbidden and vanished disks: a sentence, nothing half-written, and parts to go on with."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from bokeh_core.render import GivenDepth, TensorClip, check_job, run_job, stored_under_key
from bokeh_core.render import output as output_module
from bokeh_core.render import parts as parts_module
from bokeh_core.render.content_hash import tensor_hash
from bokeh_core.render.parts_folder import parts_folder
from bokeh_core.video_io import PartWriter
from tests.core.render.clips import moving_pictures, write_video
from tests.core.render.test_job import Stop, stopping_at
from tests.core.render.test_nothing_lost import COUNT, HEIGHT, WIDTH, short_job


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    return write_video(folder / "in.mp4", moving_pictures(COUNT, HEIGHT, WIDTH), codec="libx264")


def fail(kind: int) -> Any:
    def failing(*_: Any, **__: Any) -> Any:
        raise OSError(kind, os.strerror(kind))

    return failing


class TestFull:
    def test_while_a_part_is_written(self, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        job = short_job(video, tmp_path / "out.mp4")
        count = 0
        add = PartWriter.add

        def filling(writer: PartWriter, frame: torch.Tensor) -> None:
            nonlocal count
            count += 1
            if count > 12:
                raise OSError(errno.ENOSPC, "No space left on device")
            add(writer, frame)

        with monkeypatch.context() as patched:
            patched.setattr(PartWriter, "add", filling)
            with pytest.raises(ValueError, match=r"The disk of .* is full\. Make room") as error:
                run_job(job)
        assert str(tmp_path) in str(error.value)
        assert not job.output.exists()
        assert list(tmp_path.rglob("*.unfinished")) == []
        assert run_job(job).rendered_frames == COUNT - 8

    @pytest.mark.parametrize(
        ("module", "name"), [(parts_module, "write_whole_json"), (output_module, "put_in_place")]
    )
    def test_while_an_entry_or_the_result_is_written(
        self, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
    ):
        job = short_job(video, tmp_path / "out.mp4")
        with monkeypatch.context() as patched:
            patched.setattr(module, name, fail(errno.ENOSPC))
            with pytest.raises(ValueError, match="is full"):
                run_job(job)
        assert not job.output.exists()
        assert list(tmp_path.rglob("*.unfinished")) == []
        run_job(job)
        assert os.listdir(tmp_path) == ["out.mp4"]


def test_a_folder_that_may_not_be_written_to(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Path, "mkdir", fail(errno.EACCES))
    with pytest.raises(ValueError, match=r"may not be written to \(Permission denied\)\. Close"):
        run_job(short_job(video, tmp_path / "out.mp4"))


def test_a_folder_that_vanishes(video: Path, tmp_path: Path):
    folder = tmp_path / "drive"
    folder.mkdir()

    def progress(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("rendering", 8):
            shutil.rmtree(folder)

    if os.name == "nt":
        pytest.skip("there a folder with open files cannot be deleted")
    with pytest.raises(ValueError, match=r"The folder .*drive is no longer there"):
        run_job(short_job(video, folder / "out.mp4"), progress)
    assert os.listdir(tmp_path) == []


def test_a_name_that_is_too_long(video: Path, tmp_path: Path):
    with pytest.raises(ValueError, match=r"is too long for the disk"):
        run_job(short_job(video, tmp_path / f"{'x' * 250}.mp4"))
    assert os.listdir(tmp_path) == []


class TestDamagedResultsUnderKeys:
    def test_they_are_made_again(self, video: Path, tmp_path: Path):
        job = stored_under_key(short_job(video, Path()), tmp_path, "clip")
        run_job(job)
        for damage in (b"no video any more" * 100, job.output.read_bytes()[:2000], b""):
            job.output.write_bytes(damage)
            again = stored_under_key(short_job(video, Path()), tmp_path, "clip")
            assert again.output == job.output
            assert run_job(again).rendered_frames == COUNT
            assert check_job(again) is not None

    def test_another_film_under_that_name_is_kept(self, video: Path, tmp_path: Path):
        job = stored_under_key(short_job(video, Path()), tmp_path, "clip")
        shutil.copy(video, job.output)
        with pytest.raises(ValueError, match="exists and is not the result of this job"):
            run_job(stored_under_key(short_job(video, Path()), tmp_path, "clip"))
        assert job.output.read_bytes() == video.read_bytes()


def test_parts_beside_a_finished_result_are_cleared(video: Path, tmp_path: Path):
    job = short_job(video, tmp_path / "out.mp4")
    with pytest.raises(Stop):
        run_job(job, stopping_at("joining", 3))
    # As a run leaves it that is killed after the result is in place.
    kept = tmp_path / "kept"
    shutil.copytree(parts_folder(job.output), kept)
    run_job(job)
    kept.rename(parts_folder(job.output))
    assert check_job(job) is not None
    assert os.listdir(tmp_path) == ["out.mp4"]


def test_what_is_in_memory_is_hashed_once(monkeypatch: pytest.MonkeyPatch):
    hashed: list[torch.Tensor] = []

    def hashing(values: torch.Tensor) -> str:
        hashed.append(values)
        return "hash"

    for module in ("source", "depth"):
        monkeypatch.setattr(f"bokeh_core.render.{module}.tensor_hash", hashing)
    clip, depth = TensorClip(torch.zeros(2, 4, 4, 3), 24), GivenDepth(torch.zeros(1, 4, 4))  # type: ignore[arg-type]
    for _ in range(3):
        clip.fingerprint()
        depth.fingerprint()
    assert len(hashed) == 2


def test_every_type_of_number_has_a_hash():
    values = torch.tensor([0.0, 1.0])
    types = (
        torch.float32,
        torch.float64,
        torch.float16,
        torch.bfloat16,
        torch.uint8,
        torch.bool,
        torch.int64,
    )
    texts = {tensor_hash(values.to(kind)) for kind in types}
    assert len(texts) == len(types)
    assert tensor_hash(values) != tensor_hash(values.flip(0))
    assert tensor_hash(torch.tensor(0.5)) != tensor_hash(torch.tensor(0.25))
