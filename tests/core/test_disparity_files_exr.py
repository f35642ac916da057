"""OpenEXR depth: float and half, the channel names of several programs, and what cannot be read."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bokeh_core.disparity_files import read_depth_maps

DEPTH = (np.random.default_rng(1).random((5, 7)) * 40 + 0.5).astype(np.float32)
FLOAT, HALF, WHOLE = 2, 1, 0


def attribute(name: str, kind: str, data: bytes) -> bytes:
    return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(data)) + data


def write_exr(path: Path, channels: dict[str, np.ndarray], pixel_type: int = FLOAT) -> None:
    """Write uncompressed scan lines, after the layout of the OpenEXR file format."""
    names = sorted(channels)
    height, width = channels[names[0]].shape
    dtype = {FLOAT: np.float32, HALF: np.float16, WHOLE: np.uint32}[pixel_type]
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iBBBBii", pixel_type, 0, 0, 0, 0, 1, 1) for name in names
    )
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    header = struct.pack("<ii", 20000630, 2)
    header += attribute("channels", "chlist", listed + b"\0")
    header += attribute("compression", "compression", b"\0")
    header += attribute("dataWindow", "box2i", window) + attribute("displayWindow", "box2i", window)
    header += attribute("lineOrder", "lineOrder", b"\0")
    header += attribute("pixelAspectRatio", "float", struct.pack("<f", 1))
    header += attribute("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0))
    header += attribute("screenWindowWidth", "float", struct.pack("<f", 1)) + b"\0"
    lines = []
    for y in range(height):
        pixels = b"".join(channels[name][y].astype(dtype).tobytes() for name in names)
        lines.append(struct.pack("<ii", y, len(pixels)) + pixels)
    start = len(header) + 8 * height
    offsets = [start + sum(map(len, lines[:y])) for y in range(height)]
    path.write_bytes(header + struct.pack(f"<{height}q", *offsets) + b"".join(lines))


def write_zip_exr(path: Path, values: np.ndarray, pixel_type: str) -> None:
    """Write ZIP-compressed grey with FFmpeg's encoder."""
    encoder = av.CodecContext.create("exr", "w")
    encoder.width, encoder.height = values.shape[1], values.shape[0]
    encoder.pix_fmt = "grayf32le"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"compression": "zip16", "format": pixel_type}
    frame = av.VideoFrame(values.shape[1], values.shape[0], "grayf32le")
    plane = frame.planes[0]
    rows = np.zeros((plane.height, plane.line_size // 4), np.float32)
    rows[:, : values.shape[1]] = values
    plane.update(rows.tobytes())
    path.write_bytes(b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)]))


def read(path: Path) -> np.ndarray:
    return read_depth_maps(path).values[0].numpy()


def test_float_is_read_exactly(tmp_path: Path):
    write_exr(tmp_path / "d.exr", {"Z": DEPTH})
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), DEPTH)


def test_half_is_read_exactly(tmp_path: Path):
    write_exr(tmp_path / "d.exr", {"Z": DEPTH}, HALF)
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), DEPTH.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize(("pixel_type", "dtype"), [("float", np.float32), ("half", np.float16)])
def test_compressed_pictures_are_read(tmp_path: Path, pixel_type: str, dtype: type):
    values = DEPTH.astype(dtype).astype(np.float32)
    write_zip_exr(tmp_path / "d.exr", values, pixel_type)
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), values)


@pytest.mark.parametrize(
    "name", ["Y", "R", "Z", "V", "depth", "depth.Z", "ViewLayer.Depth.Z", "custom", "ab"]
)
def test_one_channel_may_have_any_name(tmp_path: Path, name: str):
    write_exr(tmp_path / "d.exr", {name: DEPTH, "A": np.ones_like(DEPTH)})
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), DEPTH)


@pytest.mark.parametrize(
    ("depth_name", "others"),
    [
        ("Z", ["R", "G", "B", "A"]),
        ("ViewLayer.Depth.Z", ["ViewLayer.Normal.X", "ViewLayer.Normal.Y", "ViewLayer.Normal.Z"]),
        ("ViewLayer.Depth.V", ["ViewLayer.Combined.R", "ViewLayer.Combined.G", "ViewLayer.Combined.B"]),
        ("disparity", ["R", "G", "B", "Z"]),
    ],
)
def test_depth_is_found_among_other_channels(tmp_path: Path, depth_name: str, others: list[str]):
    noise = {name: DEPTH * (3 + i) for i, name in enumerate(others)}
    write_exr(tmp_path / "d.exr", {depth_name: DEPTH, **noise})
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), DEPTH)


def test_depth_repeated_in_red_green_blue_is_read(tmp_path: Path):
    write_exr(tmp_path / "d.exr", {"R": DEPTH, "G": DEPTH, "B": DEPTH})
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), DEPTH)


def test_a_folder_of_pictures_is_a_clip(tmp_path: Path):
    for t in range(3):
        write_exr(tmp_path / f"d.{t:04}.exr", {"Z": DEPTH + t})
    maps = read_depth_maps(tmp_path)
    np.testing.assert_array_equal(maps.values.numpy(), np.stack([DEPTH, DEPTH + 1, DEPTH + 2]))
    assert "3 frames of 7 x 5 px, float32" in maps.description


def test_infinity_survives_to_be_reported(tmp_path: Path):
    sky = DEPTH.copy()
    sky[0, 0] = np.inf
    write_exr(tmp_path / "d.exr", {"Z": sky})
    assert read(tmp_path / "d.exr")[0, 0] == np.inf


def test_a_rendered_picture_is_refused(tmp_path: Path):
    write_exr(tmp_path / "beauty.exr", {"R": DEPTH, "G": DEPTH * 2, "B": DEPTH * 3})
    with pytest.raises(ValueError, match=r"beauty\.exr is coloured"):
        read(tmp_path / "beauty.exr")


def test_several_candidates_are_an_error_that_lists_them(tmp_path: Path):
    write_exr(tmp_path / "d.exr", {"normal.X": DEPTH, "normal.Y": DEPTH, "uv.Y": DEPTH})
    with pytest.raises(
        ValueError, match=r"has the channels normal\.X, normal\.Y, uv\.Y, and none alone is named"
    ):
        read(tmp_path / "d.exr")


def test_whole_numbers_are_refused(tmp_path: Path):
    write_exr(tmp_path / "d.exr", {"Z": DEPTH}, WHOLE)
    with pytest.raises(ValueError, match=r"channel Z holds whole numbers; write half or float"):
        read(tmp_path / "d.exr")


def test_another_format_is_named(tmp_path: Path):
    (tmp_path / "d.exr").write_bytes(b"GIF89a and so on")
    with pytest.raises(ValueError, match=r"d\.exr is not an OpenEXR picture"):
        read(tmp_path / "d.exr")


@pytest.mark.parametrize("kept", [6, 20, 60])
def test_a_damaged_header_is_named(tmp_path: Path, kept: int):
    write_exr(tmp_path / "d.exr", {"Z": DEPTH})
    (tmp_path / "d.exr").write_bytes((tmp_path / "d.exr").read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"d\.exr (has a damaged OpenEXR header|cannot be decoded)"):
        read(tmp_path / "d.exr")
