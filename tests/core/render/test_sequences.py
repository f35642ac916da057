"""Folders of pictures as clips: read, written and known again, with light beyond white and bad pixels."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest
import torch

from bokeh_core.__main__ import main
from bokeh_core.lens import LensSettings
from bokeh_core.progress import no_progress
from bokeh_core.render import (
    GivenDepth,
    GivenFocus,
    GivenStrength,
    LensRenderer,
    RenderJob,
    SequenceClip,
    TensorClip,
    run_job,
)
from bokeh_core.render.sequence.exr_colours import read_exr_colours
from bokeh_core.render.sequence.exr_file import exr_bytes
from bokeh_core.render.sequence.folder import LIST
from bokeh_core.render.sequence.names import is_sequence_path, pictures_at
from bokeh_core.render.sequence.png_tags import colour_of_png
from bokeh_core.render.source import ClipSource
from bokeh_core.transfer import values_of
from bokeh_core.video_io import Encoding, VideoFile
from bokeh_core.video_io.colour import Colour
from tests.core.render.clips import Array, write_video

HEIGHT, WIDTH, COUNT, RADIUS_PX = 20, 32, 10, 4.0
AREA = math.pi * RADIUS_PX**2


def light(number: int, channels: int = 3) -> Array:
    """Smooth light below black to white, with a lamp of 50 in one pixel; another in each frame."""
    down, across = np.mgrid[:HEIGHT, :WIDTH] / np.array([HEIGHT, WIDTH])[:, None, None]
    picture = np.stack([across - 0.1, down, across * down + 0.01 * number], -1).astype(np.float32)
    picture[10, 16] = 50
    if channels == 4:
        picture = np.concatenate([picture * 0.5, np.full_like(picture[..., :1], 0.5)], -1)
    return picture


def write_exr(path: Path, picture: Array, kind: type = np.float32, compression: object = None) -> Path:
    """Written by the library of the format's makers."""
    header = {"compression": compression or OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"RGB" if picture.shape[-1] == 3 else "RGBA": picture.astype(kind)}).write(str(path))
    return path


def read_with_openexr(path: Path) -> Array:
    with OpenEXR.File(str(path)) as file:
        (channel,) = file.channels().values()
        pixels: Array = channel.pixels.astype(np.float32)
    return pixels


@pytest.fixture
def plates(tmp_path: Path) -> Path:
    folder = tmp_path / "plates"
    folder.mkdir()
    for t in range(COUNT):
        write_exr(folder / f"shot.{998 + t}.exr", light(t))
    return folder


def job(clip: ClipSource, output: Path, codec: str, blur: bool = True) -> RenderJob:
    strength = RADIUS_PX * 1024 / WIDTH if blur else 0.0
    return RenderJob(
        clip,
        GivenDepth(torch.zeros(1, HEIGHT, WIDTH)),
        GivenFocus(torch.ones(1)),
        GivenStrength(torch.full((1,), strength)),
        LensRenderer(LensSettings(contour_reach_px=0)),
        output,
        Encoding(codec, 0),
        8,
        black_bars="blur too",
    )


def frames_of(clip: ClipSource) -> list[Array]:
    return [frame.numpy() for frame in clip.frames(0, clip.timestamps(no_progress))]


class TestOpenExr:
    @pytest.mark.parametrize("half", [True, False])
    @pytest.mark.parametrize("channels", [3, 4])
    def test_what_is_written_is_read_by_the_formats_own_library(
        self, tmp_path: Path, half: bool, channels: int
    ):
        picture = np.random.default_rng(channels).uniform(-2, 60, (37, 21, channels)).astype(np.float32)
        rec2020 = (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329)
        path = tmp_path / "a.exr"
        path.write_bytes(exr_bytes(picture, half=half, frame_rate=Fraction(25), chromaticities=rec2020))
        stored = picture.astype(np.float16).astype(np.float32) if half else picture
        np.testing.assert_array_equal(read_with_openexr(path), stored)
        with OpenEXR.File(str(path)) as file:
            assert file.header()["chromaticities"] == pytest.approx(rec2020)
            assert file.header()["framesPerSecond"] == 25
        again = read_exr_colours(path)
        np.testing.assert_array_equal(again.pixels, stored)
        assert again.is_half == half
        assert again.chromaticities == pytest.approx(rec2020)

    def test_half_ends_where_it_ends(self, tmp_path: Path):
        path = tmp_path / "a.exr"
        path.write_bytes(exr_bytes(np.full((2, 3, 3), 1e5, np.float32), half=True, frame_rate=Fraction(24)))
        assert read_with_openexr(path).max() == 65504

    @pytest.mark.parametrize(
        "name", ["NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB"]
    )
    def test_compressions(self, tmp_path: Path, name: str):
        path = write_exr(
            tmp_path / "a.exr", light(0)[:, :16], np.float16, getattr(OpenEXR, f"{name}_COMPRESSION")
        )
        # FFmpeg and OpenEXR round the lossy ones in their own ways.
        np.testing.assert_allclose(read_exr_colours(path).pixels, read_with_openexr(path), atol=2e-3)

    def test_the_picture_of_a_renderer_with_layers(self, tmp_path: Path):
        planes = {
            f"ViewLayer.{layer}.{letter}": np.full((4, 6), value + i, np.float32)
            for layer, value in (("Combined", 1), ("Normal", 10))
            for i, letter in enumerate("RGB")
        }
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        OpenEXR.File(header, planes).write(str(tmp_path / "a.exr"))
        assert read_exr_colours(tmp_path / "a.exr").pixels[2, 3].tolist() == [1, 2, 3]


