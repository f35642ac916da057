"""One clip over several processes: the file of a single one, whoever comes late, fails or is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bokeh_core.render import RenderReport, run_job
from bokeh_core.render.parts import Span
from bokeh_core.render.parts_folder import SHARES, clear, parts_folder, share_lock
from bokeh_core.render.processes import Process
from bokeh_core.render.shares import shares_of
from bokeh_core.render.stages import no_stage_progress
from tests.core.render import test_job
from tests.core.render.test_job import COUNT, job_on

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return test_job.write_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def alone(sources: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file that a single process makes."""
    output = tmp_path_factory.mktemp("alone") / "out.mp4"
    run_job(job_on(sources, output))
    return output.read_bytes()


def together(
    sources: tuple[Path, Path],
    output: Path,
    count: int,
    progress: dict[int, Any] | None = None,
    ended: threading.Event | None = None,
) -> list[RenderReport | ValueError]:
    """Run so many processes, as threads, each with a job of its own; return what each reports or raises.

    `ended` is set as soon as one other than number 0 has.
    """

    def one(rank: int) -> RenderReport | ValueError:
        watched = (progress or {}).get(rank, no_stage_progress)
        try:
            return run_job(job_on(sources, output), watched, process=Process(rank, count, rank))
        except ValueError as error:
            return error
        finally:
            if rank and ended:
                ended.set()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.parametrize("count", [2, 3, 6])
def test_the_file_is_that_of_one_process(
    sources: tuple[Path, Path], alone: bytes, tmp_path: Path, count: int
):
    output = tmp_path / "out.mp4"
    reports = together(sources, output, count)
    assert all(isinstance(report, RenderReport) for report in reports), reports
    assert output.read_bytes() == alone
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def waiting_for(output: Path, part: int, stopped: Callable[[], bool]) -> Any:
    """A progress that stays at the first frame until another process has finished a part."""
    folder = parts_folder(output)

    def progress(stage: str, done: int, total: int) -> None:
        # What is told before anything is shared out comes from looking at what is there.
        while (
            stage == "rendering"
            and (folder / SHARES).is_file()
            and not (folder / f"part_{part:08d}.json").is_file()
            and not stopped()
        ):
            time.sleep(0.01)

    return progress


def test_each_makes_its_share(sources: tuple[Path, Path], alone: bytes, tmp_path: Path):
    output = tmp_path / "out.mp4"
    # 28 frames in parts of 8 are four parts, two for each.
    ended = threading.Event()
    first, second = together(sources, output, 2, {0: waiting_for(output, 24, ended.is_set)}, ended)
    assert isinstance(first, RenderReport)
    assert isinstance(second, RenderReport)
    assert f"Written to {output}." in first.text
    assert "share 2 of 2" in second.text
    assert second.rendered_frames == COUNT - 16
    assert output.read_bytes() == alone


@pytest.mark.parametrize(
    ("count", "shares"),
    [(1, [5]), (2, [2, 3]), (3, [1, 2, 2]), (7, [0, 1, 1, 0, 1, 1, 1])],
)
def test_shares_are_neighbours_and_even(count: int, shares: list[int]):
    spans = [Span(8 * i, 8 * i + 8) for i in range(5)]
    made = shares_of(spans, count)
    assert [len(share) for share in made] == shares
    assert [span for share in made for span in share] == spans


def test_a_process_that_fails_costs_its_share_only(sources: tuple[Path, Path], alone: bytes, tmp_path: Path):
    def failing(stage: str, done: int, total: int) -> None:
        if stage == "rendering" and done:
            raise ValueError("This GPU is broken.")

    output = tmp_path / "out.mp4"
    first, second = together(sources, output, 2, {1: failing})
    assert isinstance(first, RenderReport), first
    # It fails, or comes too late to.
    assert isinstance(second, RenderReport) or str(second) == "This GPU is broken."
    assert output.read_bytes() == alone


def test_process_0_makes_what_nobody_comes_for(sources: tuple[Path, Path], alone: bytes, tmp_path: Path):
    job = job_on(sources, tmp_path / "out.mp4")
    report = run_job(job, process=Process(0, 3))
    assert report.rendered_frames == COUNT
    assert job.output.read_bytes() == alone
    late = run_job(job, process=Process(2, 3))
    assert "Nothing has changed" in late.text
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


KILLED = """
import sys
from pathlib import Path

from bokeh_core.render import run_job
from bokeh_core.render.processes import Process
from tests.core.render.test_job import job_on


def progress(stage, done, total):
    if stage == "rendering" and Path(sys.argv[3] + ".parts", "part_00000016.json").exists():
        print("here", flush=True)
        sys.stdin.read()


run_job(job_on((Path(sys.argv[1]), Path(sys.argv[2])), Path(sys.argv[3])), progress, process=Process(1, 2))
"""


def test_a_killed_process_costs_the_part_it_was_at(sources: tuple[Path, Path], alone: bytes, tmp_path: Path):
    output = tmp_path / "out.mp4"
    argv = [sys.executable, "-c", KILLED, *map(str, sources), str(output)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (
        subprocess.Popen(
            argv, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        assert other.stdout is not None
        waits = waiting_for(output, 16, lambda: other.poll() is not None)
        started = pool.submit(run_job, job_on(sources, output), waits, process=Process(0, 2))
        reached = "here\n" in other.stdout
        mark = (parts_folder(output) / "part_00000016.json").stat().st_mtime_ns
        other.kill()
        started.result()
    assert reached and mark and other.returncode != 0
    assert output.read_bytes() == alone
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_without_process_0_nothing_is_made(
    sources: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bokeh_core.render.shares.UNSEEN_FOR_S", -1.0)
    job = job_on(sources, tmp_path / "out.mp4")
    with pytest.raises(ValueError, match=r"Process 1 of 2 has waited .* for process 0"):
        run_job(job, process=Process(1, 2))
    # Nor does it work into a folder that is somebody else's, or what was shared out for another job.
    parts_folder(job.output).mkdir()
    (parts_folder(job.output) / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="is not a folder of parts"):
        run_job(job, process=Process(1, 2))


class _StoppedError(Exception):
    pass


def _stop() -> None:
    raise _StoppedError


def test_one_that_looks_for_process_0_leaves_no_folder(sources: tuple[Path, Path], tmp_path: Path):
    output = tmp_path / "out.mp4"
    # Process 0 finds the lock of the one that looks in its folder, and so cannot take it away.
    parts_folder(output).mkdir()
    with pytest.raises(_StoppedError):
        run_job(job_on(sources, output), check=_stop, process=Process(1, 2))
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_goes_meanwhile_does_not_stop_process_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lock = share_lock(tmp_path, 1)
    lock.touch()
    listed = Path.iterdir

    def just_before(folder: Path) -> list[Path]:
        names = list(listed(folder))
        lock.unlink()
        return names

    monkeypatch.setattr(Path, "iterdir", just_before)
    clear(tmp_path)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
