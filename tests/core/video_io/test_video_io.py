"""Video in and out: colours by hand from the standards, times, rotation, odd sizes, sound by packet."""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from bokeh_core.video_io import (
    Encoding,
    VideoFile,
)
from bokeh_core.video_io.colour import Colour, rgb_to_yuv, yuv_to_rgb
from bokeh_core.video_io.orientation import orientation_of
from tests.core.render.clips import moving_pictures, sound_packets, times_of, write_video
from tests.core.video_io.rewriting import rewritten

RED, GREY = [[[1.0, 0, 0]]], [[[0.5, 0.5, 0.5]]]


def levels_of(rgb: list[list[list[float]]], bits: int, colour: Colour) -> list[float]:
    levels: list[float] = rgb_to_yuv(np.array(rgb, np.float32), bits, colour)[:, 0, 0].tolist()
    return levels


class TestColour:
    def test_red_by_the_standards(self):
        # Y' = Kr, Cb = -Kr / (2 (1 - Kb)), Cr = 1/2, in 219 and 224 steps above 16 and 128.
        bt709 = [16 + 219 * 0.2126, 128 - 224 * 0.2126 / 1.8556, 240]
        bt601 = [16 + 219 * 0.299, 128 - 224 * 0.299 / 1.772, 240]
        bt2020 = [16 + 219 * 0.2627, 128 - 224 * 0.2627 / 1.8814, 240]
        assert levels_of(RED, 8, Colour(1)) == pytest.approx(bt709, abs=1e-4)
        assert levels_of(RED, 8, Colour(6)) == pytest.approx(bt601, abs=1e-4)
        assert levels_of(RED, 8, Colour(9)) == pytest.approx(bt2020, abs=1e-4)

    def test_range_and_depth(self):
        assert levels_of(GREY, 8, Colour(1)) == pytest.approx([125.5, 128, 128], abs=1e-4)
        assert levels_of(GREY, 10, Colour(1)) == pytest.approx([502, 512, 512], abs=1e-3)
        assert levels_of(GREY, 8, Colour(1, 2)) == pytest.approx([127.5, 128, 128], abs=1e-4)

    def test_untagged_video_is_what_players_take_it_for(self):
        tall, small = np.zeros((3, 720, 1), np.float32), np.zeros((3, 576, 1), np.float32)
        for planes in (tall, small):
            planes[0], planes[1], planes[2] = 81, 90, 240
        assert np.array_equal(yuv_to_rgb(tall, 8, Colour(2)), yuv_to_rgb(tall, 8, Colour(1)))
        assert np.array_equal(yuv_to_rgb(small, 8, Colour(2)), yuv_to_rgb(small, 8, Colour(6)))

    @pytest.mark.parametrize("colour", [Colour(1), Colour(6, 2), Colour(9), Colour(7)], ids=str)
    def test_there_and_back(self, colour: Colour):
        rgb = np.random.default_rng(0).random((5, 7, 3)).astype(np.float32)
        assert np.abs(yuv_to_rgb(rgb_to_yuv(rgb, 10, colour), 10, colour) - rgb).max() < 1e-5

    @pytest.mark.parametrize(
        ("pixel_format", "bits", "matrix", "sample_range"),
        [("yuv420p", 8, 1, 1), ("yuv420p", 8, 6, 2), ("yuv422p10le", 10, 9, 1), ("yuv444p12le", 12, 1, 2)],
    )
    def test_a_file_is_read_by_its_tags(
        self, tmp_path: Path, pixel_format: str, bits: int, matrix: int, sample_range: int
    ):
        rgb = np.array([[[0.8, 0.3, 0.1]]], np.float32)
        levels = np.rint(rgb_to_yuv(rgb, bits, Colour(matrix, sample_range)))[:, 0, 0]
        path = write_flat(tmp_path / "flat.mkv", pixel_format, bits, levels, matrix, sample_range)
        video = VideoFile(path)
        assert (video.format.bits, video.format.colour) == (bits, Colour(matrix, sample_range, 2, 2))
        (frame,) = video.frames()
        # Half a level of rounding, times the largest factor of a matrix (1.88 of 224 levels).
        assert (frame - torch.from_numpy(rgb)).abs().max().item() < 1.2 / 2**bits

    def test_rgb_and_grey_files(self, tmp_path: Path):
        pictures = moving_pictures(2, 6, 10)
        path = write_video(tmp_path / "rgb.mkv", pictures, pixel_format="bgr0")
        frames = torch.stack(list(VideoFile(path).frames()))
        assert torch.equal(frames, torch.from_numpy(pictures) / 255)
        path = write_video(tmp_path / "grey.mkv", np.full((1, 4, 4, 3), 51, np.uint8), pixel_format="gray")
        assert next(VideoFile(path).frames()).unique().tolist() == pytest.approx([0.2])


