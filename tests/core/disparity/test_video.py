"""Depth videos: the levels of each pixel format, and what cannot be read."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from bokeh_core.disparity.files import read_depth_maps


def write_video(path: Path, frames: list[np.ndarray], pixel_format: str, color_range: int = 0) -> None:
    """Write losslessly; each frame is its luma plane, colour planes are neutral."""
    height, width = frames[0].shape
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.codec_context.color_range = color_range
        for levels in frames:
            frame = av.VideoFrame(width, height, pixel_format)
            frame.color_range = color_range
            depth = frame.format.components[0].bits
            dtype = np.uint8 if depth == 8 else np.uint16
            for i, plane in enumerate(frame.planes):
                rows = np.full((plane.height, plane.line_size // dtype().itemsize), 1 << (depth - 1), dtype)
                if i == 0:
                    rows[:, :width] = levels
                plane.update(rows.tobytes())
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def plane(levels: list[int]) -> np.ndarray:
    return np.repeat(np.repeat(np.array([levels]), 2, axis=1), 2, axis=0)


def levels_of(path: Path) -> list[float]:
    return read_depth_maps(path).values[0, 0, ::2].tolist()


def test_grey_uses_all_levels(tmp_path: Path):
    write_video(tmp_path / "d.mkv", [plane([0, 51, 255])], "gray")
    assert levels_of(tmp_path / "d.mkv") == pytest.approx([0, 0.2, 1])


def test_sixteen_bit_grey_is_exact(tmp_path: Path):
    write_video(tmp_path / "d.mkv", [plane([0, 13107, 13108, 65535])], "gray16le")
    assert levels_of(tmp_path / "d.mkv") == pytest.approx([0, 0.2, 13108 / 65535, 1], abs=1e-7)


def test_twelve_bit_grey_is_exact(tmp_path: Path):
    write_video(tmp_path / "d.mkv", [plane([0, 819, 4095])], "gray12le")
    assert levels_of(tmp_path / "d.mkv") == pytest.approx([0, 0.2, 1], abs=1e-7)
    assert "12-bit video" in read_depth_maps(tmp_path / "d.mkv").description


@pytest.mark.parametrize("color_range", [0, 1])
def test_video_levels_run_from_16_to_235(tmp_path: Path, color_range: int):
    # (125.5 - 16) / 219 would be the middle; 16 + 219 / 3 = 89. Beyond the ends is cut.
    write_video(tmp_path / "d.mkv", [plane([0, 16, 89, 235, 255])], "yuv420p", color_range)
    assert levels_of(tmp_path / "d.mkv") == pytest.approx([0, 0, 1 / 3, 1, 1])


def test_full_range_video_says_so_and_uses_all_levels(tmp_path: Path):
    write_video(tmp_path / "d.mkv", [plane([0, 51, 255])], "yuv420p", color_range=2)
    assert levels_of(tmp_path / "d.mkv") == pytest.approx([0, 0.2, 1])


def test_ten_bit_video_keeps_its_levels(tmp_path: Path):
    # 64 + 876 / 3 = 356 of 64 .. 940; one level more differs.
    write_video(tmp_path / "d.mkv", [plane([64, 356, 357, 940])], "yuv420p10le")
    assert levels_of(tmp_path / "d.mkv") == pytest.approx([0, 1 / 3, 293 / 876, 1], abs=1e-6)


def test_rgb_video_is_read(tmp_path: Path):
    with av.open(str(tmp_path / "d.avi"), "w") as container:
        stream = container.add_stream("png", rate=24)
        stream.width, stream.height, stream.pix_fmt = 3, 2, "rgb24"
        pixels = np.repeat(np.array([[0, 51, 255]] * 2, np.uint8)[..., None], 3, axis=2)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    assert read_depth_maps(tmp_path / "d.avi").values[0, 0].tolist() == pytest.approx([0, 0.2, 1])


def test_every_frame_is_read_and_announced(tmp_path: Path):
    write_video(tmp_path / "d.mkv", [plane([10 * t, 20]) for t in range(5)], "gray")
    calls: list[int] = []
    maps = read_depth_maps(tmp_path / "d.mkv", check=lambda: calls.append(1))
    assert (maps.values[:, 0, 0] * 255).round().tolist() == [0, 10, 20, 30, 40]
    assert len(calls) == 5
    assert maps.description == "Read 5 frames of 4 x 2 px, 8-bit video, from d.mkv."


def test_odd_widths_are_read(tmp_path: Path):
    levels = np.arange(5 * 7).reshape(5, 7)
    write_video(tmp_path / "d.mkv", [levels], "gray")
    assert (read_depth_maps(tmp_path / "d.mkv").values[0] * 255).round().tolist() == levels.tolist()


def test_a_coloured_video_is_refused(tmp_path: Path):
    with av.open(str(tmp_path / "turbo.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 4, 2, "yuv420p"
        red = np.full((2, 4, 3), (255, 0, 0), np.uint8)
        frame = av.VideoFrame.from_ndarray(red, format="rgb24").reformat(format="yuv420p")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(ValueError, match=r"turbo\.mkv is coloured"):
        read_depth_maps(tmp_path / "turbo.mkv")


def test_sound_alone_is_an_error(tmp_path: Path):
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(
        ValueError, match=r"sound\.wav is not a video but .*; give a video, a still, or a folder"
    ):
        read_depth_maps(tmp_path / "sound.wav")


def test_text_is_an_error(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("depth: about two metres\n" * 50)
    with pytest.raises(ValueError, match=r"notes\.txt is not a video but .*; give a video"):
        read_depth_maps(tmp_path / "notes.txt")


def test_a_damaged_video_is_an_error(tmp_path: Path):
    (tmp_path / "d.mp4").write_bytes(bytes(range(256)) * 8)
    with pytest.raises(ValueError, match=r"d\.mp4 cannot be decoded at its start"):
        read_depth_maps(tmp_path / "d.mp4")


def test_floating_point_video_is_refused(tmp_path: Path):
    (tmp_path / "d.phm").write_bytes(b"Pf\n2 1\n-1.0\n" + np.array([1.5, 2.5], "<f4").tobytes())
    with pytest.raises(
        ValueError, match=r"d\.phm has floating-point pixels \(grayf32le\).* write EXR or NPY"
    ):
        read_depth_maps(tmp_path / "d.phm")


def test_a_damaged_frame_is_named_by_its_number(tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 255, (6, 32, 32)).astype(np.uint8)
    with av.open(str(tmp_path / "d.mov"), "w") as container:
        stream = container.add_stream("png", rate=24)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "gray"
        for levels in noise:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(levels, format="gray")))
        container.mux(stream.encode(None))
    with av.open(str(tmp_path / "d.mov")) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    # Without its first bytes a picture is none.
    data = (tmp_path / "d.mov").read_bytes().replace(packets[3], bytes(16) + packets[3][16:])
    (tmp_path / "d.mov").write_bytes(data)
    with pytest.raises(ValueError, match=r"d\.mov: frame 3 is damaged .*export the video again"):
        read_depth_maps(tmp_path / "d.mov")


@pytest.mark.parametrize(("ending", "read"), [(".avi", r"\d of 4 frames"), (".mkv", r"\d frames?")])
def test_a_video_that_is_cut_off_is_refused(tmp_path: Path, ending: str, read: str):
    path = tmp_path / f"d{ending}"
    noise = np.random.default_rng(0).integers(0, 255, (4, 64, 64)).astype(np.uint8)
    write_video(path, list(noise), "gray")
    data = path.read_bytes()
    path.write_bytes(data[: 2 * len(data) // 3])
    with pytest.raises(
        ValueError, match=rf"cut off or damaged at its end: {read} can be read\. Export the video again"
    ):
        read_depth_maps(path)


@pytest.mark.parametrize(
    ("head", "ending"),
    [
        (b"II*\0", ".tif"),
        (b"RIFF\0\0\0\0WEBP", ".webp"),
        (b"\x76\x2f\x31\x01", ".exr"),
        (b"\x93NUMPY", ".npy"),
    ],
)
def test_a_picture_under_another_name_is_told(tmp_path: Path, head: bytes, ending: str):
    (tmp_path / "d.mov").write_bytes(head + bytes(100))
    with pytest.raises(
        ValueError, match=rf"d\.mov is of the kind \{ending} by what is in it; give it a name"
    ):
        read_depth_maps(tmp_path / "d.mov")


@pytest.mark.parametrize("brand", [b"heic", b"avif", b"avis", b"mif1"])
def test_pictures_of_phones_are_refused(tmp_path: Path, brand: bytes):
    (tmp_path / "d.heic").write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(100))
    with pytest.raises(
        ValueError, match=r"d\.heic is a HEIC or AVIF picture, which is not read; save the depth"
    ):
        read_depth_maps(tmp_path / "d.heic")


def test_a_video_that_is_stored_turned_is_read_upright(tmp_path: Path):
    levels = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3) * 40
    with av.open(str(tmp_path / "d.mov"), "w") as container:
        stream = container.add_stream("png", rate=24)
        stream.width, stream.height, stream.pix_fmt = 3, 2, "gray"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(levels, format="gray")))
        container.mux(stream.encode(None))
    data = (tmp_path / "d.mov").read_bytes()
    one = 0x10000
    straight = struct.pack(">9i", one, 0, 0, 0, one, 0, 0, 0, 0x40000000)
    # A quarter to the right: x' = -y, y' = x.
    turned = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 0x40000000)
    track = data.index(b"tkhd")
    at = data.index(straight, track)
    (tmp_path / "d.mov").write_bytes(data[:at] + turned + data[at + len(turned) :])
    read = read_depth_maps(tmp_path / "d.mov").values[1] * 255
    assert read.round().tolist() == np.rot90(levels, -1).tolist()
