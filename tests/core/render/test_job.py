"""From file to file: parts, stops and crashes, damaged parts, full disks, sound."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.progress import Check
from bokeh_core.render import (
    FileClip,
    FileDepth,
    GivenDepth,
    GivenFocus,
    GivenStrength,
    LensRenderer,
    RenderJob,
    Strength,
    TensorClip,
    parse_focus,
    run_job,
)
from bokeh_core.render.clip_stream import ClipStream
from bokeh_core.video_io import Encoding
from tests.core.render.clips import (
    moving_pictures,
    read_video,
    sliding_disparity,
    sound_packets,
    times_of,
    write_disparity,
    write_video,
)

COUNT, HEIGHT, WIDTH, PART = 28, 48, 64, 8


@dataclass(frozen=True)
class Shade:
    """A renderer that takes no time: darker where the disparity is far from the focus."""

    factor: float = 0.5

    keeps_light = True
    mends_maps = False

    def fingerprint(self) -> str:
        return repr(self)

    def require_strength(self, strength: Tensor) -> None:
        """Takes every strength."""

    def describe(self, clip: ClipStream) -> str:
        return f"{clip.num_frames} frames shaded."

    def frames(self, clip: ClipStream, start: int, check: Check) -> Iterator[Tensor]:
        pairs = zip(clip.frames(start), clip.disparity(start), strict=True)
        for t, (frame, disparity) in enumerate(pairs, start):
            check()
            distance = (disparity - clip.focal_disparity[t]).abs() * clip.blur_strength[t] / 120
            yield frame * (1 - self.factor * distance[..., None])


def write_sources(folder: Path) -> tuple[Path, Path]:
    """Write a clip of variable rate with sound, and its depth."""
    times = np.cumsum(np.resize([1001, 1001, 2002], COUNT)).tolist()
    video = write_video(
        folder / "clip.mp4",
        moving_pictures(COUNT, HEIGHT, WIDTH),
        times=times,
        time_base=Fraction(1, 24000),
        sound=True,
        codec="libx264",
        pixel_format="yuv420p",
    )
    return video, write_disparity(folder / "maps", sliding_disparity(COUNT, HEIGHT, WIDTH))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_sources(tmp_path_factory.mktemp("sources"))


def job_on(sources: tuple[Path, Path], output: Path, **changes: Any) -> RenderJob:
    video, depth = sources
    job = RenderJob(
        FileClip(video),
        FileDepth(depth),
        parse_focus("point: 10, 40"),
        Strength("0: 60, 27: 120"),
        Shade(),
        output,
        part_frames=PART,
    )
    return replace(job, **changes)


@pytest.fixture(scope="module")
def uninterrupted(sources: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("whole") / "out.mp4"
    report = run_job(job_on(sources, output))
    assert (report.num_frames, report.rendered_frames) == (COUNT, COUNT)
    return output


class Stop(BaseException):
    """The user's cancel; no Exception, as in newer hosts."""


def stopping_at(stage: str, frame: int) -> Any:
    def progress(now: str, done: int, total: int) -> None:
        if now == stage and done >= frame:
            raise Stop

    return progress


