"""A whole evaluation by its command line: one's own renderer, resuming after a kill, failures, processes."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from bokeh_lab.evaluate.__main__ import main, parse, plan_of
from bokeh_lab.evaluate.measure import Settings, is_done
from bokeh_lab.evaluate.run import run

from .conftest import Finished, tiny

ROOT = Path(__file__).resolve().parents[3]
# How long a process may take to start on a busy machine before the test gives up.
START_S = 600

# Notes the length of every clip it is given; hangs at its third call where it is told to.
NOTING = """
import os, time
from pathlib import Path

CALLS = Path(__file__).with_name("calls.txt")


def render(task):
    with CALLS.open("a") as calls:
        calls.write(f"{len(task.frames)}\\n")
    if os.environ.get("HANG") and len(CALLS.read_text().split()) == 3:
        Path(__file__).with_name(f"hanging_{os.getpid()}").touch()
        time.sleep(600)
    return task.frames
"""

FAILING = """
def small(task):
    return task.frames[:, 1:]


def full(task):
    raise RuntimeError("out of memory")


def mistaken(task):
    return task.frame


def broken(task):
    return task.frames / 0
"""


def modified(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


def wait_until_hanging(process: "subprocess.Popen[str]", folder: Path, count: int) -> None:
    """Wait until so many processes are in the middle of a render, or the command has ended."""
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        if len(list(folder.glob("hanging_*"))) == count:
            return
        time.sleep(0.02)


def test_a_renderer_of_ones_own_is_one_function(finished: Finished):
    assert finished.code == 0
    with (finished.out / "table.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    psnr = {(line["renderer"], line["clip"], line["perturbation"]): line["psnr"] for line in lines}
    assert {key[0] for key in psnr} == {
        "ground_truth",
        "another_grid",
        "identity",
        "gather",
        "true_layers",
        "own_darker",
    }
    assert len(lines) == 2 * (3 + 2 * 3)
    for clip in ("paper_0", "paper_1"):
        assert psnr["ground_truth", clip, "none"] == "inf"
        # Neither looks at the disparity.
        assert psnr["own_darker", clip, "none"] == psnr["own_darker", clip, "erode"]
        assert float(psnr["own_darker", clip, "none"]) < float(psnr["gather", clip, "none"])
        assert 40 < float(psnr["another_grid", clip, "none"]) < 100
        assert float(psnr["true_layers", clip, "none"]) > float(psnr["gather", clip, "none"])
    assert {line["processes"] for line in lines} == {"1"}
    table = (finished.out / "table.md").read_text(encoding="utf-8")
    assert "| DeepLens | no weights |" in table
    assert str(finished.out) in table


def test_the_same_command_again_measures_nothing(finished: Finished):
    before = modified(finished.out)
    assert main(finished.argv) == 0
    after = modified(finished.out)
    assert after.keys() == before.keys()
    changed = {file.name for file in after if after[file] != before[file]}
    assert changed == {"table.csv", "summary.csv", "table.md", "plot.png", "index.html"}


def test_other_settings_are_other_results(tmp_path):
    argv = ["--renderers", "identity", "--no-videos", "--no-plot"]
    main(tiny(tmp_path, *argv))
    first = modified(tmp_path / "results")
    main(tiny(tmp_path, *argv, "--gamma", "2.2"))
    assert len(modified(tmp_path / "results")) == 2 * len(first)
    assert len(modified(tmp_path / "clips")) == 4
    assert first.items() <= modified(tmp_path / "results").items()
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 2


def test_damaged_files_are_made_again(tmp_path):
    argv = tiny(tmp_path, "--renderers", "identity", "--no-plot")
    main(argv)
    table = (tmp_path / "table.csv").read_bytes()
    results = sorted((tmp_path / "results").rglob("*.json"))
    results[0].write_bytes(results[0].read_bytes()[:40])
    for clip in (tmp_path / "clips").iterdir():
        clip.write_bytes(clip.read_bytes()[:1000])
    video = next((tmp_path / "videos").rglob("identity.*"))
    video.unlink()
    main(argv)
    assert video.is_file()
    with_times = csv.DictReader((tmp_path / "table.csv").read_text(encoding="utf-8").splitlines())
    before = csv.DictReader(table.decode().splitlines())
    for found, expected in zip(with_times, before, strict=True):
        assert {**found, "seconds_per_frame": ""} == {**expected, "seconds_per_frame": ""}


def test_a_killed_run_goes_on_where_it_stopped(tmp_path):
    own = tmp_path / "own.py"
    own.write_text(NOTING, encoding="utf-8")
    out = tmp_path / "out"
    argv = tiny(out, "--renderer", f"{own}:render", "--no-plot")
    command = [sys.executable, "-m", "bokeh_lab.evaluate", *argv]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "HANG": "1"}, stderr=subprocess.PIPE, text=True
    )
    wait_until_hanging(process, tmp_path, 1)
    process.kill()
    messages = process.communicate()[1]
    assert process.returncode != 0, messages
    # One frame to warm up, then the two of each clip; it hung in the second clip.
    assert (tmp_path / "calls.txt").read_text().split() == ["1", "2", "2"]
    kept = modified(out / "results")
    assert [file.parent.name for file in kept] == ["paper_0"]
    clips = modified(out / "clips")
    assert len(clips) == 2
    assert not (out / "index.html").exists()

    assert main(argv) == 0
    assert (tmp_path / "calls.txt").read_text().split() == ["1", "2", "2", "1", "2"]
    assert kept.items() <= modified(out / "results").items()
    assert clips == modified(out / "clips")
    assert {file.parent.name for file in modified(out / "results")} == {"paper_0", "paper_1"}
    assert not list(out.rglob("*.unfinished"))


@pytest.fixture
def ctrl_c_reaches_children() -> Iterator[None]:
    """A shell starts what it runs in the background with Ctrl-C ignored, and children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals to a group of processes are POSIX's")
