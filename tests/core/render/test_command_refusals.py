"""What the command line refuses, before anything is opened; and that one bad clip stops no other."""

from __future__ import annotations

import os
import shutil
import signal
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import pytest
import torch

from bokeh_core.render import RenderReport
from bokeh_core.render.command import program as command
from bokeh_core.render.command.devices import chosen_device, devices_here
from bokeh_core.render.command.progress import ProgressLine
from bokeh_core.render.command.text_files import text_or_file
from bokeh_core.render.processes import Process
from tests.core.render.clips import moving_pictures, sliding_disparity, write_disparity, write_video

COUNT, HEIGHT, WIDTH = 9, 32, 32


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("sources")
    video = write_video(folder / "in.mp4", moving_pictures(COUNT, HEIGHT, WIDTH), codec="libx264")
    return video, write_disparity(folder / "maps", sliding_disparity(COUNT, HEIGHT, WIDTH))


def run(*argv: Any) -> int:
    return command.main([str(word) for word in argv])


INFINITE = [
    ("--anamorphic", "anamorphic_ratio is"),
    ("--cat-eye", "cat_eye is"),
    ("--roundness", "roundness is"),
    ("--rotation", "rotation_deg is"),
    ("--focus-smoothing", "focus smoothing is"),
    ("--highlight-gain", "highlight_gain is"),
    ("--highlight-threshold", "highlight_threshold is"),
    ("--near-strength", "near_strength is"),
    ("--far-strength", "far_strength is"),
    ("--contour-tolerance", "contour_tolerance is"),
]
SETTINGS = [
    *((f"{option}={value}", said) for option, said in INFINITE for value in ("inf", "nan")),
    ("--contour-tolerance=-1", "contour_tolerance is -1 px; it must be 0 to 64 px"),
    ("--exponent=nan", "exponent is nan"),
    ("--strength=3000", "blur_strength is 3000 at frame 0; it must be 0 to 200"),
    ("--strength=inf", "'inf'"),
    ("--part-frames=0", "Parts of 0 frames; the number must be a multiple of 8"),
    ("--part-frames=7", "Parts of 7 frames"),
    ("--part-frames=-8", "Parts of -8 frames"),
    ("--overlap=9", "overlap is 9 frames; it must be 0 to 7"),
    ("--crf=99", "crf is 99; it must be 0 (lossless) to 51"),
    ("--focus-radius=-1", "focus radius is -1 px"),
    (f"--focus-radius={'9' * 400}", "focus radius is a number of hundreds of digits"),
    ("--device=banana", "There is no device 'banana' here; choose one of"),
    ("--device=cuda:9999", "There is no device 'cuda:9999' here"),
    ("--device=meta", "There is no device 'meta' here"),
    ("--focus=175, 95", "If a pixel is meant, write point: 175, 95 (column, row)."),
    ("--focus=,", "The focus ',' cannot be read"),
    ("--focus=mask:", "The focus names no mask"),
    ("--focus=@", "--focus @ names no file"),
    ("--focus=@no such file", "Nothing at"),
    (f"--focus={'9' * 400}: 0.5", "is too large"),
]


@pytest.mark.parametrize(("argv", "message"), SETTINGS)
def test_a_setting_is_refused_before_a_source_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argv: str, message: str
):
    def look(*_: Any) -> Any:
        raise AssertionError("a source was looked for")

    monkeypatch.setattr(command, "clips_at", look)
    monkeypatch.setattr(command, "input_path", look)
    assert run("in.mp4", "--disparity", "maps", "-o", "out.mp4", argv) == 1
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1
    assert len(said) < 500


IDLE = [
    (["--codec=ffv1", "--crf=4"], "--crf 4 is the quality of H.264"),
    (["--unet=mine"], "--unet mine is for the paper's model; leave it out, or add --renderer model"),
    (["--renderer=model", "--hidden-background=other frames"], "other frames is for Lens Blur"),
    (["--overlap=2"], "--overlap 2 is for the paper's model"),
    (["--refine-parts=edges"], "--refine-parts has 'edges'; choose from outlines, steady, limbs, banding, "),
    (["--refine-parts=steady", "--no-refine"], "--refine-parts says what is refined, and --no-refine"),
    (["--disparity=estimate", "--polarity=near black"], "--polarity near black says how maps are to be read"),
]