def test_times_and_sound_are_those_of_the_source(sources: tuple[Path, Path], uninterrupted: Path):
    assert times_of(uninterrupted) == times_of(sources[0])
    assert sound_packets(uninterrupted) == sound_packets(sources[0])
    before, after = read_video(sources[0]), read_video(uninterrupted)
    assert after.shape == before.shape == (COUNT, HEIGHT, WIDTH, 3)
    assert np.abs(before.astype(int) - after).max() > 40
    assert [path.name for path in uninterrupted.parent.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(
    ("stage", "frame", "kept"),
    [
        ("reading video", 3, 0),
        ("reading depth", 3, 0),
        ("measuring focus", 3, 0),
        ("rendering", 3, 0),
        ("rendering", 21, 16),
        ("joining", 3, COUNT),
    ],
)
def test_a_stop_anywhere_changes_nothing(
    sources: tuple[Path, Path], uninterrupted: Path, tmp_path: Path, stage: str, frame: int, kept: int
):
    job = job_on(sources, tmp_path / "out.mp4")
    with pytest.raises(Stop):
        run_job(job, stopping_at(stage, frame))
    assert not job.output.exists()
    assert list(tmp_path.rglob("*.unfinished")) == []
    report = run_job(job)
    assert report.rendered_frames == COUNT - kept
    assert job.output.read_bytes() == uninterrupted.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_each_frame_that_is_rendered_is_shown_before_its_tick(sources: tuple[Path, Path], tmp_path: Path):
    job = job_on(sources, tmp_path / "out.mp4")
    with pytest.raises(Stop):
        run_job(job, stopping_at("rendering", 17))
    shown: list[torch.Tensor] = []
    ticks: list[tuple[int, int]] = []

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "rendering":
            ticks.append((done, len(shown)))

    report = run_job(job, progress, show=shown.append)
    kept = COUNT - report.rendered_frames
    assert kept > 0
    assert ticks == [(done, done - kept) for done in range(kept, COUNT + 1)]
    assert {frame.ndim for frame in shown} == {3}


def test_the_first_passes_are_not_repeated(sources: tuple[Path, Path], tmp_path: Path):
    job = job_on(sources, tmp_path / "out.mp4")
    with pytest.raises(Stop):
        run_job(job, stopping_at("rendering", 20))
    stages: list[str] = []
    run_job(job, lambda stage, done, total: stages.append(stage))
    assert set(stages) == {"rendering", "joining"}


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("harm", [damage, cut_short, Path.unlink], ids=["damage", "cut_short", "unlink"])
@pytest.mark.parametrize("name", ["part_00000008.mp4", "part_00000008.json"])
def test_a_damaged_part_is_made_again(
    sources: tuple[Path, Path], uninterrupted: Path, tmp_path: Path, harm: Any, name: str
):
    job = job_on(sources, tmp_path / "out.mp4")
    with pytest.raises(Stop):
        run_job(job, stopping_at("rendering", 26))
    harm(tmp_path / "out.mp4.parts" / name)
    report = run_job(job)
    # Kept are frames 0 to 7 and 16 to 23.
    assert report.rendered_frames == COUNT - 16
    assert job.output.read_bytes() == uninterrupted.read_bytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"strength": Strength("80")},
        {"focus": parse_focus("0.5")},
        {"renderer": Shade(0.25)},
        {"encoding": Encoding("h264", 30)},
        {"part_frames": 16},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_parts_of_other_settings_are_not_used(
    sources: tuple[Path, Path], tmp_path: Path, changes: dict[str, Any]
):
    job = job_on(sources, tmp_path / "out.mp4")
    with pytest.raises(Stop):
        run_job(job, stopping_at("rendering", 20))
    (tmp_path / "out.mp4.parts" / "mine.txt").write_text("of somebody else")
    report = run_job(replace(job, **changes))
    assert report.rendered_frames == COUNT
    # What others put there is left alone.
    assert [path.name for path in (tmp_path / "out.mp4.parts").iterdir()] == ["mine.txt"]


def test_parts_of_another_source_are_not_used(sources: tuple[Path, Path], tmp_path: Path):
    maps = write_disparity(tmp_path / "maps", sliding_disparity(COUNT, HEIGHT, WIDTH))
    job = job_on((sources[0], maps), tmp_path / "out.mp4")
    with pytest.raises(Stop):
        run_job(job, stopping_at("rendering", 20))
    os.utime(maps / "00003.png", ns=(0, 1))
    assert run_job(job).rendered_frames == COUNT


WORKER = """
import sys
from pathlib import Path
from tests.core.render.test_job import job_on
from bokeh_core.render import run_job
def progress(stage, done, total):
    if (stage, done) == ("rendering", 19):
        print("here", flush=True)
        sys.stdin.read()
run_job(job_on((Path(sys.argv[1]), Path(sys.argv[2])), Path(sys.argv[3])), progress)
"""


def test_a_stopped_lens_blur_goes_on_as_if_nothing_had_been(sources: tuple[Path, Path], tmp_path: Path):
    whole, stopped = (
        job_on(sources, tmp_path / name, renderer=LensRenderer()) for name in ("whole.mp4", "stopped.mp4")
    )
    run_job(whole)
    with pytest.raises(Stop):
        run_job(stopped, stopping_at("rendering", 12))
    assert run_job(stopped).rendered_frames == COUNT - 8
    assert stopped.output.read_bytes() == whole.output.read_bytes()


def test_a_killed_process_leaves_its_finished_parts(
    sources: tuple[Path, Path], uninterrupted: Path, tmp_path: Path
):
    output = tmp_path / "out.mp4"
    argv = [sys.executable, "-c", WORKER, *map(str, sources), str(output)]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        argv, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        reached = "here\n" in process.stdout
        process.kill()
    assert reached and process.returncode != 0
    assert not output.exists()
    report = run_job(job_on(sources, output))
    assert report.rendered_frames == COUNT - 16
    assert output.read_bytes() == uninterrupted.read_bytes()
    assert "16 of 28 frames were kept from an earlier run." in report.text


def test_an_existing_file_stays_until_the_new_one_is_whole(sources: tuple[Path, Path], tmp_path: Path):
    output = tmp_path / "out.mp4"
    output.write_bytes(b"an earlier result")
    with pytest.raises(Stop):
        run_job(job_on(sources, output, overwrite=True), stopping_at("joining", 20))
    assert output.read_bytes() == b"an earlier result"