def test_ctrl_c_in_several_processes_leaves_whole_files(tmp_path, ctrl_c_reaches_children):
    own = tmp_path / "own.py"
    own.write_text(NOTING.replace("== 3", ">= 2"), encoding="utf-8")
    out = tmp_path / "out"
    argv = tiny(out, "--renderer", f"{own}:render", "--no-plot", "--jobs", "2")
    command = [sys.executable, "-m", "bokeh_lab.evaluate", *argv]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "HANG": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    # A process that is still starting does not know yet that the first one deals with Ctrl-C.
    wait_until_hanging(process, tmp_path, 2)
    # As a terminal does: to the whole group. The pipe closes only when the last process of it has ended.
    os.killpg(process.pid, signal.SIGINT)
    output, messages = process.communicate(timeout=START_S)
    assert process.returncode == 1
    assert "Stopped; the same command again continues." in messages
    assert "Traceback" not in messages
    assert output == ""
    assert list((out / "results").rglob("*.json")) == []

    (tmp_path / "calls.txt").unlink()
    assert main(argv) == 0
    # Each clip once. Each process that takes one warms up before; the first may be quick enough to take both.
    calls = sorted((tmp_path / "calls.txt").read_text().split())
    assert calls in (["1", "1", "2", "2"], ["1", "2", "2"])
    with (out / "table.csv").open(encoding="utf-8", newline="") as file:
        assert [line["processes"] for line in csv.DictReader(file)] == ["2", "2"]


def test_failures_are_told_and_tried_again(tmp_path, capsys):
    own = tmp_path / "own.py"
    own.write_text(FAILING, encoding="utf-8")
    renderers = [word for name in ("small", "full", "broken") for word in ("--renderer", f"{own}:{name}")]
    argv = tiny(tmp_path / "out", "--renderers", "identity", *renderers, "--no-plot", "--no-videos")
    assert main(argv) == 1
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 'out' / 'index.html'}\n"
    assert "paper_0: own_full, none: failed: RuntimeError: out of memory" in captured.err
    table = (tmp_path / "out" / "table.md").read_text(encoding="utf-8")
    assert "failed on 2 of 2 clips: RuntimeError: out of memory" in table
    assert "returned shape (1, 47, 64, 3); these frames need (1, 48, 64, 3)" in table
    assert "returned NaN or infinite values" in table
    plan = plan_of(parse(argv))
    settings = Settings(tmp_path / "out", videos=False)
    assert [u.renderer for u in plan.units if is_done(u, settings)] == ["identity", "identity"]


def test_a_mistake_in_the_code_stops_the_run(tmp_path):
    own = tmp_path / "own.py"
    own.write_text(FAILING, encoding="utf-8")
    plan = plan_of(parse(tiny(tmp_path, "--renderer", f"{own}:mistaken")))
    with pytest.raises(AttributeError, match="frame"):
        run(plan, Settings(tmp_path / "out"))


def test_discarded_clips_are_gone_and_results_stay(tmp_path):
    argv = tiny(tmp_path, "--renderers", "identity", "--no-plot", "--no-videos", "--discard-clips")
    main(argv)
    assert list((tmp_path / "clips").iterdir()) == []
    before = modified(tmp_path / "results")
    main(argv)
    assert modified(tmp_path / "results") == before


def test_strengths_replace_those_of_the_preset(tmp_path):
    argv = tiny(tmp_path, "--renderers", "identity", "--no-plot", "--no-videos", "--strengths", "16,160")
    main(argv)
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        # Stated for 1024 px: a frame 64 px wide has a sixteenth.
        assert [float(line["strength_px"]) for line in csv.DictReader(file)] == [1.0, 10.0]


def test_threads_are_given_back(tmp_path):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        main(tiny(tmp_path, "--renderers", "identity", "--clips", "1", "--no-plot", "--no-videos"))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--renderers", "magic"], "no renderer 'magic'"),
        (["--perturb", "fog"], "no perturbation 'fog'"),
        (["--size", "big"], "The size is 'big'"),
        (["--jobs", "0"], "--jobs is 0"),
        (["--device", "banana"], "no device 'banana' here; choose one of .*cpu"),
        (["--renderers", ","], "--renderers is ',', which names none"),
        (["--weights", "nowhere"], "folder nowhere does not exist"),
        (["--preset", "easy"], "no preset 'easy'"),
    ],
)
def test_mistakes_on_the_command_line_are_told_before_anything_is_made(tmp_path, argv, message):
    with pytest.raises(ValueError, match=message):
        main([*argv, "--no-plot", "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
