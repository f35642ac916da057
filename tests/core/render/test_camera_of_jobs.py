"""A camera on the command line, over a whole job, and numbers of a lens that move there."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bokeh_core.camera import Camera, breathe
from bokeh_core.disparity.meaning import DepthMeaning
from bokeh_core.lens import DEFAULT_LENS, LensOverTime, LensSettings, at_width, lens_blur
from bokeh_core.render import CameraStrength, FileDepth, LensRenderer, RenderJob, run_job
from bokeh_core.render.command.arguments import parser
from bokeh_core.render.command.lens_arguments import lens_files, lens_of
from bokeh_core.render.command.settings import settings_of
from bokeh_core.render.source import TensorClip
from bokeh_core.render.strength_settings import GivenStrength
from bokeh_core.render.typed_focus import parse_focus
from bokeh_core.video_io import Encoding
from tests.core.render.clips import moving_pictures, read_video

COMMAND = ("in.mp4", "--disparity", "maps", "-o", "out.mp4")
CAMERA = ("--f-number", "2", "--near-distance", "1", "--far-distance", "9")
COUNT, HEIGHT, WIDTH = 11, 32, 48


def settings(*argv: str) -> Any:
    return settings_of(parser().parse_args([*COMMAND, *argv]))


def test_a_camera_takes_the_place_of_strength_and_focus():
    said = settings(
        *("--focal-length", "0: 35, 9: 85", "--f-number", "1.8", "--sensor", "super-35", "--breathing"),
        *("--near-distance", "0.5", "--far-distance", "inf", "--focus-distance", "2", "--easing", "smooth"),
    )
    camera = Camera(24.89, "0: 35, 9: 85", 1.8, 2.0, True, "smooth")
    assert said.strength == CameraStrength(camera, 0.5, float("inf"), focuses=True)
    metric = settings("--f-number", "4", "--depth-source", "metric depth")
    assert metric.strength == CameraStrength(Camera(f_number=4.0), None, None)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--f-number", "2"), "give --near-distance and --far-distance in metres"),
        (("--f-number", "2", "--near-distance", "1"), "Only one of the distances near and far"),
        (
            ("--sensor", "APS-C", "--breathing"),
            "--sensor, --breathing belongs to a camera; add",
        ),
        (("--f-number", "0"), "f_number is 0; it must be 0.5 to 128"),
        (("--f-number", "2", "--sensor", "0"), "sensor_width is 0 mm"),
        (("--f-number", "2", "--near-distance", "2", "--far-distance", "1"), "near must be nearer"),
        (("--f-number", "2", "--near-distance", "nan", "--far-distance", "1"), "near_distance is nan m"),
        (("--f-number", "2", "--near-distance", "two", "--far-distance", "3"), "--near-distance is 'two'"),
        (
            (*CAMERA, "--strength", "8"),
            "Both --strength and a camera",
        ),
        (
            (*CAMERA, "--focus", "0.5", "--focus-distance", "2"),
            "Both --focus and --focus-distance",
        ),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_opened(argv: tuple[str, ...], message: str):
    with pytest.raises(ValueError, match=message):
        settings(*argv)


def test_numbers_of_a_lens_move_by_option_and_by_file(tmp_path: Path):
    (tmp_path / "gain.txt").write_text("0: 0\n9: 3")
    (tmp_path / "my.json").write_text('{"blades": 5, "near_strength": "0: 1, 9: 0", "cat_eye": 0.5}')
    file = ("--lens", str(tmp_path / "my.json"))
    moving = ("--highlight-gain", f"@{tmp_path / 'gain.txt'}", "--cat-eye", "0: 0, 9: 1", "--easing", "hold")
    said = parser().parse_args([*COMMAND, *file, *moving])
    lens = lens_of(said)
    assert isinstance(lens, LensOverTime)
    assert lens.easing == "hold"
    assert lens.still.aperture.blades == 5
    assert lens.schedules == {
        "near_strength": "0: 1, 9: 0",
        "cat_eye": "0: 0, 9: 1",
        "highlight_gain": "0: 0\n9: 3",
    }
    assert lens_files(said) == [tmp_path / "my.json", tmp_path / "gain.txt"]
    # An option that is a number wins over a file in which it moves.
    still = lens_of(parser().parse_args([*COMMAND, *file, "--near-strength", "2"]))
    assert isinstance(still, LensSettings)
    assert (still.near_strength, still.aperture.cat_eye) == (2, 0.5)


@pytest.mark.parametrize("renderer", ["lens", "model"])
def test_what_moves_out_of_range_is_said(renderer: str):
    with pytest.raises(ValueError, match="near_strength is -1; it must be 0 to 100"):
        settings("--near-strength", "0: 1, 9: -1", "--renderer", renderer)


def test_the_model_refuses_what_moves_by_name():
    with pytest.raises(ValueError, match=r"cannot honour highlight_gain moving \(0: 0, 9: 1\)"):
        settings("--highlight-gain", "0: 0, 9: 1", "--renderer", "model")


@pytest.fixture
def clip() -> TensorClip:
    frames = torch.from_numpy(moving_pictures(COUNT, HEIGHT, WIDTH)).float() / 255
    return TensorClip(frames, Fraction(24))


def job(clip: TensorClip, folder: Path, strength: Any, lens: Any = DEFAULT_LENS) -> RenderJob:
    depth = np.broadcast_to(np.linspace(1.0, 5.0, WIDTH, dtype=np.float32), (COUNT, HEIGHT, WIDTH))
    np.save(folder / "depth.npy", depth)
    meaning = DepthMeaning(source="metric depth")
    return RenderJob(
        clip,
        FileDepth(folder / "depth.npy", meaning),
        parse_focus("0.5"),
        strength,
        LensRenderer(lens),
        folder / "out.mkv",
        Encoding("ffv1"),
        part_frames=8,
    )


def test_a_job_of_metric_depth_knows_its_distances_and_breathes(clip: TensorClip, tmp_path: Path):
    camera = Camera(36.0, "0: 50, 10: 85", 0.5, "0: 4, 10: 1.25", breathing=True)
    lens = LensOverTime(schedules={"near_strength": "0: 1, 10: 0, 11: 0", "highlight_gain": "0: 0, 10: 2"})
    report = run_job(job(clip, tmp_path, CameraStrength(camera, focuses=True), lens))
    assert "focus at 1.25 to 4 m, the scene at 1 m to 5 m" in report.text
    assert "The picture breathes by up to 4.7 %" in report.text
    assert "near_strength: Warning: The keyframe at frame 11 lies past the end of the clip" in report.text
    path = camera.along(COUNT, 1.0, 5.0)
    depth = 1 / torch.linspace(1.0, 5.0, WIDTH)
    expected = lens_blur(
        clip.images,
        ((depth - 0.2) / 0.8).expand(1, HEIGHT, WIDTH),
        path.focal_disparity,
        path.blur_strength * WIDTH / 1024,
        at_width(lens, COUNT, WIDTH),
    )
    assert path.magnification is not None
    each = zip(expected, path.magnification.tolist(), strict=True)
    grown = torch.stack([breathe(frame, factor) for frame, factor in each])
    found = torch.from_numpy(read_video(tmp_path / "out.mkv")).float() / 255
    assert (expected - clip.images).abs().max() > 0.05
    torch.testing.assert_close(found, grown.clamp(0, 1), atol=2.5 / 255, rtol=0)


def test_a_strength_of_a_node_that_breathes(clip: TensorClip, tmp_path: Path):
    strength = GivenStrength(torch.zeros(1), torch.linspace(1, 1.5, COUNT))
    run_job(job(clip, tmp_path, strength))
    found = torch.from_numpy(read_video(tmp_path / "out.mkv")).float() / 255
    torch.testing.assert_close(found[-1], breathe(clip.images[-1], 1.5).clamp(0, 1), atol=2.5 / 255, rtol=0)
    assert strength.fingerprint() != GivenStrength(torch.zeros(1)).fingerprint()


@pytest.mark.parametrize(
    ("lens", "camera", "message"),
    [
        (LensOverTime(schedules={"far_strength": "1, 1, 2"}), Camera(), "far_strength schedule has 3 values"),
        (LensSettings(), Camera(f_number="2, 2, 4"), "f_number schedule has 3 values"),
        (LensSettings(), Camera(focus_distance=9.0), "9 m in frame 0, but the scene lies at 1 to 5 m"),
    ],
)
def test_a_job_says_what_does_not_fit(
    clip: TensorClip, tmp_path: Path, lens: Any, camera: Camera, message: str
):
    with pytest.raises(ValueError, match=message):
        run_job(job(clip, tmp_path, CameraStrength(camera, focuses=True), lens))
