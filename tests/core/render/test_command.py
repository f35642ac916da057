"""`python -m bokeh_core.render`: one clip, a folder, several processes, errors, progress."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from bokeh_core.checkpoint.image_encoder import load_image_encoder
from bokeh_core.disparity.refine import RefineSettings
from bokeh_core.lens import Aperture, LensSettings
from bokeh_core.render import LensRenderer
from bokeh_core.render.command import program as command
from bokeh_core.render.command.arguments import EXAMPLES, parser
from bokeh_core.render.command.clips import clips_at
from bokeh_core.render.command.progress import ProgressLine
from bokeh_core.render.command.settings import chosen_renderer, job_of, settings_of
from bokeh_core.render.model_files import FileModel
from bokeh_core.render.processes import Process, this_process
from tests.core.render.clips import (
    moving_pictures,
    read_video,
    sliding_disparity,
    write_disparity,
    write_video,
)

COUNT, HEIGHT, WIDTH = 9, 64, 64


def write_clip(folder: Path, name: str = "clip") -> tuple[Path, Path]:
    """A video and its depth: FOLDER/videos/NAME.mkv, FOLDER/depths/NAME/."""
    (folder / "videos").mkdir(exist_ok=True)
    return (
        write_video(folder / "videos" / f"{name}.mkv", moving_pictures(COUNT, HEIGHT, WIDTH)),
        write_disparity(folder / "depths" / name, sliding_disparity(COUNT, HEIGHT, WIDTH)),
    )


def run(*argv: Any) -> int:
    return command.main([str(word) for word in argv])


def test_one_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    video, depth = write_clip(tmp_path)
    (tmp_path / "focus.txt").write_text("0: 0.9\n8: 0.2\n")
    output = tmp_path / "out.mp4"
    focus = f"@{tmp_path / 'focus.txt'}"
    assert run(video, "--disparity", depth, "--focus", focus, "--strength", "0:80, 8:160", "-o", output) == 0
    assert read_video(output).shape == (COUNT, HEIGHT, WIDTH, 3)
    said = capsys.readouterr()
    assert "Read 9 frames of 64 x 64 px, 16-bit" in said.err
    assert re.fullmatch(
        rf"clip\.mkv: 9 frames in \d+\.\d s\. Written to {re.escape(str(output))}\.\n", said.out
    )
    assert "Written to" not in said.err
    assert "rendering" in said.err


def test_every_option_reaches_the_job(tmp_path: Path):
    video, depth = write_clip(tmp_path)
    argv = f"""{shlex.quote(str(video))} --disparity {depth} -o {tmp_path / "o.mov"} --depth-source=disparity
        --polarity 'near white' --normalisation none --exponent 2 --holes far
        --black-bars 'blur too' --fit pad --frame-offset=-1 --frames-per-map 2
            --focus point:3,4 --focus-smoothing 1
        --focus-radius 2 --between-points 'follow the point' --easing smooth --strength 5 --blades 6
        --rotation 10 --roundness 0.5 --anamorphic 2 --cat-eye 0.25 --swirl 0.75 --ring=-0.5 --fringe 0.125
        --light display --highlight-gain 1
        --highlight-threshold 0.5 --near-strength 0.5 --far-strength 2 --contour-tolerance 0 --focus-range 0.1
        --largest-radius 50 --grain 0.25 --codec prores
        --crf 20 --part-frames 16 --device cpu --overwrite --refine"""
    parsed = parser().parse_args(shlex.split(argv))
    renderer = chosen_renderer(parsed, torch.device("cpu"))
    lens = LensSettings(
        Aperture(6, 10.0, 0.5, 2.0, 0.25, 0.75, -0.5), 1.0, 1.0, 0.5, 0.5, 2.0, 0.0, 0.1, 50.0, 0.125, 0.25
    )
    assert renderer == LensRenderer(lens, torch.device("cpu"))
    clip = clips_at(video, depth, tmp_path / "o.mov", ".mov")[0]
    job = job_of(settings_of(parsed), clip, renderer)
    assert job.black_bars == "blur too"
    assert repr(job.depth).endswith(
        "DepthMeaning(source='disparity', polarity='near white', normalisation='none', exponent=2.0, "
        "holes='far'), fit=MapFit(fit='pad', frame_offset=-1, frames_per_map=2.0))"
    )
    assert repr(job.focus) == (
        "PointFocus(x_px=3, y_px=4, keyframes='', smoothing_frames=1.0, radius_px=2, "
        "between='follow the point', easing='smooth')"
    )
    assert repr(job.strength) == "Strength(text='5', easing='smooth')"
    assert (job.encoding.codec, job.encoding.crf, job.part_frames) == ("prores", 20, 16)
    assert (job.overwrite, job.other_files) == (True, ())
    assert job.refine == RefineSettings()


class TestFolder:
    def test_clips_find_their_depth_and_errors_come_at_the_end(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ):
        for name in ("a", "b", "c"):
            write_clip(tmp_path, name)
        (tmp_path / "depths" / "b").rename(tmp_path / "depths" / "elsewhere")
        (tmp_path / "videos" / "notes.txt").write_text("no video")
        argv = (tmp_path / "videos", "--disparity", tmp_path / "depths", "--strength", "0")
        assert run(*argv, "-o", tmp_path / "out") == 1
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.mp4", "c.mp4"]
        said = capsys.readouterr().err
        assert "1 of 3 clips failed:" in said
        assert "For b.mkv there is nothing in" in said

    @pytest.mark.parametrize("count", [2, 3])
    def test_processes_share_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int):
        names = ["a", "b", "c", "d", "e"]
        for name in names:
            write_clip(tmp_path, name)
        made: list[list[str]] = []
        for rank in range(count):
            seen: list[str] = []

            def note(job: Any, progress: Any, process: Any, seen: list[str] = seen) -> Any:
                assert process is None
                seen.append(job.output.name)
                raise ValueError("noted")

            monkeypatch.setattr(command, "run_job", note)
            monkeypatch.setenv("RANK", str(rank))
            monkeypatch.setenv("WORLD_SIZE", str(count))
            assert run(tmp_path / "videos", "--disparity", tmp_path / "depths", "-o", tmp_path / "o") == 1
            made.append(seen)
        assert sorted(name for share in made for name in share) == [f"{name}.mp4" for name in names]
        assert max(map(len, made)) - min(map(len, made)) <= 1

    def test_unusable_folders(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
        video, _ = write_clip(tmp_path)
        (tmp_path / "empty").mkdir()
        video.with_suffix(".mp4").write_bytes(video.read_bytes())
        for source, output, message in [
            (tmp_path / "nowhere.mp4", tmp_path / "o", f"Nothing at {tmp_path / 'nowhere.mp4'}"),
            (tmp_path / "empty", tmp_path / "o", "holds no videos"),
            (tmp_path / "videos", tmp_path / "o", "holds two videos named clip"),
        ]:
            assert run(source, "--disparity", tmp_path / "depths", "-o", output) == 1
            assert message in capsys.readouterr().err
        video.with_suffix(".mp4").unlink()
        assert run(tmp_path / "videos", "--disparity", tmp_path / "depths", "-o", tmp_path / "videos") == 1
        assert "cannot take the results of a folder" in capsys.readouterr().err


class TestModel:
    def test_it_runs_on_files(
        self,
        tmp_path: Path,
        golden_folder: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ):
        video, depth = write_clip(tmp_path)
        files = [f"--{name}={golden_folder / name.replace('-', '_')}" for name in ("unet", "vae")]
        encoder = f"--image-encoder={golden_folder / 'image_encoder'}"
        argv = (video, "--disparity", depth, "-o", tmp_path / "out.mp4", "--renderer", "model", *files)
        assert run(*argv, encoder, "--device", "cpu", "--strength", "200") == 0
        assert read_video(tmp_path / "out.mp4").shape == (COUNT, HEIGHT, WIDTH, 3)
        assert "The paper's model, MPI mode released, 4 frames shared" in capsys.readouterr().err
        # What is finished is known without loading anything.
        monkeypatch.delattr(FileModel, "load")
        assert run(*argv, encoder, "--device", "cpu", "--strength", "200") == 0
        assert "Nothing has changed" in capsys.readouterr().out

    def test_missing_files_are_named(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
        video, depth = write_clip(tmp_path)
        assert run(video, "--disparity", depth, "-o", "x.mp4", "--renderer", "model", "--vae", depth) == 1
        assert "--renderer model needs --unet;" in capsys.readouterr().err

    def test_another_encoder_is_refused(self, golden_folder: Path, tmp_path: Path):
        cpu = torch.device("cpu")
        with pytest.raises(ValueError, match="is not an image encoder; name a"):
            load_image_encoder(tmp_path, cpu)
        weights = golden_folder / "image_encoder" / "model.safetensors"
        (tmp_path / "alone.safetensors").write_bytes(weights.read_bytes())
        (tmp_path / "config.json").write_text(
            (golden_folder / "image_encoder" / "config.json").read_text().replace("64", "128")
        )
        with pytest.raises(ValueError, match=r"is not a CLIP ViT-H/14 .*: 6 tensors differ"):
            load_image_encoder(tmp_path / "alone.safetensors", cpu)

    def test_the_encoder_is_that_of_the_golden_files(self, golden_folder: Path, small_image_encoder: Any):
        encode = load_image_encoder(golden_folder / "image_encoder", torch.device("cpu"))
        pixels = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
        assert (encode(pixels) - small_image_encoder(pixels)).abs().max().item() < 1e-5


def test_a_stop_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def stop(job: Any, progress: Any, process: Any) -> Any:
        raise KeyboardInterrupt

    video, depth = write_clip(tmp_path)
    monkeypatch.setattr(command, "run_job", stop)
    assert run(video, "--disparity", depth, "-o", tmp_path / "out.mp4") == 130
    assert "The same command goes on" in capsys.readouterr().err


def test_launchers():
    assert this_process({}) == Process(0, 1, 0)
    assert this_process({"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}) == Process(5, 8, 1)
    for bad in ({"RANK": "x", "WORLD_SIZE": "2"}, {"RANK": "2", "WORLD_SIZE": "2"}):
        with pytest.raises(ValueError, match="RANK"):
            this_process(bad)


def test_each_stage_has_a_bar_that_ends_where_the_stage_ends():
    log = io.StringIO()
    with ProgressLine("clip.mp4", log) as progress:
        for done in range(1, 101):
            progress("rendering", done, 100)
        progress("joining", 1, 2)
    rendering, joining, _ = log.getvalue().split("\n")
    assert rendering.rpartition("\r")[2].startswith("clip.mp4: rendering: 100%")
    assert " 100/100 " in rendering.rpartition("\r")[2]
    assert joining.rpartition("\r")[2].startswith("clip.mp4: joining:  50%")


def test_the_module_runs():
    root = Path(__file__).resolve().parents[3]
    argv = [sys.executable, "-m", "bokeh_core.render", "--help"]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "--disparity" in done.stdout
    usage, _, rest = done.stdout.partition("\n\n")
    assert usage == "usage: python -m bokeh_core.render IN --disparity {DEPTH | estimate} -o OUT [options]"
    examples = [line for line in rest.split("\n\n", 3)[:3] if "\n  python -m bokeh_core.render " in line]
    assert len(examples) == 3


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_examples_can_be_typed(number: int):
    lines = [line.strip() for line in EXAMPLES.format(called="bokeh").splitlines() if line.startswith("  ")]
    assert len(lines) == 3
    arguments = parser("bokeh").parse_args(shlex.split(lines[number])[1:])
    settings_of(arguments)


@pytest.mark.parametrize(
    ("disparity", "more", "refined"),
    [
        ("estimate", [], True),
        ("estimate", ["--no-refine"], False),
        ("maps", [], False),
        ("maps", ["--refine"], True),
        ("maps", ["--refine-parts", "outlines,steady,limbs,banding,trained"], True),
    ],
)
def test_estimated_maps_are_refined_and_others_on_request(disparity: str, more: list[str], refined: bool):
    settings = settings_of(parser().parse_args(["in.mp4", "--disparity", disparity, "-o", "out.mp4", *more]))
    assert settings.refine == (RefineSettings() if refined else None)


@pytest.mark.parametrize(("more", "mends"), [([], True), (["--refine"], True), (["--no-refine"], False)])
def test_the_included_model_mends_maps_unless_they_shall_not_be_refined(more: list[str], mends: bool):
    given = ["in.mp4", "--disparity", "maps", "-o", "out.mp4", "--renderer", "model", *more]
    assert chosen_renderer(parser().parse_args(given), torch.device("cpu")).mends_maps is mends


def test_parts_of_refining_are_chosen():
    given = ["in.mp4", "--disparity", "maps", "-o", "out.mp4", "--refine-parts", "limbs, trained"]
    assert settings_of(parser().parse_args(given)).refine == RefineSettings(
        outlines=False, steady=False, limbs=True, banding=False, trained=True
    )
    with pytest.raises(ValueError, match="trained is a part of limbs"):
        settings_of(parser().parse_args([*given[:-1], "outlines,trained"]))