def write_flat(path: Path, pixel_format: str, bits: int, levels: Any, matrix: int, sample_range: int) -> Path:
    """One frame of one colour, given as levels."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 16, 8, pixel_format
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, sample_range
        frame = av.VideoFrame(16, 8, pixel_format)
        for plane, level in zip(frame.planes, levels, strict=True):
            dtype = np.uint8 if bits == 8 else np.uint16
            plane.update(np.full(plane.buffer_size // np.dtype(dtype).itemsize, level, dtype).tobytes())
        frame.colorspace, frame.color_range = matrix, sample_range
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class TestOrientation:
    @pytest.mark.parametrize("a", [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)])
    @pytest.mark.parametrize("mirror", [1, -1])
    def test_pixels_go_where_the_matrix_sends_them(self, a: tuple[int, int, int, int], mirror: int):
        x_to_x, x_to_y, y_to_x, y_to_y = mirror * a[0], mirror * a[1], a[2], a[3]
        stored = np.arange(2 * 3, dtype=np.float32).reshape(2, 3, 1)
        upright = orientation_of([x_to_x, x_to_y, 0, y_to_x, y_to_y, 0, 0, 0, 1]).upright(stored)
        places = {
            (x_to_x * x + y_to_x * y, x_to_y * x + y_to_y * y): stored[y, x, 0]
            for y in range(2)
            for x in range(3)
        }
        left, top = min(x for x, _ in places), min(y for _, y in places)
        expected = {(x - left, y - top): value for (x, y), value in places.items()}
        rows, columns, _ = upright.shape
        assert {(x, y): upright[y, x, 0] for y in range(rows) for x in range(columns)} == expected

    def test_a_video_from_a_turned_phone(self, tmp_path: Path):
        pictures = moving_pictures(2, 16, 32)
        path = write_video(tmp_path / "v.mp4", pictures, codec="libx264", options={"crf": "0"})
        upright = torch.stack(list(VideoFile(path).frames()))
        turn_track(path)
        turned = VideoFile(path)
        assert (turned.format.width, turned.format.height) == (16, 32)
        # A quarter turn clockwise: the first column, from below, becomes the first row.
        assert torch.equal(torch.stack(list(turned.frames())), upright.rot90(-1, (1, 2)))


def turn_track(path: Path) -> None:
    """Write the matrix of a quarter turn clockwise into the track header (ISO/IEC 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    one, unit = 0x10000, 0x40000000
    assert struct.unpack(">9i", data[matrix : matrix + 36]) == (one, 0, 0, 0, one, 0, 0, 0, unit)
    data[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, unit)
    path.write_bytes(data)


UNEVEN_TIMES = [0, 1001, 2002, 4004, 4500, 9009, 10010, 11011, 15015, 16016, 17017, 20020]
UNEVEN_BASE = Fraction(1, 30000)


@pytest.fixture
def uneven(tmp_path: Path) -> Path:
    """12 frames of variable rate in H.264 with B-frames, and sound."""
    return write_video(
        tmp_path / "uneven.mp4",
        moving_pictures(12, 32, 48),
        times=UNEVEN_TIMES,
        time_base=UNEVEN_BASE,
        sound=True,
        codec="libx264",
        pixel_format="yuv420p",
        options={"crf": "10"},
    )


class TestReading:
    def test_times_of_a_variable_rate(self, uneven: Path):
        video = VideoFile(uneven)
        seen: list[tuple[int, int]] = []
        times = video.timestamps(lambda *tick: seen.append(tick))
        assert [t * video.format.time_base for t in times] == [t * UNEVEN_BASE for t in UNEVEN_TIMES]
        # How many there will be is not known.
        assert seen == [(done, 0) for done in range(1, 13)]

    @pytest.mark.parametrize("start", [1, 5, 11])
    def test_entering_in_the_middle_gives_the_same_frames(self, uneven: Path, start: int):
        video = VideoFile(uneven)
        whole = list(video.frames())
        for times in (None, video.timestamps()):
            part = list(video.frames(start, times))
            assert len(part) == 12 - start
            assert all(torch.equal(a, b) for a, b in zip(part, whole[start:], strict=True))

    def test_files_without_video_are_named(self, tmp_path: Path):
        (tmp_path / "notes.mp4").write_text("no video")
        with pytest.raises(ValueError, match=r"notes\.mp4 cannot be decoded"):
            VideoFile(tmp_path / "notes.mp4")


def furthest(a: VideoFile, b: VideoFile) -> float:
    pairs = zip(a.frames(), b.frames(), strict=True)
    return max((one - other).abs().max().item() for one, other in pairs)


def difference(a: VideoFile, b: VideoFile) -> float:
    """Mean difference in the frame that differs most."""
    pairs = zip(a.frames(), b.frames(), strict=True)
    return max((one - other).abs().mean().item() for one, other in pairs)


def brightness(video: VideoFile) -> list[float]:
    """Mean of each frame; neighbours of the written pictures are 8/255 apart."""
    return [frame.mean().item() for frame in video.frames()]


class TestWriting:
    @pytest.mark.parametrize("codec", ["h264", "h264-10bit", "prores"])
    def test_times_and_sound_survive_to_the_last_bit(self, uneven: Path, tmp_path: Path, codec: str):
        target = tmp_path / f"out{Encoding(codec).ending}"
        result = rewritten(uneven, target, Encoding(codec, 10), [(0, 5), (5, 10), (10, 12)])
        assert times_of(target) == times_of(uneven)
        assert sound_packets(target) == sound_packets(uneven)
        assert len(sound_packets(target)) > 10
        assert result.format.bits == (8 if codec == "h264" else 10)
        assert brightness(result) == pytest.approx(brightness(VideoFile(uneven)), abs=0.004)
        assert difference(result, VideoFile(uneven)) < 0.015

    def test_a_clip_that_begins_late_does_so_afterwards(self, tmp_path: Path):
        times = [1001 * t + 700 for t in range(5)]
        given: dict[str, Any] = {
            "times": times,
            "time_base": UNEVEN_BASE,
            "codec": "libx264",
            "pixel_format": "yuv420p",
        }
        source = write_video(tmp_path / "late.mkv", moving_pictures(5, 32, 48), **given)
        rewritten(source, tmp_path / "out.mp4", Encoding(), [(0, 5)])
        # The source's container counts milliseconds.
        assert times_of(tmp_path / "out.mp4") == times_of(source)
        assert times_of(source)[0] == Fraction(23, 1000)

    @pytest.mark.parametrize("size", [(33, 47), (32, 47), (33, 48), (1, 1)], ids=str)
    @pytest.mark.parametrize("codec", ["h264", "h264-10bit", "prores", "ffv1"])
    def test_odd_sizes_keep_every_pixel(self, tmp_path: Path, size: tuple[int, int], codec: str):
        source = write_video(tmp_path / "odd.mkv", moving_pictures(3, *size))
        target = tmp_path / f"out{Encoding(codec).ending}"
        result = rewritten(source, target, Encoding(codec, 4), [(0, 3)])
        assert (result.format.height, result.format.width) == size
        assert difference(result, VideoFile(source)) < 0.02

    def test_a_lossless_master_is_finer_than_the_source(self, tmp_path: Path):
        source = write_video(tmp_path / "in.mkv", moving_pictures(3, 24, 32))
        result = rewritten(source, tmp_path / "out.mkv", Encoding("ffv1"), [(0, 2), (2, 3)])
        # Half a 10-bit level (1/876 of luma, 1/896 of chroma) in each of Y', Cb, Cr.
        assert furthest(result, VideoFile(source)) < 1.5 / 876

    def test_colour_tags_and_pixel_shape_are_kept(self, tmp_path: Path):
        tags: dict[str, Any] = {"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1}
        source = write_video(
            tmp_path / "hdr.mp4",
            moving_pictures(2, 32, 48),
            codec="libx264",
            pixel_format="yuv420p10le",
            sample_aspect_ratio=Fraction(4, 3),
            **tags,
        )
        result = rewritten(source, tmp_path / "out.mp4", Encoding("h264-10bit"), [(0, 2)])
        assert result.format.colour == Colour(9, 1, 9, 16)
        assert result.format.pixel_aspect == Fraction(4, 3)

    @pytest.mark.parametrize("ending", [".mp4", ".mkv"])
    def test_full_range_stays_full(self, tmp_path: Path, ending: str):
        pictures = moving_pictures(1, 32, 48)
        tags: dict[str, Any] = {"color_range": 2, "colorspace": 1}
        source = write_video(tmp_path / "in.mkv", pictures, pixel_format="yuv420p", **tags)
        result = rewritten(source, tmp_path / f"out{ending}", Encoding("h264", 4), [(0, 1)])
        assert result.format.colour == Colour(1, 2)
        assert brightness(result) == pytest.approx(brightness(VideoFile(source)), abs=0.002)

    @pytest.mark.parametrize("codec", ["prores", "ffv1"])
    def test_masters_keep_alpha(self, tmp_path: Path, codec: str):
        rgba = np.concatenate([moving_pictures(1, 16, 16), np.full((1, 16, 16, 1), 64, np.uint8)], axis=-1)
        with av.open(str(tmp_path / "in.mkv"), "w") as container:
            stream: Any = container.add_stream("ffv1", rate=24)
            stream.width, stream.height, stream.pix_fmt = 16, 16, "bgra"
            picture = av.VideoFrame.from_ndarray(rgba[0], format="rgba").reformat(format="bgra")
            container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        target = tmp_path / f"out{Encoding(codec).ending}"
        result = rewritten(tmp_path / "in.mkv", target, Encoding(codec), [(0, 1)])
        frame = next(result.frames())
        assert frame.shape == (16, 16, 4)
        assert (frame[..., 3] - 64 / 255).abs().max().item() < 0.01

    def test_nothing_is_lost_on_the_way_through_rgb(self, tmp_path: Path):
        # FFmpeg's own conversion is off by 1.1 levels of luma on average, there and back.
        pictures = moving_pictures(1, 64, 96)
        source = write_video(tmp_path / "in.mkv", pictures, pixel_format="yuv420p")
        target = rewritten(source, tmp_path / "out.mp4", Encoding("h264", 0), [(0, 1)]).path

        def luma(path: Path) -> Any:
            with av.open(str(path)) as container:
                frame = next(container.decode(video=0))
            return np.frombuffer(frame.planes[0], np.uint8).reshape(64, -1)[:, :96].astype(int)

        assert np.abs(luma(source) - luma(target)).mean() < 0.05

    def test_wrong_names_and_numbers_are_refused(self):
        with pytest.raises(ValueError, match=r"codec is 'vp9'; choose one of h264, h264-10bit, prores, ffv1"):
            Encoding("vp9")
        with pytest.raises(ValueError, match="crf is 60; it must be 0"):
            Encoding("h264", 60)
        with pytest.raises(ValueError, match=r"out\.mp4 cannot hold prores; .* \.mov or \.mkv"):
            Encoding("prores").require_container(Path("out.mp4"))
