"""Files that are cut off, damaged, joined or interlaced; levels beyond white; alpha of every kind."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from bokeh_core.video_io import Encoding, PartWriter, VideoFile
from bokeh_core.video_io.cut_short import is_cut_short
from bokeh_core.video_io.decoding import Decoding
from tests.core.render.clips import Array, moving_pictures, write_video


def noise(count: int) -> Array:
    """Frames whose packets are many bytes long."""
    return np.random.default_rng(0).integers(0, 255, (count, 48, 64, 3)).astype(np.uint8)


def packet_places(path: Path) -> list[tuple[int, int]]:
    with av.open(str(path)) as container:
        return [(p.pos, p.size) for p in container.demux(video=0) if p.size]


def overwritten(path: Path, number: int, first: int = 0) -> Path:
    """Replace the bytes of a packet by zeros."""
    place, size = packet_places(path)[number]
    data = bytearray(path.read_bytes())
    data[place + first : place + size] = bytes(size - first)
    path.write_bytes(data)
    return path


def cut_within(path: Path, number: int) -> Path:
    """End a file in the middle of a packet."""
    place, size = packet_places(path)[number]
    path.write_bytes(path.read_bytes()[: place + size // 2])
    return path


class TestDamage:
    def test_a_damaged_frame_is_refused_by_its_number(self, tmp_path: Path):
        path = write_video(tmp_path / "in.mov", noise(12), codec="png", pixel_format="rgb24")
        video = VideoFile(overwritten(path, 7))
        with pytest.raises(ValueError, match=r"in\.mov: frame 7 is damaged .*export the video again"):
            video.timestamps()

    @pytest.mark.parametrize("codec", ["png", "mjpeg"])
    def test_a_file_that_is_cut_off_gives_what_it_has(self, tmp_path: Path, codec: str):
        pixel_format = {"png": "rgb24", "mjpeg": "yuvj420p"}[codec]
        path = tmp_path / "in.mov"
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            stream: Any = container.add_stream(codec, rate=24)
            stream.width, stream.height, stream.pix_fmt = 64, 48, pixel_format
            for pixels in noise(12):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pixel_format)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        video = VideoFile(cut_within(path, 7))
        count = len(video.timestamps())
        # The half of a JPEG is a picture to FFmpeg, that of a PNG is none.
        assert count == {"png": 7, "mjpeg": 8}[codec]
        assert len(list(video.frames(0, video.timestamps()))) == count
        assert video.findings() == [
            f"Warning: in.mov is cut off or damaged at its end: {count} of 12 frames can be read."
        ]

    def test_matroska_that_is_cut_off_says_so_by_its_length(self, tmp_path: Path):
        path = write_video(tmp_path / "in.mkv", noise(24))
        assert not VideoFile(path).findings()
        whole = VideoFile(path)
        whole.timestamps()
        assert whole.findings() == []
        video = VideoFile(cut_within(path, 12))
        assert len(video.timestamps()) == 12
        (said,) = video.findings()
        assert said.startswith("Warning: in.mkv is cut off: it says that it lasts 1.00 s, and its 12 frames")

    @pytest.mark.parametrize("ending", [".mp4", ".avi"])
    def test_a_file_that_is_cut_off_between_frames_says_so(self, tmp_path: Path, ending: str):
        path = tmp_path / f"in{ending}"
        options = {"movflags": "faststart"} if ending == ".mp4" else {}
        with av.open(str(path), "w", options=options) as container:
            stream: Any = container.add_stream("mjpeg", rate=24)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
            for pixels in noise(6):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuvj420p")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        whole = VideoFile(path)
        whole.timestamps()
        assert whole.findings() == []
        path.write_bytes(path.read_bytes()[: packet_places(path)[4][0] - (8 if ending == ".avi" else 0)])
        video = VideoFile(path)
        assert len(video.timestamps()) == 4
        assert video.findings() == [
            f"Warning: in{ending} is cut off or damaged at its end: 4 of 6 frames can be read."
        ]

    @pytest.mark.parametrize(
        ("boxes", "cut"),
        [
            (b"\0\0\0\x0cmdat1234", False),
            (b"\0\0\0\x0dmdat1234", True),
            (b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x11", True),
            # A box up to the end, and what a camera puts behind the last one.
            (b"\0\0\0\0mdat1234", False),
            (b"\0\0\0\x0cmdat1234a camera's own", False),
        ],
    )
    def test_lengths_of_boxes(self, tmp_path: Path, boxes: bytes, cut: bool):
        path = tmp_path / "in.mp4"
        path.write_bytes(b"\0\0\0\x0cftypmp42" + boxes)
        assert is_cut_short(path, "mov,mp4,m4a,3gp,3g2,mj2") == cut

    @pytest.mark.parametrize(
        ("segment", "cut"),
        [
            (b"\x84" + bytes(4), False),
            (b"\x85" + bytes(4), True),
            (b"\x01\0\0\0\0\0\0\x04" + bytes(4), False),
            (b"\x01\0\0\0\0\0\0\x05" + bytes(4), True),
            # Of a live stream, whose length nobody knew.
            (b"\xff" + bytes(4), False),
            (b"\x01" + b"\xff" * 7 + bytes(4), False),
        ],
    )
    def test_the_length_of_a_segment(self, tmp_path: Path, segment: bytes, cut: bool):
        path = tmp_path / "in.mkv"
        path.write_bytes(b"\x1a\x45\xdf\xa3\x82ab\x18\x53\x80\x67" + segment)
        assert is_cut_short(path, "matroska,webm") == cut

    def test_frames_that_are_no_longer_there_are_missed(self, tmp_path: Path):
        video = VideoFile(write_video(tmp_path / "in.mkv", noise(4)))
        times = video.timestamps()
        with pytest.raises(ValueError, match=r"gave 5 frames when it was first read, and 4 this time"):
            list(video.frames(0, [*times, times[-1] + 40]))

    def test_a_size_that_changes_is_found_at_once(self, tmp_path: Path):
        path = tmp_path / "in.mjpeg"
        pictures = [moving_pictures(3, side, side) for side in (32, 48)]
        parts = [
            write_video(tmp_path / "part.mjpeg", part, codec="mjpeg", pixel_format="yuvj420p").read_bytes()
            for part in pictures
        ]
        path.write_bytes(b"".join(parts))
        with pytest.raises(ValueError, match=r"frame 3 is 48 x 48 px but the first is 32 x 32 px"):
            VideoFile(path).timestamps()


def stream_bytes(folder: Path, pictures: Array) -> bytes:
    path = folder / "one.ts"
    with av.open(str(path), "w", format="mpegts") as container:
        stream: Any = container.add_stream("libx264", rate=25, options={"crf": "8", "g": "8", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for pixels in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return path.read_bytes()


def test_streams_that_were_joined_go_on_in_time(tmp_path: Path):
    pictures = moving_pictures(40, 48, 64)
    path = tmp_path / "joined.ts"
    # The second begins where the first did, and is the shorter.
    path.write_bytes(stream_bytes(tmp_path, pictures) + stream_bytes(tmp_path, pictures[:25]))
    video = VideoFile(path)
    times = video.timestamps()
    assert video.format.time_base == Fraction(1, 90000)
    assert np.diff(times).tolist() == [3600] * 64
    whole = list(video.frames())
    # Stamps of the second stream are times of the first.
    for start in (3, 39, 40, 41, 55):
        part = list(video.frames(start, times))
        assert len(part) == 65 - start
        assert all(torch.equal(a, b) for a, b in zip(part, whole[start:], strict=True))


def test_a_stream_that_begins_late_ends_nothing(tmp_path: Path):
    """PyAV's flush looks for streams that a file has added meanwhile, and does not find them."""
    decoding = Decoding(write_video(tmp_path / "in.mkv", noise(6)))
    container: Any = decoding._container

    class Late:
        format = container.format
        close = container.close

        def demux(self, stream: Any) -> Iterator[Any]:
            yield from (packet for packet in container.demux(stream) if packet.size)
            raise IndexError("list index out of range")

    decoding._container = Late()
    with decoding:
        assert len(list(decoding)) == 6
    assert not decoding.damaged_end