class TestNames:
    def test_numbers_are_in_their_own_order(self, plates: Path):
        assert [file.name for file in pictures_at(plates)][:3] == [
            "shot.998.exr",
            "shot.999.exr",
            "shot.1000.exr",
        ]
        for pattern in ("shot.####.exr", "shot.%d.exr", "shot.#.exr"):
            assert pictures_at(plates / pattern) == pictures_at(plates)
            assert is_sequence_path(plates / pattern)
        assert not is_sequence_path(plates / "shot.998.exr")

    def test_one_of_several_clips_has_to_be_named(self, plates: Path):
        for t in (1, 2):
            write_exr(plates / f"depth.{t}.exr", light(t))
        with pytest.raises(ValueError, match=r"clips, depth\.####\.exr and shot\.####\.exr; name one"):
            pictures_at(plates)
        assert len(pictures_at(plates / "shot.#.exr")) == COUNT

    def test_a_gap_is_told(self, plates: Path):
        (plates / "shot.1001.exr").unlink()
        with pytest.raises(ValueError, match=r"missing between shot\.1000\.exr and shot\.1002\.exr"):
            SequenceClip(plates)

    def test_a_rate_of_ntsc_may_be_rounded(self, plates: Path):
        assert SequenceClip(plates, 23.976).format.frame_rate == Fraction(24000, 1001)

    def test_no_pictures(self, tmp_path: Path):
        with pytest.raises(ValueError, match="has no pictures; give a folder of EXR, PNG or TIFF"):
            SequenceClip(tmp_path)


