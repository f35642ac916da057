"""Which files are opened as video, by what name, and which of their streams is the film."""

import struct
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from bokeh_core.disparity.files import read_depth_maps
from bokeh_core.video_io import Encoding, PartWriter, VideoFile
from tests.core.render.clips import moving_pictures, write_video

GREYS = np.repeat(np.arange(40, 72, 8, dtype=np.uint8), 18 * 32 * 3).reshape(4, 18, 32, 3)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def with_cover(path: Path, picture: np.ndarray[Any, Any]) -> Path:
    """Put a cover into an MP4 as tagging programs do (moov/udta/meta/ilst/covr), before the tracks."""
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
    cover = box(b"covr", box(b"data", struct.pack(">II", 13, 0) + jpeg))
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    tags = box(b"udta", box(b"meta", bytes(4) + handler + box(b"ilst", cover)))
    data = path.read_bytes()
    start = data.rfind(b"moov") - 4
    (size,) = struct.unpack(">I", data[start : start + 4])
    # Behind the pictures' bytes, so that their places do not change.
    assert data.find(b"mdat") < start
    content = data[start + 8 : start + size]
    path.write_bytes(data[:start] + box(b"moov", tags + content) + data[start + size :])
    return path


def film(path: Path, **given: Any) -> Path:
    return write_video(path, GREYS, codec="libx264", pixel_format="yuv420p", options={"crf": "0"}, **given)


class TestStreams:
    def test_a_cover_is_not_the_film(self, tmp_path: Path):
        path = with_cover(film(tmp_path / "in.mp4"), np.full((50, 50, 3), 200, np.uint8))
        with av.open(str(path)) as container:
            assert [stream.codec_context.name for stream in container.streams.video] == ["mjpeg", "h264"]
        video = VideoFile(path)
        assert (video.format.width, video.format.height) == (32, 18)
        assert [round(frame.mean().item() * 255) for frame in video.frames()] == [40, 48, 56, 64]

    def test_a_cover_is_not_the_depth(self, tmp_path: Path):
        path = with_cover(film(tmp_path / "depth.mp4"), np.full((50, 50, 3), 200, np.uint8))
        maps = read_depth_maps(path).values
        assert maps.shape == (4, 18, 32)
        # Limited range: (level - 16) / 219 is the grey that was written.
        assert (maps.mean((1, 2)) * 255).round().tolist() == [40, 48, 56, 64]

    def test_a_file_with_nothing_but_a_cover_is_refused(self, tmp_path: Path):
        path = tmp_path / "song.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", rate=44100, layout="mono")
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
            silence.sample_rate = 44100
            container.mux(stream.encode(silence))
            container.mux(stream.encode(None))
        with_cover(path, np.full((50, 50, 3), 200, np.uint8))
        with pytest.raises(ValueError, match=r"song\.mp4 has no video stream, only a picture attached"):
            VideoFile(path)

    def test_the_default_stream_is_the_film_else_the_largest(self, tmp_path: Path):
        for default, expected in ((0, 16), (1, 32), (None, 32)):
            path = tmp_path / f"{default}.mkv"
            with av.open(str(path), "w") as container:
                streams: list[Any] = [container.add_stream("ffv1", rate=24) for _ in range(2)]
                for i, (stream, side) in enumerate(zip(streams, (16, 32), strict=True)):
                    stream.width = stream.height = side
                    stream.pix_fmt = "gray"
                    stream.disposition = int(i == default)
                for stream in streams:
                    frame = av.VideoFrame(stream.width, stream.height, "gray")
                    container.mux(stream.encode(frame))
                    container.mux(stream.encode(None))
            assert VideoFile(path).format.width == expected


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("notes.ans", "one line of text\n" * 50),
            ("notes.txt", "one line of text\n" * 50),
            ("titles.srt", "1\n00:00:00,000 --> 00:00:01,000\nHello\n"),
            ("list.mp4", "ffconcat version 1.0\nfile 'secret.mkv'\n"),
            ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nsecret.mkv\n#EXT-X-ENDLIST\n"),
            ("live.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
        ],
    )
    def test_texts_and_lists_are_no_videos(self, tmp_path: Path, name: str, text: str):
        write_video(tmp_path / "secret.mkv", moving_pictures(2, 16, 16))
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=rf"{name} is not a video but .*; give MP4, MOV"):
            VideoFile(tmp_path / name)
        with pytest.raises(ValueError, match=rf"{name} is not a video but .*; give a video, a still"):
            read_depth_maps(tmp_path / name)

    @pytest.mark.parametrize(
        "name", ["take 1 %03d.mkv", "-o.mkv", "#1 {a}.mkv", "\u65e5\u672c\u8a9e.mkv", "pipe,1.mkv"]
    )
    def test_a_name_is_only_a_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
        self.check(tmp_path, monkeypatch, name)

    @pytest.mark.skipif("os.name == 'nt'", reason="Windows allows no such names")
    @pytest.mark.parametrize("name", ["take:1.mkv", "http://x.mkv", "what? *.mkv", "concat:a|b.mkv"])
    def test_neither_is_it_an_address(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
        (tmp_path / "http:").mkdir()
        self.check(tmp_path, monkeypatch, name)

    @staticmethod
    def check(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.chdir(folder)
        source = VideoFile(write_video(folder / "in.mkv", GREYS))
        # As it is typed: relative to where one is.
        with PartWriter(Path(name), "matroska", Encoding("ffv1"), source.format) as writer:
            for frame in source.frames():
                writer.add(frame)
        assert len(list(VideoFile(Path(name)).frames())) == 4
        assert len(read_depth_maps(Path(name)).values) == 4

    @pytest.mark.parametrize(("name", "codec"), [("in.vob", "mpeg2video"), ("in.flv", "flv")])
    def test_streams_that_are_found_behind_the_header(self, tmp_path: Path, name: str, codec: str):
        """Their list grows while FFmpeg looks through the packets."""
        path = write_video(tmp_path / name, moving_pictures(3, 32, 48), codec=codec, pixel_format="yuv420p")
        assert len(VideoFile(path).timestamps()) == 3

    def test_missing_and_empty_files(self, tmp_path: Path):
        with pytest.raises(ValueError, match=r"Nothing at .*none\.mp4"):
            VideoFile(tmp_path / "none.mp4")
        (tmp_path / "empty.mp4").touch()
        with pytest.raises(ValueError, match=r"empty\.mp4 cannot be decoded at its start"):
            VideoFile(tmp_path / "empty.mp4")

    def test_a_header_that_promises_too_much_is_refused_at_once(self, tmp_path: Path):
        path = write_video(tmp_path / "huge.avi", GREYS)
        data = path.read_bytes()
        # Width and height of the BITMAPINFOHEADER, which FFV1 goes by.
        header = data.index(b"strf") + 8 + 4
        assert struct.unpack("<2i", data[header : header + 8]) == (32, 18)
        path.write_bytes(data[:header] + struct.pack("<2i", 65535, 65535) + data[header + 8 :])
        with pytest.raises(
            ValueError, match=r"65535 x 65535 px; a frame may have|huge\.avi: frame 0 is damaged"
        ):
            VideoFile(path)

    def test_a_picture_larger_than_its_header_says_is_not_decoded(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        path = write_video(tmp_path / "in.mov", GREYS, codec="png", pixel_format="rgb24")
        assert VideoFile(path).format.width == 32
        monkeypatch.setattr("bokeh_core.video_io.decoding.MAX_PIXELS", 200)
        with pytest.raises(ValueError, match=r"in\.mov: frame 0 is damaged"):
            VideoFile(path)