class TestFindings:
    def test_interlaced_frames(self, tmp_path: Path):
        path = write_video(
            tmp_path / "in.mkv",
            moving_pictures(3, 64, 64),
            codec="libx264",
            pixel_format="yuv420p",
            options={"x264-params": "tff=1", "flags": "+ildct"},
        )
        video = VideoFile(path)
        video.timestamps()
        (said,) = video.findings()
        assert said.startswith("Warning: in.mkv is interlaced. Its frames hold two moments each")

    @pytest.mark.parametrize(("pixel_format", "unit"), [("yuv420p", 1), ("yuv420p10le", 4)])
    @pytest.mark.parametrize(
        ("level", "sample_range", "told"), [(250, 1, True), (238, 1, False), (250, 2, False), (5, 1, True)]
    )
    def test_levels_beyond_black_and_white(
        self, tmp_path: Path, pixel_format: str, unit: int, level: int, sample_range: int, told: bool
    ):
        frame = av.VideoFrame(64, 32, pixel_format)
        kind = np.uint8 if unit == 1 else np.uint16
        for plane, value in zip(frame.planes, (120, 128, 128), strict=True):
            levels = np.full((plane.height, plane.line_size // np.dtype(kind).itemsize), value * unit, kind)
            if value == 120:
                levels[:, :16] = level * unit
            plane.update(levels.tobytes())
        frame.color_range = sample_range
        with av.open(str(tmp_path / "in.mkv"), "w") as container:
            stream: Any = container.add_stream("ffv1", rate=24)
            stream.width, stream.height, stream.pix_fmt = 64, 32, pixel_format
            stream.codec_context.color_range = sample_range
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        video = VideoFile(tmp_path / "in.mkv")
        video.timestamps()
        kept = unit > 1
        findings = ["Warning: up to 25.0% "] if told and not kept else []
        assert [line[:21] for line in video.findings()] == findings
        if kept and sample_range == 1:
            # Grey: every channel is (level - 16) / 219.
            first = next(video.frames())[0, 0]
            assert first.tolist() == pytest.approx([(level - 16) / 219] * 3, abs=1e-4)


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_alpha_beside_the_picture_is_kept(tmp_path: Path, codec: str):
    path = tmp_path / "in.webm"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(
            codec, rate=24, options={"auto-alt-ref": "0", "crf": "4", "b": "1M"}
        )
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuva420p"
        stream.metadata["alpha_mode"] = "1"
        for t in range(4):
            pixels = np.full((48, 64, 4), 128, np.uint8)
            pixels[..., 3] = 40 + 50 * t
            picture = av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format="yuva420p")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    video = VideoFile(path)
    assert video.format.alpha
    assert video.findings() == []
    times = video.timestamps()
    assert [round(time * video.format.time_base * 24, 1) for time in times] == [0, 1, 2, 3]
    with PartWriter(tmp_path / "out.mov", "mov", Encoding("prores"), video.format) as writer:
        for frame in video.frames():
            writer.add(frame)
    for file in (video, VideoFile(tmp_path / "out.mov")):
        found = [frame[..., 3].mean().item() * 255 for frame in file.frames()]
        assert found == pytest.approx([40, 90, 140, 190], abs=2)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("in.mov", "qtrle", "argb"),
        ("in.mov", "png", "rgba"),
        ("in.mov", "png", "rgba64be"),
        ("in.mov", "prores_ks", "yuva444p10le"),
        ("in.mkv", "ffv1", "yuva420p"),
        ("in.mkv", "ffv1", "gbrap12le"),
        ("in.avi", "utvideo", "gbrap"),
        ("in.png", "apng", "rgba"),
    ],
)
def test_straight_alpha_of_any_codec(tmp_path: Path, name: str, codec: str, pixel_format: str):
    pixels = np.full((32, 48, 4), 150, np.uint8)
    pixels[..., 3] = np.linspace(20, 220, 48)
    with av.open(str(tmp_path / name), "w", format="apng" if codec == "apng" else None) as container:
        stream: Any = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 48, 32, pixel_format
        picture = av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format=pixel_format)
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    video = VideoFile(tmp_path / name)
    assert video.format.alpha
    frame = next(video.frames())
    assert (frame[..., 3] * 255 - torch.linspace(20, 220, 48)).abs().max() < 2
    # Straight: colour is what it is, however transparent.
    assert (frame[..., :3] * 255 - 150).abs().max() < 3