class TestDisk:
    def test_a_full_disk_is_noticed_before_anything_is_rendered(
        self, sources: tuple[Path, Path], tmp_path: Path
    ):
        stages: list[str] = []
        with pytest.raises(
            ValueError, match=r"(?s)The disk of .* too full: .*\(100 bytes\) are free"
        ) as error:
            run_job(
                job_on(sources, tmp_path / "out.mp4"),
                lambda stage, done, total: stages.append(stage),
                free_bytes=lambda folder: 100,
            )
        # 0.35 bits a pixel, once for the parts and once joined.
        needed = 2 * round(0.35 / 8 * WIDTH * HEIGHT * COUNT)
        assert f"({needed} bytes) there" in str(error.value)
        assert str(tmp_path) in str(error.value)
        assert "rendering" not in stages

    def test_a_disk_that_fills_up_stops_the_run_between_parts(
        self, sources: tuple[Path, Path], uninterrupted: Path, tmp_path: Path
    ):
        asked: list[Path] = []

        def filling(folder: Path) -> int:
            asked.append(folder)
            return 10**9 if len(asked) < 4 else 0

        job = job_on(sources, tmp_path / "out.mp4")
        with pytest.raises(ValueError, match="too full"):
            run_job(job, free_bytes=filling)
        assert set(asked) == {tmp_path}
        # Asked at the beginning and before each part: two parts are finished at the fourth question.
        assert run_job(job).rendered_frames == COUNT - 16
        assert job.output.read_bytes() == uninterrupted.read_bytes()


class TestRefused:
    def test_outputs_that_cannot_be(self, sources: tuple[Path, Path], tmp_path: Path):
        with pytest.raises(ValueError, match="does not exist; make the folder first"):
            run_job(job_on(sources, tmp_path / "nowhere" / "out.mp4"))
        (tmp_path / "folder.mp4").mkdir()
        with pytest.raises(ValueError, match="is a folder; name the video file"):
            run_job(job_on(sources, tmp_path / "folder.mp4"))
        with pytest.raises(ValueError, match=r"out\.avi cannot hold h264"):
            run_job(job_on(sources, tmp_path / "out.avi"))
        with pytest.raises(ValueError, match="is a source of this job"):
            run_job(job_on(sources, sources[0]))
        assert sources[0].stat().st_size > 1000

    def test_a_schedule_that_is_too_short_is_refused_before_the_depth_is_read(
        self, sources: tuple[Path, Path], tmp_path: Path
    ):
        stages: list[str] = []
        with pytest.raises(ValueError, match="2 values for 28 video frames"):
            run_job(
                job_on(sources, tmp_path / "out.mp4", strength=Strength("1\n2")),
                lambda stage, done, total: stages.append(stage),
            )
        assert set(stages) == {"reading video"}


class TestInMemory:
    def test_frames_and_sound_of_the_host(self, tmp_path: Path):
        images = torch.from_numpy(moving_pictures(10, 47, 33)).float() / 255
        wave = 0.5 * torch.sin(torch.arange(44100 * 10 // 24) / 10)[None].expand(2, -1)
        job = RenderJob(
            TensorClip(images, Fraction(24), wave),
            GivenDepth(torch.rand(1, 20, 20)),
            GivenFocus(torch.tensor([0.5])),
            GivenStrength(torch.tensor([0.0])),
            LensRenderer(),
            tmp_path / "out.mp4",
            Encoding("h264", 4),
        )
        run_job(job)
        assert times_of(job.output) == [Fraction(t, 24) for t in range(10)]
        found = read_video(job.output)
        assert found.shape == (10, 47, 33, 3)
        assert np.abs(found / 255 - images.numpy()).mean() < 0.01
        heard = sum(len(data) for data, _ in sound_packets(job.output))
        assert heard > 1000

    def test_alpha_is_dropped_unless_it_is_to_be_kept(self):
        images = torch.rand(2, 8, 8, 4)
        without, kept = (TensorClip(images, Fraction(24), keep_alpha=keep) for keep in (False, True))
        assert next(without.frames(0, [])).shape == (8, 8, 3)
        assert torch.equal(next(kept.frames(1, [])), images[1])


def test_where_a_result_goes_does_not_matter_but_its_container_does(
    sources: tuple[Path, Path], tmp_path: Path
):
    job = job_on(sources, tmp_path / "out.mp4")
    assert job.key() == job_on(sources, tmp_path / "elsewhere.mp4").key()
    assert job.key() != job_on(sources, tmp_path / "out.mkv").key()
