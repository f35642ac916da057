"""The lens on the command line: presets, files, and options that win over both."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from bokeh_core.lens import PRESETS, LensSettings, lens_of_controls, with_preset
from bokeh_core.lens.aperture_image import aperture_image_of
from bokeh_core.render.command import program as command
from bokeh_core.render.command.arguments import parser
from bokeh_core.render.command.clips import clips_at
from bokeh_core.render.command.lens_arguments import lens_file, lens_files, lens_of
from bokeh_core.render.command.settings import chosen_renderer, job_of, settings_of
from tests.core.render.clips import moving_pictures, sliding_disparity, write_disparity, write_video

COMMAND = ("in.mp4", "--disparity", "maps", "-o", "out.mp4")


def lens_said(*argv: str) -> LensSettings:
    lens = lens_of(parser().parse_args([*COMMAND, *argv]))
    assert isinstance(lens, LensSettings)
    return lens


def written(folder: Path, content: Any) -> str:
    file = folder / "my lens.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(file)


def test_without_any_option_it_is_the_default_lens():
    assert lens_said() == LensSettings()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("blank", [" ", "-", "_"])
def test_presets_by_name(preset: str, blank: str):
    expected = lens_of_controls(**with_preset(preset, {}))
    assert lens_said("--lens", preset.replace(" ", blank).title()) == expected


def test_options_win_over_a_preset_and_a_file(tmp_path: Path):
    swirl = with_preset("swirl", {})
    expected = lens_of_controls(**{**swirl, "cat_eye": 0.125, "near_strength": 0.5})
    assert lens_said("--lens", "swirl", "--cat-eye", "0.125", "--near-strength", "0.5") == expected
    file = written(tmp_path, {"preset": "swirl", "cat_eye": 0.75, "near_strength": 0.5, "blades": 7.0})
    expected = lens_of_controls(**{**swirl, "cat_eye": 0.125, "near_strength": 0.5, "blades": 7})
    assert lens_said("--lens", file, "--cat-eye", "0.125") == expected
    # An option that states the default is said, too.
    assert lens_said("--lens", "cine hexagon", "--blades", "0").aperture.blades == 0


def test_a_file_without_a_preset_with_the_mark_of_windows_editors(tmp_path: Path):
    file = written(tmp_path, '\ufeff{"light": "display", "focus_range": 0.25, "largest_radius": 20}')
    expected = lens_of_controls(light="display", focus_range=0.25, largest_radius=20)
    assert lens_said("--lens", file) == expected


class TestApertureImage:
    PICTURE = np.array([[0, 128, 255], [255, 0, 51]], np.uint8)

    def picture(self, folder: Path, channels: int = 1) -> Path:
        path = folder / "opening.png"
        bgr = [self.PICTURE, *(np.zeros_like(self.PICTURE) for _ in range(2))][:channels]
        assert cv2.imwrite(str(path), np.stack(bgr, axis=-1))
        return path

    def test_an_option(self, tmp_path: Path):
        expected = aperture_image_of(torch.from_numpy(self.PICTURE.astype(np.float32) / 255))
        lens = lens_said("--aperture-image", str(self.picture(tmp_path)), "--lens", "soap bubble")
        assert lens.aperture.image == expected
        assert lens.aperture.ring == 0.8

    def test_a_file_names_it_from_where_it_lies(self, tmp_path: Path):
        # Blue only: its luma is the same picture once the brightest point is 1.
        self.picture(tmp_path, channels=3)
        file = written(tmp_path, {"aperture_image": "opening.png", "blades": 6})
        lens = lens_said("--lens", file)
        assert lens.aperture.image is not None
        np.testing.assert_allclose(lens.aperture.image.light, self.PICTURE / 255, atol=1e-6)
        arguments = parser().parse_args([*COMMAND, "--lens", file])
        assert lens_files(arguments) == [Path(file), tmp_path / "opening.png"]

    def test_what_is_transparent_is_dark_and_a_large_one_is_made_smaller(self, tmp_path: Path):
        white = np.full((*self.PICTURE.shape, 3), 255, np.uint8)
        path = tmp_path / "opening.png"
        assert cv2.imwrite(str(path), np.concatenate([white, self.PICTURE[..., None]], axis=-1))
        image = lens_said("--aperture-image", str(path)).aperture.image
        assert image is not None
        np.testing.assert_allclose(image.light, self.PICTURE / 255, atol=1e-6)
        assert cv2.imwrite(str(path), np.full((20, 4096), 255, np.uint8))
        image = lens_said("--aperture-image", str(path)).aperture.image
        assert image is not None
        assert max(image.light.shape) == 512

    def test_refused(self, tmp_path: Path):
        (tmp_path / "no picture.png").write_text("text")
        black = tmp_path / "black.png"
        cv2.imwrite(str(black), np.zeros((4, 4), np.uint8))
        for path, said in ((tmp_path / "no picture.png", "picture"), (black, "is black all over")):
            with pytest.raises(ValueError, match=said):
                lens_said("--aperture-image", str(path))
        with pytest.raises(ValueError, match="Nothing at"):
            lens_said("--aperture-image", str(tmp_path / "none.png"))
        for content, said in (
            ({"aperture_image": 5}, "must be the name of a picture"),
            ({"aperture_image": "x"}, "Nothing at"),
        ):
            with pytest.raises(ValueError, match=said):
                lens_said("--lens", written(tmp_path, content))

    def test_the_model_has_none(self, tmp_path: Path):
        argv = [*COMMAND, "--renderer", "model", "--aperture-image", str(self.picture(tmp_path))]
        with pytest.raises(ValueError, match="cannot honour aperture_image of 3 x 2 px"):
            settings_of(parser().parse_args(argv))


REFUSED = [
    ({"bladez": 6}, "sets 'bladez', which no lens has; it may set preset, blades, rotation"),
    ({"blades": 2}, "blades is 2; use 0 for a round opening, or 3 or more"),
    ({"blades": 6.5}, "blades is 6.5; it must be a whole number"),
    ({"blades": "six"}, "blades is 'six'; it must be a whole number"),
    ({"cat_eye": 1.5}, "cat_eye is 1.5; it must be 0 to 1"),
    ({"cat_eye": True}, "cat_eye is True; it must be a number"),
    ({"cat_eye": None}, "cat_eye is None; it must be a number"),
    ({"cat_eye": [1]}, "cat_eye is [1]; it must be a number"),
    ({"light": 2.2}, "light is 2.2; choose one of linear, display"),
    ({"light": ["linear"]}, "light is ['linear']; choose one of linear, display"),
    ({"contour_tolerance": 65}, "contour_tolerance is 65 px; it must be 0 to 64 px"),
    ({"largest_radius": 201}, "largest_radius is 201 px; it must be 0 to 200 px"),
    ('{"cat_eye": NaN}', "cat_eye is nan; it must be 0 to 1"),
    ({"preset": "helios"}, "names the preset 'helios'; choose one of clean modern"),
    ({"preset": ["swirl"]}, "names the preset ['swirl']; choose one of"),
    ([6], "holds list; write settings such as"),
    ("blades: 6", "is not JSON"),
    ("", "is not JSON"),
    ("[" * 100000, "is not JSON"),
]


@pytest.mark.parametrize(("content", "said"), REFUSED)
def test_a_file_is_refused_before_a_source_is_looked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: Any,
    said: str,
):
    def look(*_: Any) -> Any:
        raise AssertionError("a source was looked for")

    monkeypatch.setattr(command, "clips_at", look)
    monkeypatch.setattr(command, "input_path", look)
    file = written(tmp_path, content)
    assert command.main([*COMMAND, "--lens", file]) == 1
    found = capsys.readouterr().err
    assert said in found
    assert file in found
    assert len(found.splitlines()) == 1


def test_neither_a_preset_nor_a_file(tmp_path: Path):
    for text in ("helios", "", "lens.txt"):
        with pytest.raises(ValueError, match=r"is no preset and no file that ends with \.json; the presets"):
            lens_said("--lens", text)
    with pytest.raises(ValueError, match=r"Nothing at .*none\.json"):
        lens_said("--lens", str(tmp_path / "none.json"))
    assert lens_file(parser().parse_args([*COMMAND, "--lens", "swirl"])) is None


@pytest.mark.parametrize("place", ["settings", "renderer"])
def test_the_model_refuses_what_it_cannot_honour(place: str):
    arguments = parser().parse_args([*COMMAND, "--renderer", "model", "--lens", "cine hexagon"])
    with pytest.raises(ValueError, match=r"model .* cannot honour blades 6, .* choose the renderer lens"):
        settings_of(arguments) if place == "settings" else chosen_renderer(arguments, torch.device("cpu"))


def test_the_model_takes_the_falloff():
    argv = (*COMMAND, "--renderer", "model", "--focus-range", "0.25", "--near-strength", "0.5")
    arguments = parser().parse_args(argv)
    settings_of(arguments)
    plain = parser().parse_args([*COMMAND, "--renderer", "model"])
    texts = [chosen_renderer(given, torch.device("cpu")).fingerprint() for given in (arguments, plain)]
    assert texts[0].startswith(texts[1] + " ")
    assert "focus_range=0.25, near_strength=0.5" in texts[0]


def test_light_is_a_choice_of_the_included_model_alone(tmp_path: Path, golden_folder: Path):
    cpu = torch.device("cpu")

    def fingerprint(*argv: str) -> str:
        arguments = parser().parse_args([*COMMAND, "--renderer", "model", *argv])
        settings_of(arguments)
        return chosen_renderer(arguments, cpu).fingerprint()

    assert fingerprint() == fingerprint("--light", "linear")
    assert fingerprint() != fingerprint("--light", "display")
    authors = ("--unet", str(golden_folder / "unet"), "--vae", str(golden_folder / "vae"))
    fingerprint(*authors)
    with pytest.raises(ValueError, match="cannot honour light display"):
        fingerprint(*authors, "--light", "display")


def test_the_file_is_a_source_that_no_result_replaces(tmp_path: Path):
    video = write_video(tmp_path / "in.mkv", moving_pictures(2, 32, 32))
    maps = write_disparity(tmp_path / "maps", sliding_disparity(2, 32, 32))
    file = written(tmp_path, {"blades": 6})
    arguments = parser().parse_args(
        [str(video), "--disparity", str(maps), "-o", str(tmp_path / "out.mp4"), "--lens", file]
    )
    clip = clips_at(video, maps, tmp_path / "out.mp4", ".mp4")[0]
    job = job_of(settings_of(arguments), clip, chosen_renderer(arguments, torch.device("cpu")))
    assert job.other_files == (Path(file),)