IDLE_NAMES = ["crf", "unet", "hidden", "overlap", "part", "no_part", "polarity"]


@pytest.mark.parametrize(("options", "message"), IDLE, ids=IDLE_NAMES)
def test_an_option_that_would_do_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], message: str
):
    monkeypatch.setattr(command, "clips_at", lambda *_: pytest.fail("a source was looked for"))
    assert run("in.mp4", "--disparity", "maps", "-o", "out.mp4", *options) == 1
    assert message in capsys.readouterr().err


LONG = "x" * 5000
PATHS = [
    ("~no_such_user/x", "names a home folder that is not known"),
    (LONG, "cannot be used (File name too long)" if os.name == "posix" else ""),
    ("a\0b", "has a NUL character in it"),
    ("", "The path is empty"),
]


@pytest.mark.parametrize("place", ["source", "depth", "output", "unet"])
@pytest.mark.parametrize(("path", "message"), PATHS, ids=["home", "long", "nul", "empty"])
def test_a_path_that_is_none(
    sources: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    place: str,
    path: str,
    message: str,
):
    video, maps = sources
    named: dict[str, Any] = {"source": video, "depth": maps, "output": tmp_path / "out.mp4"}
    named[place] = path
    argv = (named["source"], "--disparity", named["depth"], "-o", named["output"])
    model = ("--renderer", "model", "--unet", path) if place == "unet" else ()
    assert run(*argv, *model) == 1
    said = capsys.readouterr().err
    assert message in said
    assert len(said) < 1000
    assert list(tmp_path.iterdir()) == []


class TestMissingFiles:
    def test_similar_names_are_told(self, sources: tuple[Path, Path], capsys: pytest.CaptureFixture[str]):
        video, maps = sources
        for argv in [(video.with_name("im.mp4"), maps), (video, maps.with_name("map"))]:
            assert run(argv[0], "--disparity", argv[1], "-o", "out.mp4") == 1
            missing = argv[0] if argv[1] is maps else argv[1]
            meant = "in.mp4" if argv[1] is maps else "maps"
            said = capsys.readouterr().err
            assert f"Nothing at {missing}" in said
            assert f"there is {meant}." in said

    def test_a_mask_with_an_at_in_its_name(
        self, sources: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ):
        video, maps = sources
        mask = tmp_path / "a@b.png"
        argv = (video, "--disparity", maps, "-o", tmp_path / "out.mp4", "--strength", "0")
        assert run(*argv, "--focus", f"mask: {mask}") == 1
        assert f"Nothing at {mask}" in capsys.readouterr().err
        assert cv2.imwrite(str(mask), (255 * sliding_disparity(1, HEIGHT, WIDTH)[0]).astype("uint8"))
        assert run(*argv, "--focus", f"mask: '{mask}'") == 0

    def test_depth_of_another_kind_is_refused_before_the_video_is_read(
        self, sources: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ):
        text = tmp_path / "depth.txt"
        text.write_text("no depth")
        assert run(sources[0], "--disparity", text, "-o", tmp_path / "out.mp4") == 1
        said = capsys.readouterr().err
        assert "depth.txt cannot be decoded" in said
        assert "reading video" not in said