class TestThroughALens:
    @pytest.mark.parametrize("codec", ["exr-float", "exr-half"])
    def test_light_comes_back_as_it_was(self, plates: Path, tmp_path: Path, codec: str):
        run_job(job(SequenceClip(plates), tmp_path / "out", codec, blur=False))
        for t in range(COUNT):
            expected = light(t).astype(np.float16).astype(np.float32) if codec == "exr-half" else light(t)
            np.testing.assert_array_equal(
                read_with_openexr(tmp_path / "out" / f"shot.{998 + t}.exr"), expected
            )

    def test_a_lamp_of_50_has_a_disk_of_50_over_its_area(self, tmp_path: Path):
        folder = tmp_path / "plates"
        folder.mkdir()
        picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
        picture[10, 16] = 50
        write_exr(folder / "a.1.exr", picture)
        text = run_job(job(SequenceClip(folder), tmp_path / "out", "exr-half")).text
        disk = read_with_openexr(tmp_path / "out" / "a.1.exr")
        assert disk[10, 16].tolist() == pytest.approx([50 / AREA] * 3, rel=0.02)
        assert "Light: linear light, up to 50 times white; 0.16% of the pixels of 1 frames" in text
        assert "clipped" not in text

    def test_alpha_is_premultiplied_in_openexr(self, tmp_path: Path):
        folder = tmp_path / "plates"
        folder.mkdir()
        write_exr(folder / "a.1.exr", light(0, channels=4))
        assert frames_of(SequenceClip(folder, keep_alpha=True))[0][5, 5] == pytest.approx(
            [*light(0)[5, 5], 0.5]
        )
        run_job(job(SequenceClip(folder, keep_alpha=True), tmp_path / "out", "exr-float", blur=False))
        np.testing.assert_allclose(
            read_with_openexr(tmp_path / "out" / "a.1.exr"), light(0, channels=4), rtol=1e-6
        )

    def test_a_video_of_it_is_made_for_displays_and_says_what_it_clips(self, plates: Path, tmp_path: Path):
        text = run_job(job(SequenceClip(plates, 25), tmp_path / "out.mkv", "ffv1", blur=False)).text
        made = VideoFile(tmp_path / "out.mkv")
        assert made.format.frame_rate == Fraction(25)
        assert made.format.colour.transfer == 1
        expected = light(0).clip(0, 1) ** (1 / 2.2)
        np.testing.assert_allclose(next(made.frames()).numpy(), expected, atol=3e-3)
        assert "They are clipped: ffv1 ends at white; exr-half keeps them." in text

    @pytest.mark.parametrize("codec", ["ffv1", "png-16bit"])
    def test_openexr_said_to_hold_display_values_is_stored_as_them(self, tmp_path: Path, codec: str):
        folder = tmp_path / "plates"
        folder.mkdir()
        write_exr(folder / "a.1.exr", light(0))
        output = tmp_path / ("out.mkv" if codec == "ffv1" else "out")
        run_job(job(SequenceClip(folder, transfer="display"), output, codec, blur=False))
        made = next(VideoFile(output).frames()) if codec == "ffv1" else frames_of(SequenceClip(output))[0]
        np.testing.assert_allclose(np.asarray(made), light(0).clip(0, 1), atol=3e-3)

    @pytest.mark.parametrize(("codec", "levels"), [("png-8bit", 255), ("png-16bit", 65535)])
    def test_png_in_and_out(self, tmp_path: Path, codec: str, levels: int):
        folder = tmp_path / "plates"
        folder.mkdir()
        numbers = np.random.default_rng(1).integers(0, levels + 1, (COUNT, HEIGHT, WIDTH, 3))
        stored = numbers.astype(np.uint8 if levels == 255 else np.uint16)
        for t in range(COUNT):
            cv2.imwrite(str(folder / f"{t}.png"), stored[t])
        run_job(job(SequenceClip(folder), tmp_path / "out", codec, blur=False))
        for t in range(COUNT):
            again = cv2.imread(str(tmp_path / "out" / f"{t}.png"), cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(again, stored[t])

    def test_hdr_in_png_says_its_curve(self, tmp_path: Path):
        frames = values_of(torch.from_numpy(light(0).clip(0, 4)), "pq")[None]
        clip = TensorClip(frames, Fraction(24), bits=16, colour=Colour(0, 2, 9, 16))
        run_job(job(clip, tmp_path / "out", "png-16bit", blur=False))
        made = SequenceClip(tmp_path / "out")
        assert colour_of_png(made.files[0]) == Colour(0, 2, 9, 16)
        assert made.format.transfer == "pq"
        np.testing.assert_allclose(frames_of(made)[0], frames[0].numpy(), atol=1e-5)

    def test_pq_becomes_light_in_openexr(self, tmp_path: Path):
        frames = values_of(torch.from_numpy(light(0).clip(0, 4)), "pq")[None]
        clip = TensorClip(frames, Fraction(24), bits=10, colour=Colour(9, 1, 9, 16))
        run_job(job(clip, tmp_path / "out", "exr-float", blur=False))
        made = read_exr_colours(tmp_path / "out" / "out.000001.exr")
        np.testing.assert_allclose(made.pixels, light(0).clip(0, 4), atol=1e-4)
        assert made.chromaticities[:2] == pytest.approx((0.708, 0.292))


class TestBadPixels:
    @pytest.fixture
    def faulty(self, plates: Path) -> Path:
        picture = light(3)
        picture[4, 5, 1], picture[4, 6], picture[15, 2, 0] = np.nan, np.inf, -np.inf
        write_exr(plates / "shot.1001.exr", picture)
        return plates

    def test_they_are_kept_out_of_their_neighbours(self, faulty: Path, tmp_path: Path):
        text = run_job(job(SequenceClip(faulty), tmp_path / "out", "exr-float")).text
        made = read_with_openexr(tmp_path / "out" / "shot.1001.exr")
        sound = read_with_openexr(tmp_path / "out" / "shot.1000.exr")
        assert np.isfinite(made).all()
        # Frames differ by 0.01 in blue alone; three mended pixels change means of 50 by little.
        assert np.abs(made - sound).max() < 0.02
        assert (
            "Warning: 3 pixels of 1 frames were NaN, infinite or beyond 1e6, the first in shot.1001.exr"
            in text
        )

    def test_they_are_refused_at_once_by_choice(self, faulty: Path, tmp_path: Path):
        clip = SequenceClip(faulty, bad_pixels="refuse")
        with pytest.raises(ValueError, match=r"shot\.1001\.exr has 3 pixels .* row 4, column 5; repair them"):
            run_job(job(clip, tmp_path / "out", "exr-half"))
        assert not (tmp_path / "out").exists()


class TestChangesMeanwhile:
    @staticmethod
    def run(plates: Path, output: Path, name: str, written: str) -> None:
        def write(stage: str, done: int, total: int) -> None:
            if stage == "rendering" and done == total:
                write_exr(plates / written, light(0))

        run_job(job(SequenceClip(plates / name), output, "exr-half"), write)

    def test_a_picture_of_another_clip_in_the_folder_is_no_change(self, plates: Path, tmp_path: Path):
        self.run(plates, tmp_path / "out", "shot.####.exr", "other.1.exr")
        assert len(list((tmp_path / "out").glob("shot.*.exr"))) == COUNT

    @pytest.mark.parametrize("written", ["shot.1001.exr", "shot.1008.exr"])
    def test_a_picture_of_the_clip_is_one(self, plates: Path, tmp_path: Path, written: str):
        with pytest.raises(ValueError, match="was changed while it was being rendered"):
            self.run(plates, tmp_path / "out", "shot.####.exr", written)


class TestWholeOrNot:
    def test_a_stop_leaves_parts_and_no_folder(self, plates: Path, tmp_path: Path):
        def stop(stage: str, done: int, total: int) -> None:
            if stage == "rendering" and done == 9:
                raise KeyboardInterrupt

        given = job(SequenceClip(plates), tmp_path / "out", "exr-half")
        with pytest.raises(KeyboardInterrupt):
            run_job(given, stop)
        assert not (tmp_path / "out").exists()
        again = run_job(given)
        assert (again.rendered_frames, len(list((tmp_path / "out").glob("*.exr")))) == (2, COUNT)
        assert not (tmp_path / "out.parts").exists()
        assert "Nothing has changed" in run_job(given).text

    def test_a_picture_that_is_gone_is_made_again(self, plates: Path, tmp_path: Path):
        given = job(SequenceClip(plates), tmp_path / "out", "exr-half")
        run_job(given)
        (tmp_path / "out" / "shot.1000.exr").unlink()
        run_job(given)
        assert (tmp_path / "out" / "shot.1000.exr").is_file()

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_somebodys_folder_is_never_touched(self, plates: Path, tmp_path: Path, overwrite: bool):
        mine = tmp_path / "out"
        mine.mkdir()
        (mine / "holiday.png").write_bytes(b"mine")
        given = replace(job(SequenceClip(plates), mine, "exr-half"), overwrite=overwrite)
        with pytest.raises(ValueError, match="was not made by this program; nothing of yours is overwritten"):
            run_job(given)
        assert [path.name for path in mine.iterdir()] == ["holiday.png"]

    def test_a_link_does_not_give_way_to_a_folder(self, plates: Path, tmp_path: Path):
        (tmp_path / "drive").mkdir()
        link = tmp_path / "out"
        try:
            link.symlink_to(tmp_path / "drive", target_is_directory=True)
        except OSError:
            pytest.skip("Windows lets only some users make links.")
        given = replace(job(SequenceClip(plates), link, "exr-half"), overwrite=True)
        with pytest.raises(ValueError, match="is a link or the root of a drive"):
            run_job(given)
        assert link.is_symlink()
        assert not (tmp_path / "out.parts").exists()

    def test_no_picture_takes_the_name_of_another(self, tmp_path: Path):
        folder = tmp_path / "scans"
        folder.mkdir()
        for name in ("a.1.tif", "a.1.tiff"):
            cv2.imwrite(str(folder / name), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
        with pytest.raises(ValueError, match=r"both become a\.1\.png"):
            run_job(job(SequenceClip(folder), tmp_path / "out", "png-8bit"))
        assert not (tmp_path / "out").exists()

    def test_a_file_that_was_added_to_a_result_stays(self, plates: Path, tmp_path: Path):
        run_job(job(SequenceClip(plates), tmp_path / "out", "exr-half"))
        (tmp_path / "out" / "notes.txt").write_text("mine")
        other = replace(job(SequenceClip(plates), tmp_path / "out", "exr-float"), overwrite=True)
        with pytest.raises(ValueError, match=r"has notes\.txt in it"):
            run_job(other)

    def test_what_a_file_manager_left_in_a_result_does_not_keep_it(self, plates: Path, tmp_path: Path):
        run_job(job(SequenceClip(plates), tmp_path / "out", "exr-half"))
        for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
            (tmp_path / "out" / name).write_bytes(b"")
        other = replace(job(SequenceClip(plates), tmp_path / "out", "png-8bit"), overwrite=True)
        run_job(other)
        assert {path.suffix for path in (tmp_path / "out").glob("shot.*")} == {".png"}

    def test_the_old_result_comes_back_where_the_other_one_cannot_take_its_place(
        self, plates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        output = tmp_path / "out"
        run_job(job(SequenceClip(plates), output, "exr-half"))
        move = os.replace

        def refusing(source: Path, target: Path) -> None:
            if Path(source).name.startswith("joined_pictures"):
                raise PermissionError(13, "Access is denied")
            move(source, target)

        monkeypatch.setattr(os, "replace", refusing)
        with pytest.raises((OSError, ValueError), match="denied"):
            run_job(replace(job(SequenceClip(plates), output, "png-8bit"), overwrite=True))
        assert len(list(output.glob("shot.*.exr"))) == COUNT

    def test_pictures_have_reached_the_disk_when_parts_are_deleted(
        self, plates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        reached, to_disk = set(), os.fsync

        def noted(descriptor: int) -> None:
            reached.add(os.fstat(descriptor).st_ino)
            to_disk(descriptor)

        monkeypatch.setattr(os, "fsync", noted)
        run_job(job(SequenceClip(plates), tmp_path / "out", "png-8bit"))
        assert {path.stat().st_ino for path in (tmp_path / "out").iterdir()} <= reached

    def test_the_source_folder_is_no_output(self, plates: Path):
        with pytest.raises(ValueError, match="is a source of this job"):
            run_job(job(SequenceClip(plates), plates, "exr-half"))

    def test_the_list_is_hidden_from_readers(self, plates: Path, tmp_path: Path):
        run_job(job(SequenceClip(plates), tmp_path / "out", "png-8bit"))
        assert (tmp_path / "out" / LIST).is_file()
        assert len(SequenceClip(tmp_path / "out").files) == COUNT

    def test_an_ending_of_a_file_is_refused(self, plates: Path, tmp_path: Path):
        with pytest.raises(ValueError, match="makes a folder of pictures; name one without an ending: out"):
            run_job(job(SequenceClip(plates), tmp_path / "out.exr", "exr-half"))


def test_the_command_line_takes_a_clip_of_a_folder(
    plates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    write_exr(plates / "depth.1.exr", light(0))
    np.save(tmp_path / "depth.npy", np.zeros((1, HEIGHT, WIDTH), np.float32))
    given, output = plates / "shot.####.exr", tmp_path / "out"
    where = [str(given), "--disparity", str(tmp_path / "depth.npy"), "-o", str(output)]
    words = ["--normalisation", "none", "--focus", "0", "--frame-rate", "25", "--codec", "exr-half"]
    assert main([*where, *words, "--device", "cpu"]) == 0
    assert "10 frames in" in capsys.readouterr().out
    assert len(list((tmp_path / "out").glob("shot.*.exr"))) == COUNT


def test_videos_of_a_folder_whose_names_have_dots_each_get_a_folder(tmp_path: Path):
    videos = tmp_path / "videos"
    videos.mkdir()
    depths = tmp_path / "depths"
    depths.mkdir()
    for number in (1, 2):
        grey = np.full((1, HEIGHT, WIDTH, 3), 60 * number, np.uint8)
        write_video(videos / f"shot.v{number}.mkv", grey)
        np.save(depths / f"shot.v{number}.npy", np.zeros((1, HEIGHT, WIDTH), np.float32))
    where = [str(videos), "--disparity", str(depths), "-o", str(tmp_path / "out"), "--overwrite"]
    words = ["--normalisation", "none", "--focus", "0", "--codec", "png-8bit", "--device", "cpu"]
    assert main([*where, *words]) == 0
    for number in (1, 2):
        (made,) = frames_of(SequenceClip(tmp_path / "out" / f"shot.v{number}"))
        np.testing.assert_allclose(made, 60 * number / 255, atol=0.01)


@pytest.mark.parametrize("option", [("--frame-rate", "25.0"), ("--bad-pixels", "refuse")])
def test_what_is_said_of_pictures_is_refused_for_a_video(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, str]
):
    video = write_video(tmp_path / "clip.mkv", np.zeros((1, HEIGHT, WIDTH, 3), np.uint8))
    np.save(tmp_path / "depth.npy", np.zeros((1, HEIGHT, WIDTH), np.float32))
    where = [str(video), "--disparity", str(tmp_path / "depth.npy"), "-o", str(tmp_path / "out.mp4")]
    assert main([*where, "--device", "cpu", *option]) == 1
    said = f"{option[0]} {option[1]}"
    assert f"{said} is for clips that are pictures, and clip.mkv is a video" in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()
