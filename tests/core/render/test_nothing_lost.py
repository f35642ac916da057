"""Nothing of the user's is overwritten or deleted; results that are not whole are made again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bokeh_core.render import GivenDepth, check_job, parse_focus, remove_stale_parts, run_job
from bokeh_core.render.parts import open_parts
from bokeh_core.render.parts_folder import (
    STALE_AFTER_DAYS,
    clear,
    parts_folder,
    remove_if_empty,
    require_ours,
)
from bokeh_core.render.refusals import require_not_the_output
from bokeh_core.render.result import Found, look_at
from bokeh_core.video_io import Encoding
from tests.core.render.clips import moving_pictures, read_video, write_video
from tests.core.render.test_job import Stop, job_on, stopping_at

DAY_S = 86400
COUNT, HEIGHT, WIDTH = 17, 32, 32


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    return write_video(folder / "in.mp4", moving_pictures(COUNT, HEIGHT, WIDTH), codec="libx264")


def short_job(video: Path, output: Path, **changes: Any) -> Any:
    depth = GivenDepth(torch.linspace(0, 1, HEIGHT)[None, :, None].expand(1, HEIGHT, WIDTH))
    return job_on((video, video), output, **{"depth": depth, "focus": parse_focus("0.5"), **changes})


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def by_dots(video: Path, folder: Path) -> Path:
    (folder / "sub").mkdir()
    return folder / "sub" / ".." / video.name


def by_linked_folder(video: Path, folder: Path) -> Path:
    (folder.parent / "link").symlink_to(folder, target_is_directory=True)
    return folder.parent / "link" / video.name


def by_link(video: Path, folder: Path) -> Path:
    (folder / "link.mp4").symlink_to(video)
    return folder / "link.mp4"


def by_hard_link(video: Path, folder: Path) -> Path:
    os.link(video, folder / "hard.mp4")
    return folder / "hard.mp4"


def by_relative_path(video: Path, folder: Path) -> Path:
    return Path(os.path.relpath(video))


WAYS: list[Callable[[Path, Path], Path]] = [
    by_dots,
    by_linked_folder,
    by_link,
    by_hard_link,
    by_relative_path,
]


class TestSources:
    @pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
    def test_a_source_by_another_name_is_not_the_output(self, video: Path, tmp_path: Path, way: Any):
        folder = tmp_path / "clips"
        folder.mkdir()
        source = folder / "in.mp4"
        source.write_bytes(video.read_bytes())
        try:
            output = way(source, folder)
        except OSError:
            pytest.skip("this system gives no such links to this user")
        with pytest.raises(ValueError, match="is a source of this job"):
            run_job(short_job(source, output, overwrite=True))
        assert source.read_bytes() == video.read_bytes()
        assert list(tmp_path.rglob("*.parts")) == []

    def test_names_that_the_disk_takes_for_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        # As on Windows, where IN.MP4 and in.mp4 are one file even before it exists.
        monkeypatch.setattr(os.path, "normcase", str.lower)
        with pytest.raises(ValueError, match="is a source of this job"):
            require_not_the_output(tmp_path / "IN.MP4", tmp_path / "in.mp4")

    def test_other_sources_are_not_the_output(self, video: Path, tmp_path: Path):
        mask = write_video(tmp_path / "mask.mp4", moving_pictures(COUNT, HEIGHT, WIDTH), codec="libx264")
        text = tmp_path / "focus.mp4"
        text.write_text("0.5")
        maps = tmp_path / "maps"
        maps.mkdir()
        np.save(maps / "0.npy", np.zeros((2, 2), np.float32))
        (maps / "kept.mp4").write_bytes(b"in the folder of maps")
        before = tree(tmp_path)
        cases: list[tuple[Path, dict[str, Any]]] = [
            (mask, {"focus": parse_focus(f"mask: {mask}")}),
            (text, {"other_files": (text,)}),
            (maps / "kept.mp4", {"other_files": (maps,)}),
        ]
        for output, changes in cases:
            with pytest.raises(ValueError, match="name another file for the result"):
                run_job(short_job(video, output, overwrite=True, **changes))
        assert tree(tmp_path) == before


class TestExistingFiles:
    def test_somebodys_file_is_kept_unless_it_may_be_overwritten(self, video: Path, tmp_path: Path):
        output = tmp_path / "out.mp4"
        output.write_bytes(b"a film of somebody")
        with pytest.raises(ValueError, match="exists and is not the result of this job"):
            run_job(short_job(video, output))
        assert tree(tmp_path) == {"out.mp4": b"a film of somebody"}
        run_job(short_job(video, output, overwrite=True))
        assert check_job(short_job(video, output)) is not None

    def test_capitals_in_the_ending_leave_no_parts(self, video: Path, tmp_path: Path):
        run_job(short_job(video, tmp_path / "OUT.MP4"))
        assert list(tree(tmp_path)) == ["OUT.MP4"]

    def test_a_second_run_does_nothing(self, video: Path, tmp_path: Path):
        job = short_job(video, tmp_path / "out.mp4")
        run_job(job)
        before = (job.output.stat().st_mtime_ns, job.output.read_bytes())
        stages: list[str] = []
        report = run_job(job, lambda stage, done, total: stages.append(stage))
        assert report.text == f"Nothing has changed since {job.output} was made."
        assert stages == []
        assert (job.output.stat().st_mtime_ns, job.output.read_bytes()) == before

    @pytest.mark.skipif(os.name == "nt", reason="names with a colon are not for its disks")
    def test_a_name_that_looks_like_an_address(
        self, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.chdir(tmp_path)
        for name in ("take:1.mp4", "-2.mkv"):
            job = short_job(video, Path(name))
            assert run_job(job).rendered_frames == COUNT
            assert run_job(job).rendered_frames == 0

    def test_the_result_of_other_settings_is_not_overwritten(self, video: Path, tmp_path: Path):
        output = tmp_path / "out.mp4"
        run_job(short_job(video, output))
        before = output.read_bytes()
        with pytest.raises(ValueError, match="is not the result of this job"):
            run_job(short_job(video, output, focus=parse_focus("0.25")))
        assert output.read_bytes() == before

    def test_the_result_of_a_result_is_its_own(self, video: Path, tmp_path: Path):
        first, second = short_job(video, tmp_path / "a.mp4"), tmp_path / "b.mkv"
        run_job(first)
        next_job = short_job(first.output, second, focus=parse_focus("0.25"))
        run_job(next_job)
        assert look_at(second, next_job.key()) is Found.RESULT
        third = short_job(second, tmp_path / "c.mp4", focus=parse_focus("0.125"))
        run_job(third)
        assert look_at(third.output, third.key()) is Found.RESULT

    @pytest.mark.parametrize(("ending", "codec"), [(".mp4", "h264"), (".mov", "prores"), (".mkv", "ffv1")])
    def test_a_result_cut_short_is_made_again(self, video: Path, tmp_path: Path, ending: str, codec: str):
        job = short_job(video, tmp_path / f"out{ending}", encoding=Encoding(codec))
        run_job(job)
        whole, pictures = job.output.read_bytes(), read_video(job.output)
        for harm, found in ((whole[:-1], Found.DAMAGED), (b"", Found.NOTHING)):
            job.output.write_bytes(harm)
            assert look_at(job.output, job.key()) is found
            assert run_job(job).rendered_frames == COUNT
            # A Matroska file has a random number of its own.
            assert np.array_equal(read_video(job.output), pictures)
            assert len(job.output.read_bytes()) == len(whole)

    def test_a_file_that_appears_meanwhile_is_kept(self, video: Path, tmp_path: Path):
        job = short_job(video, tmp_path / "out.mp4")

        def progress(stage: str, done: int, total: int) -> None:
            if stage == "joining":
                job.output.write_bytes(b"somebody was faster")

        with pytest.raises(ValueError, match="has appeared while it was being rendered"):
            run_job(job, progress)
        assert job.output.read_bytes() == b"somebody was faster"
        job.output.unlink()
        assert run_job(job).rendered_frames == 0


class TestFolderOfParts:
    def test_somebodys_folder_is_left_alone(self, video: Path, tmp_path: Path):
        job = short_job(video, tmp_path / "out.mp4")
        folder = parts_folder(job.output)
        folder.mkdir()
        for name in ("part_00000000.mp4", "joined", "analysis.json", "notes.unfinished"):
            (folder / name).write_text("of somebody")
        (folder / "job.json").write_text('{"key": "a job of another program"}')
        before = tree(tmp_path)
        with pytest.raises(ValueError, match="is not a folder of parts that a run of this program left"):
            run_job(job)
        assert tree(tmp_path) == before

    @pytest.mark.parametrize("folder_goes", [True, False])
    def test_a_run_that_ends_may_take_the_folder_away_meanwhile(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder_goes: bool
    ):
        folder = parts_folder(tmp_path / "out.mp4")
        folder.mkdir()
        for name in ("job.json", "part_00000000.mp4"):
            (folder / name).write_text("of the run that ends")

        def ends(_: Path) -> bool:
            clear(folder)
            if folder_goes:
                remove_if_empty(folder)
            return False

        monkeypatch.setattr("bokeh_core.render.parts_folder._is_marked", ends)
        require_ours(folder)
        assert folder.exists() != folder_goes

    def test_a_file_of_that_name_is_left_alone(self, video: Path, tmp_path: Path):
        job = short_job(video, tmp_path / "out.mp4")
        parts_folder(job.output).write_text("parts of a car")
        with pytest.raises(ValueError, match="is not a folder of parts"):
            run_job(job)
        assert tree(tmp_path) == {"out.mp4.parts": b"parts of a car"}

    def test_files_of_others_in_our_folder_stay(self, video: Path, tmp_path: Path):
        job = short_job(video, tmp_path / "out.mp4")
        with pytest.raises(Stop):
            run_job(job, stopping_at("rendering", 9))
        names = ["part_of_mine.mp4", "part_1.mp4", "joined.mov", "notes.unfinished", "job.json.bak"]
        for name in names:
            (parts_folder(job.output) / name).write_text("of somebody")
        run_job(job)
        assert sorted(tree(parts_folder(job.output))) == sorted(names)

    def test_a_folder_of_others_in_the_place_of_a_part(self, video: Path, tmp_path: Path):
        job = short_job(video, tmp_path / "out.mp4")
        with pytest.raises(Stop):
            run_job(job, stopping_at("rendering", 9))
        (parts_folder(job.output) / "part_00000008.json").mkdir()
        with pytest.raises(ValueError, match=r"is in the way|may not be written to"):
            run_job(job)
        (parts_folder(job.output) / "part_00000008.json").rmdir()
        run_job(job)

    def test_a_refused_job_leaves_no_folder(self, video: Path, tmp_path: Path):
        with pytest.raises(ValueError, match="3 disparity"):
            run_job(short_job(video, tmp_path / "out.mp4", depth=GivenDepth(torch.rand(3, HEIGHT, WIDTH))))
        assert list(tmp_path.iterdir()) == []


class TestTwoRuns:
    def test_the_second_run_to_an_output_is_refused(self, video: Path, tmp_path: Path):
        job = short_job(video, tmp_path / "out.mp4")
        refused: list[str] = []

        def progress(stage: str, done: int, total: int) -> None:
            if stage in ("rendering", "joining") and done == 9:
                other = short_job(video, job.output, focus=parse_focus("0.25"))
                for second in (job, other):
                    with pytest.raises(ValueError, match="Another run is making") as error:
                        run_job(second)
                    refused.append(str(error.value))

        assert run_job(job, progress).rendered_frames == COUNT
        assert len(refused) == 4
        assert str(job.output) in refused[0]
        assert sorted(tree(tmp_path)) == ["out.mp4"]


class TestStaleParts:
    def stopped(self, video: Path, output: Path) -> Path:
        with pytest.raises(Stop):
            run_job(short_job(video, output), stopping_at("rendering", 9))
        return parts_folder(output)

    def age(self, folder: Path, days: float, now: float) -> None:
        for path in folder.iterdir():
            os.utime(path, (now - days * DAY_S,) * 2)

    def test_only_old_parts_of_ours_are_cleared(self, video: Path, tmp_path: Path):
        now = 2_000_000_000.0
        old, young, held, mixed = (
            self.stopped(video, tmp_path / f"{name}.mp4") for name in ("old", "young", "held", "mixed")
        )
        foreign = tmp_path / "foreign.parts"
        foreign.mkdir()
        (foreign / "part_00000000.mp4").write_text("of somebody")
        (mixed / "mine.txt").write_text("of somebody")
        (tmp_path / "old.mp4").write_bytes(b"a result")
        with open_parts(tmp_path / "held.mp4", short_job(video, tmp_path / "held.mp4").key()):
            for folder in (old, held, mixed, foreign):
                self.age(folder, STALE_AFTER_DAYS + 1, now)
            self.age(young, STALE_AFTER_DAYS - 1, now)
            assert remove_stale_parts(tmp_path, now) == [mixed, old]
        assert {path.name for path in tmp_path.iterdir()} == {
            "foreign.parts",
            "held.mp4.parts",
            "mixed.mp4.parts",
            "old.mp4",
            "young.mp4.parts",
        }
        assert list(tree(mixed)) == ["mine.txt"]
        assert run_job(short_job(video, tmp_path / "young.mp4")).rendered_frames == COUNT - 8


def test_a_source_that_changes_meanwhile_is_noticed(video: Path, tmp_path: Path):
    source = tmp_path / "in.mp4"
    source.write_bytes(video.read_bytes())
    job = short_job(source, tmp_path / "out.mp4")

    def progress(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("rendering", COUNT):
            os.utime(source, (1, 1))

    with pytest.raises(ValueError, match=r"in\.mp4 was changed while it was being rendered"):
        run_job(job, progress)
    assert not job.output.exists()
    assert run_job(job).rendered_frames == COUNT