class TestTextFiles:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
    def test_the_encodings_of_editors(self, tmp_path: Path, encoding: str):
        path = tmp_path / "keys.txt"
        mark = "\ufeff" if encoding == "utf-16-le" else ""
        path.write_bytes(f"{mark}0: 0.5\n8: 0.25".encode(encoding))
        assert text_or_file(f"@{path}", "--focus") == ("0: 0.5\n8: 0.25", path)
        assert text_or_file(f" Point: @{path}", "--focus") == ("Point:0: 0.5\n8: 0.25", path)

    @pytest.mark.parametrize("text", ["mask: a@b.png", "16", "0.5 @", "me@example.org"])
    def test_another_at_is_text(self, text: str):
        assert text_or_file(text, "--focus") == (text, None)

    def test_a_name_without_an_at(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.chdir(tmp_path)
        assert text_or_file("keys.txt", "--focus") == ("keys.txt", None)
        Path("keys.txt").write_text("0.5", encoding="utf-8")
        with pytest.raises(ValueError, match=r"--focus keys\.txt is the name of a file; write @keys\.txt"):
            text_or_file("keys.txt", "--focus")

    def test_files_that_are_no_text(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        path = tmp_path / "keys.txt"
        with pytest.raises(ValueError, match="is a folder; name a text file"):
            text_or_file(f"@{tmp_path}", "--focus")
        for content, message in [(b"0.5\xff\xfe", "is not UTF-8 text"), (b"0.5\0", "is not a text file")]:
            path.write_bytes(content)
            with pytest.raises(ValueError, match=message):
                text_or_file(f"@{path}", "--focus")
        monkeypatch.setattr("bokeh_core.render.command.text_files._MOST_BYTES", 4)
        path.write_text("0.125")
        with pytest.raises(ValueError, match="is larger than"):
            text_or_file(f"@{path}", "--focus")


def pretend_there_is(monkeypatch: pytest.MonkeyPatch, kind: str | None, count: int = 0) -> None:
    """Have torch say that this machine has accelerators of a kind, as it does for every backend."""
    found = None if kind is None else torch.device(kind)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: kind is not None)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda *_: found)
    if kind is not None:
        monkeypatch.setattr(torch.get_device_module(kind), "device_count", lambda: count)


