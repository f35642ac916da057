"""Colours through the pack without blur, as FFmpeg's own conversion shows them by the tags of each file."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from bokeh_core.video_io import CODECS, Encoding, PartWriter, VideoFile, container_of
from bokeh_core.video_io.colour import Colour
from bokeh_core.video_io.pixels import to_rgb
from tests.core.video_io.independent import first_frame, rgb_by_ffmpeg, soft_colours, write_picture

BT709, BT601, BT2020, UNTAGGED = 1, 6, 9, 2
# Of 255: what a colour may be off by after one more coding.
ALLOWED = 3


def through(source: Path, codec: str, crf: int = 0) -> Path:
    """The frames of a file in another, untouched."""
    video = VideoFile(source)
    target = source.with_name(f"out{Encoding(codec).ending}")
    with PartWriter(target, container_of(target), Encoding(codec, crf), video.format) as writer:
        for frame in video.frames():
            writer.add(frame)
    return target


def furthest(a: Any, b: Any) -> float:
    return float(np.abs(a - b).max() * 255)


def container_tags(path: Path) -> tuple[int, int, int]:
    """Primaries, transfer and matrix that the container states."""
    with av.open(str(path)) as container:
        context: Any = container.streams.video[0].codec_context
        return int(context.color_primaries), int(context.color_trc), int(context.colorspace)


def prores_tags(path: Path) -> tuple[int, int, int]:
    """The same in the header of a ProRes picture (SMPTE RDD 36, 5.1.1): bytes 14 to 16 behind `icpf`."""
    with av.open(str(path)) as container:
        packet = bytes(next(container.demux(video=0)))
    assert packet[4:8] == b"icpf"
    return packet[8 + 14], packet[8 + 15], packet[8 + 16]


class TestThrough:
    @pytest.mark.parametrize("codec", CODECS)
    @pytest.mark.parametrize("matrix", [BT709, BT601, BT2020, UNTAGGED, 4, 5, 7])
    def test_every_matrix(self, tmp_path: Path, codec: str, matrix: int):
        source = write_picture(tmp_path / "in.mkv", soft_colours(), "yuv420p", matrix)
        assert furthest(rgb_by_ffmpeg(through(source, codec)), rgb_by_ffmpeg(source)) <= ALLOWED

    @pytest.mark.parametrize("codec", CODECS)
    @pytest.mark.parametrize(
        "pixel_format",
        ["yuv422p", "yuv444p", "yuv411p", "yuv410p", "yuv420p10le", "yuv422p12le", "yuv444p16le"],
    )
    def test_every_kind_of_chroma_and_depth(self, tmp_path: Path, codec: str, pixel_format: str):
        source = write_picture(tmp_path / "in.mkv", soft_colours(), pixel_format)
        # Colour at half the size, enlarged again, is another colour at the frame's border.
        allowed = ALLOWED + codec.startswith("h264")
        assert furthest(rgb_by_ffmpeg(through(source, codec)), rgb_by_ffmpeg(source)) <= allowed

    @pytest.mark.parametrize("codec", CODECS)
    @pytest.mark.parametrize("pixel_format", ["bgr0", "gbrp10le", "gbrp16le", "gray", "gray16le"])
    def test_rgb_and_grey(self, tmp_path: Path, codec: str, pixel_format: str):
        source = write_picture(tmp_path / "in.mkv", soft_colours(), pixel_format)
        target = through(source, codec)
        assert furthest(rgb_by_ffmpeg(target), rgb_by_ffmpeg(source)) <= ALLOWED + codec.startswith("h264")
        if "gray" not in pixel_format:
            # What has no matrix of its own gets one that it names.
            assert int(first_frame(target).colorspace) == BT709
            # Older FFmpeg writes no tags into MOV unless the primaries are known.
            assert container_tags(target)[2] in (BT709, UNTAGGED)

    @pytest.mark.parametrize("codec", CODECS)
    @pytest.mark.parametrize("matrix", [BT709, BT601, UNTAGGED])
    def test_full_range(self, tmp_path: Path, codec: str, matrix: int):
        source = write_picture(tmp_path / "in.mkv", soft_colours(), "yuv420p", matrix, 2)
        assert furthest(rgb_by_ffmpeg(through(source, codec)), rgb_by_ffmpeg(source)) <= ALLOWED

    @pytest.mark.parametrize("name", ["camera.avi", "screen.mov"])
    def test_cameras_and_screen_recorders(self, tmp_path: Path, name: str):
        codec, pixel_format = {"camera.avi": ("mjpeg", "yuvj422p"), "screen.mov": ("png", "rgb24")}[name]
        sample_range = 2 if codec == "mjpeg" else 1
        source = write_picture(tmp_path / name, soft_colours(), pixel_format, 6, sample_range, codec=codec)
        assert furthest(rgb_by_ffmpeg(through(source, "h264")), rgb_by_ffmpeg(source)) <= ALLOWED + 1


class TestTags:
    @pytest.mark.parametrize("codec", CODECS)
    @pytest.mark.parametrize("tags", [(1, 1, 1), (6, 6, 6), (9, 16, 9), (9, 18, 9), (2, 2, 2)])
    def test_picture_and_container_say_the_same(self, tmp_path: Path, codec: str, tags: tuple[int, int, int]):
        primaries, transfer, matrix = tags
        source = write_picture(
            tmp_path / "in.mkv", soft_colours(), "yuv420p10le", matrix, primaries=primaries, transfer=transfer
        )
        target = through(source, codec)
        # ProRes must name a matrix, and names the curve of BT.601 by that of BT.709, which is the same.
        expected = {(6, 6, 6): (6, 1, 6), (2, 2, 2): (2, 2, 6)}.get(tags, tags) if codec == "prores" else tags
        # Older FFmpeg writes no tags into MOV unless the primaries are known.
        assert container_tags(target) in (expected, (2, 2, 2) if primaries == 2 else expected)
        if codec == "prores":
            assert prores_tags(target) == expected
        assert int(first_frame(target).colorspace) == expected[2]

    def test_untagged_stays_so_where_the_picture_is_turned(self):
        # 1024 x 576 upright as 576 x 1024: players would guess BT.709 of what was BT.601.
        assert Colour().as_shown(576, 1024) == Colour(6)
        assert Colour().as_shown(1024, 576) == Colour(1)
        assert Colour().as_shown(576, 480) == Colour()
        assert Colour(9).as_shown(576, 1024) == Colour(9)

    @pytest.mark.parametrize("matrix", [8, 10, 14])
    def test_what_is_no_plain_matrix_is_refused(self, tmp_path: Path, matrix: int):
        path = tmp_path / "in.mkv"
        write_picture(path, soft_colours(), "yuv444p")
        with av.open(str(path)) as source, av.open(str(tmp_path / "odd.mkv"), "w") as target:
            stream: Any = target.add_stream("ffv1", rate=24)
            stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv444p"
            stream.codec_context.colorspace = matrix
            for frame in source.decode(video=0):
                frame.colorspace = matrix
                target.mux(stream.encode(frame))
            target.mux(stream.encode(None))
        with pytest.raises(ValueError, match=r"odd\.mkv stores its colours as .*convert it to BT\.709"):
            VideoFile(tmp_path / "odd.mkv")


@pytest.mark.parametrize("pixel_format", ["rgb555le", "rgb555be", "rgb565le", "rgb565be", "bgr555be"])
def test_sixteen_bit_rgb_by_hand(pixel_format: str):
    levels = np.arange(32)
    green = 2 * levels if "565" in pixel_format else levels
    samples = (levels << (11 if "565" in pixel_format else 10)) | (green << 5) | levels
    frame = av.VideoFrame(32, 1, pixel_format)
    row = np.zeros(frame.planes[0].line_size // 2, np.uint16)
    row[:32] = samples
    order = ">u2" if pixel_format.endswith("be") else "<u2"
    frame.planes[0].update(row.astype(order).tobytes())
    rgb = torch.from_numpy(to_rgb(frame, Colour()))
    # FFmpeg puts the upper bits behind the lower ones: within 0.7 of 255.
    expected = torch.from_numpy(levels / 31)
    assert (rgb[0, :, 0] - expected).abs().max() < 0.75 / 255
    assert (rgb[0, :, 2] - expected).abs().max() < 0.75 / 255


@pytest.mark.parametrize("codec", ["h264", "prores", "ffv1"])
def test_colour_stays_at_its_place(tmp_path: Path, codec: str):
    """H.264 has its colour beside the left pixels; moved by half a pixel these waves differ by 8 of 255."""
    across = np.arange(192)[None].repeat(96, 0) * (2 * np.pi / 48)
    waves = np.stack([0.5 + 0.3 * np.sin(across + phase) for phase in (0, 2.1, 4.2)], axis=-1)
    source = write_picture(tmp_path / "in.mp4", waves, "yuv420p", codec="libx264", options={"crf": "1"})
    target = through(source, codec)
    assert furthest(rgb_by_ffmpeg(target), rgb_by_ffmpeg(source)) <= ALLOWED + (codec == "h264")


def test_pictures_that_are_stored_from_the_last_row_up():
    rgb = np.rint(soft_colours() * 255).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    graph = av.filter.Graph()
    given = graph.add_buffer(width=48, height=32, format=frame.format, time_base=Fraction(1, 24))
    flip, taken = graph.add("vflip"), graph.add("buffersink")
    given.link_to(flip)
    flip.link_to(taken)
    graph.configure()
    graph.push(frame)
    flipped: Any = graph.pull()
    assert flipped.planes[0].line_size < 0
    # A level of colour may be rounded the other way.
    assert np.abs(to_rgb(flipped, Colour()) - to_rgb(frame, Colour())[::-1]).max() < 2.5 / 255