class TestDevices:
    @pytest.mark.parametrize("kind", ["cuda", "xpu"])
    def test_processes_share_the_gpus(self, monkeypatch: pytest.MonkeyPatch, kind: str):
        pretend_there_is(monkeypatch, kind, 4)
        assert devices_here() == [f"{kind}:0", f"{kind}:1", f"{kind}:2", f"{kind}:3", "cpu"]
        assert chosen_device("auto", Process(5, 8, 1)) == torch.device(f"{kind}:1")
        assert chosen_device(kind, Process(5, 8, 5)) == torch.device(f"{kind}:1")
        assert chosen_device(f"{kind}:3", Process(5, 8, 1)) == torch.device(f"{kind}:3")
        with pytest.raises(ValueError, match=rf"no device '{kind}:4' here; choose one of {kind}:0, {kind}:1"):
            chosen_device(f"{kind}:4", Process())

    def test_apples_gpu_has_no_number(self, monkeypatch: pytest.MonkeyPatch):
        pretend_there_is(monkeypatch, "mps", 1)
        assert devices_here() == ["mps", "cpu"]
        for name in ("auto", "mps", "mps:0"):
            assert chosen_device(name, Process()) == torch.device("mps")
        with pytest.raises(ValueError, match="no device 'mps:1' here"):
            chosen_device("mps:1", Process())

    def test_a_torch_that_cannot_be_asked_for_accelerators(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delattr(torch, "accelerator")
        counts = {"cuda": 0, "xpu": 1, "mps": 1}
        for kind in counts:
            # Not every module of these versions has more.
            monkeypatch.delattr(torch.get_device_module(kind), "is_available", raising=False)
            monkeypatch.setattr(torch.get_device_module(kind), "device_count", partial(counts.get, kind))
        assert devices_here() == ["xpu:0", "cpu"]
        counts["xpu"] = 0
        assert devices_here() == ["mps", "cpu"]
        counts["mps"] = 0
        assert devices_here() == ["cpu"]

    def test_without_a_gpu(self, monkeypatch: pytest.MonkeyPatch):
        pretend_there_is(monkeypatch, None)
        for name in ("auto", "cpu", "cpu:0"):
            assert chosen_device(name, Process(1, 2, 1)) == torch.device("cpu")
        with pytest.raises(ValueError, match="no device 'cuda' here"):
            chosen_device("cuda", Process())


class OurMistake(Exception):
    """An error that nobody expects."""


ERRORS = [
    MemoryError(),
    RecursionError("too deep"),
    AttributeError("'NoneType' object has no attribute 'name'"),
    StopIteration(),
    KeyError("bytes"),
    cv2.error("a matrix of the wrong kind"),
    av.error.InvalidDataError(1, "damaged"),
    OurMistake(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_one_bad_clip_stops_no_other(
    sources: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
):
    video, maps = sources
    for name in ("a", "b", "c"):
        (tmp_path / "videos").mkdir(exist_ok=True)
        shutil.copy(video, tmp_path / "videos" / f"{name}.mp4")
    seen = []

    def render(job: Any, progress: Any, process: Any) -> RenderReport:
        seen.append(job.output.name)
        if job.output.name == "b.mp4":
            raise error
        return RenderReport(f"made {job.output.name}", 1, 1)

    monkeypatch.setattr(command, "run_job", render)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "depths").mkdir()
    for name in ("a", "b", "c"):
        shutil.copy(maps / "00000.png", tmp_path / "depths" / f"{name}.png")
    assert run(tmp_path / "videos", "--disparity", tmp_path / "depths", "-o", tmp_path / "out") == 1
    assert seen == ["a.mp4", "b.mp4", "c.mp4"]
    out, said = capsys.readouterr()
    assert "made a.mp4" in out
    assert "made c.mp4" in out
    assert f"1 of 3 clips failed:\n{tmp_path / 'videos' / 'b.mp4'}: " in said
    logs = list(tmp_path.glob("bokeh_*.log"))
    if isinstance(error, MemoryError):
        assert "Out of memory" in said
        assert logs == []
    else:
        assert type(error).__name__ in said or isinstance(error, ValueError)
        assert f"please report it with the file {logs[0]}." in said
        assert "Traceback" in logs[0].read_text(encoding="utf-8")
        assert "Traceback" not in said


def test_a_folder_with_one_output_taken(
    sources: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    video, maps = sources
    for folder in ("videos", "depths", "out"):
        (tmp_path / folder).mkdir()
    for name in ("a", "b"):
        shutil.copy(video, tmp_path / "videos" / f"{name}.mp4")
        shutil.copytree(maps, tmp_path / "depths" / name)
    (tmp_path / "out" / "a.mp4").write_bytes(b"somebody's")
    argv = (
        tmp_path / "videos",
        "--disparity",
        tmp_path / "depths",
        "-o",
        tmp_path / "out",
        "--strength",
        "0",
    )
    assert run(*argv) == 1
    said = capsys.readouterr().err
    assert "1 of 2 clips failed" in said
    assert "a.mp4 exists and is not the result of this job" in said
    assert (tmp_path / "out" / "a.mp4").read_bytes() == b"somebody's"
    assert (tmp_path / "out" / "b.mp4").stat().st_size > 1000
    assert run(*argv, "--overwrite") == 0
    out = capsys.readouterr().out
    assert f"Nothing has changed since {tmp_path / 'out' / 'b.mp4'} was made." in out
    assert run(*argv) == 0
    out, said = capsys.readouterr()
    assert out.count("Nothing has changed") == 2
    assert said == ""


def test_a_stop_by_the_system_keeps_the_parts(
    sources: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    rendered = ProgressLine.__call__

    def progress(line: Any, stage: str, done: int, total: int) -> None:
        rendered(line, stage, done, total)
        if (stage, done) == ("rendering", 8):
            signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    argv = (sources[0], "--disparity", sources[1], "-o", tmp_path / "out.mp4", "--part-frames", "8")
    with monkeypatch.context() as patched:
        patched.setattr(ProgressLine, "__call__", progress)
        # The part is complete one frame later.
        assert run(*argv, "--strength", "0") == 130
    assert signal.getsignal(signal.SIGTERM) == before
    said = capsys.readouterr().err
    assert f"Finished parts are kept in {tmp_path / 'out.mp4.parts'}." in said
    assert not (tmp_path / "out.mp4").exists()
    assert run(*argv, "--strength", "0") == 0
