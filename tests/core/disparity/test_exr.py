"""OpenEXR depth: float and half, the channel names of several programs, and what cannot be read."""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import OpenEXR
import pytest

from bokeh_core.disparity.files import read_depth_maps

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


# Columns and rows over which one tile, and one group of rows of every compression, do not suffice.
LARGE = (1 + 9 * np.random.default_rng(2).random((70, 133))).astype(np.float32)
SCAN, TILED = OpenEXR.scanlineimage, OpenEXR.tiledimage
ZIP = OpenEXR.ZIP_COMPRESSION


def corners(left: int, top: int, right: int, bottom: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array([left, top], np.int32), np.array([right, bottom], np.int32)


def write_with_openexr(path: Path, channels: dict[str, np.ndarray], **header: Any) -> None:
    """Write with the library that defines the format."""
    header = {"compression": ZIP, "type": SCAN, **header}
    with OpenEXR.File(
        header, {name: np.ascontiguousarray(values) for name, values in channels.items()}
    ) as file:
        file.write(str(path))


def tiles(mode: object, side: int = 32) -> object:
    description = OpenEXR.TileDescription()
    description.mode, description.xSize, description.ySize = mode, side, side
    return description


@pytest.mark.parametrize("compression", ["NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A"])
@pytest.mark.parametrize("kind", [SCAN, TILED])
def test_every_compression_but_dwa_is_read(tmp_path: Path, compression: str, kind: object):
    others: dict[str, Any] = {"A": LARGE.astype(np.float16)}
    others |= {} if compression == "PXR24" else {"id": LARGE.astype(np.uint32)}
    header: dict[str, Any] = {"tiles": tiles(OpenEXR.ONE_LEVEL)} if kind == TILED else {}
    header |= {"type": kind, "compression": getattr(OpenEXR, f"{compression}_COMPRESSION")}
    write_with_openexr(tmp_path / "d.exr", {"depth.Z": LARGE, **others}, **header)
    # PXR24 keeps 24 of the 32 bits; B44 leaves floats alone.
    np.testing.assert_allclose(read(tmp_path / "d.exr"), LARGE, rtol=2**-15 if compression == "PXR24" else 0)


@pytest.mark.parametrize("compression", ["DWAA", "DWAB", "HTJ2K32"])
def test_compressions_that_are_not_decoded_rightly_are_refused(tmp_path: Path, compression: str):
    code = getattr(OpenEXR, f"{compression}_COMPRESSION", None)
    if code is None:
        return
    write_with_openexr(tmp_path / "d.exr", {"Z": LARGE}, compression=code)
    with pytest.raises(ValueError, match=r"channel Z has the compression .* save it with ZIP compression"):
        read(tmp_path / "d.exr")


@pytest.mark.parametrize("kind", [SCAN, TILED])
def test_pxr24_beside_whole_numbers_is_refused(tmp_path: Path, kind: object):
    header: dict[str, Any] = {"tiles": tiles(OpenEXR.ONE_LEVEL)} if kind == TILED else {}
    header |= {"type": kind, "compression": OpenEXR.PXR24_COMPRESSION}
    write_with_openexr(tmp_path / "d.exr", {"Z": LARGE, "id": LARGE.astype(np.uint32)}, **header)
    with pytest.raises(ValueError, match=r"beside a channel of whole numbers with PXR24 .* save it with ZIP"):
        read(tmp_path / "d.exr")


@pytest.mark.parametrize("mode", [OpenEXR.MIPMAP_LEVELS, OpenEXR.RIPMAP_LEVELS])
def test_the_full_level_of_tiles_is_read(tmp_path: Path, mode: object):
    write_with_openexr(tmp_path / "d.exr", {"Z": LARGE}, type=TILED, tiles=tiles(mode, 16))
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), LARGE)


@pytest.mark.parametrize("order", ["rgb depth other", "depth other rgb", "other rgb depth"])
@pytest.mark.parametrize("kind", [SCAN, TILED])
def test_the_depth_of_several_parts_is_found(tmp_path: Path, order: str, kind: object):
    header = {"type": kind, "compression": OpenEXR.PIZ_COMPRESSION}
    header |= {"tiles": tiles(OpenEXR.ONE_LEVEL)} if kind == TILED else {}
    picture = {"type": SCAN, "compression": ZIP}
    parts = {
        "rgb": OpenEXR.Part(dict(picture), {"R": LARGE * 2, "G": LARGE * 3, "B": LARGE * 4}, "rgb"),
        "depth": OpenEXR.Part(header, {"V": LARGE}, "ViewLayer.Depth"),
        "other": OpenEXR.Part(dict(picture), {"mist": LARGE * 5}, "other"),
    }
    OpenEXR.File([parts[name] for name in order.split()]).write(str(tmp_path / "d.exr"))
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), LARGE)


def test_parts_without_depth_are_listed(tmp_path: Path):
    parts = [
        OpenEXR.Part({"type": SCAN, "compression": ZIP}, {"R": LARGE, "G": LARGE, "B": LARGE}, name)
        for name in ("left", "right")
    ]
    OpenEXR.File(parts).write(str(tmp_path / "d.exr"))
    with pytest.raises(ValueError, match=r"the channels left\.B, left\.G, left\.R, right\.B.* none alone is"):
        read(tmp_path / "d.exr")


@pytest.mark.parametrize("layer", ["", "normal."])
def test_coordinates_are_no_depth(tmp_path: Path, layer: str):
    write_exr(tmp_path / "d.exr", {f"{layer}{axis}": DEPTH for axis in "XYZ"} | {"u": DEPTH})
    with pytest.raises(ValueError, match="none alone is named depth or Z"):
        read(tmp_path / "d.exr")


def test_luminance_is_no_depth(tmp_path: Path):
    write_exr(tmp_path / "d.exr", {"Y": DEPTH, "RY": DEPTH, "BY": DEPTH})
    with pytest.raises(ValueError, match="none alone is named depth or Z"):
        read(tmp_path / "d.exr")


@pytest.mark.parametrize("name", ["Tiefenschärfe.Z", "\u6df1\u5ea6.Z", "é"])
def test_names_in_any_script_are_read(tmp_path: Path, name: str):
    write_exr(tmp_path / "d.exr", {name: DEPTH, "R": DEPTH * 2} if "." in name else {name: DEPTH})
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), DEPTH)


@pytest.mark.parametrize("name", ["B" * 40 + ".Z", "depth." + "C" * 200])
def test_long_names_are_read(tmp_path: Path, name: str):
    write_with_openexr(tmp_path / "d.exr", {name: LARGE, "R": LARGE * 2})
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), LARGE)


def test_a_data_window_inside_the_picture_is_put_in_its_place(tmp_path: Path):
    windows = {"dataWindow": corners(8, 6, 55, 29), "displayWindow": corners(0, 0, 132, 69)}
    write_with_openexr(tmp_path / "d.exr", {"Z": LARGE[6:30, 8:56]}, **windows)
    expected = np.zeros_like(LARGE)
    expected[6:30, 8:56] = LARGE[6:30, 8:56]
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), expected)


def test_a_data_window_beyond_the_picture_is_cropped(tmp_path: Path):
    windows = {"dataWindow": corners(-10, -5, 122, 64), "displayWindow": corners(0, 0, 112, 59)}
    write_with_openexr(tmp_path / "d.exr", {"Z": LARGE}, **windows)
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), LARGE[5:65, 10:123])


def test_a_display_window_may_begin_elsewhere(tmp_path: Path):
    windows = {"dataWindow": corners(100, 50, 232, 119), "displayWindow": corners(100, 50, 232, 119)}
    write_with_openexr(tmp_path / "d.exr", {"Z": LARGE}, **windows)
    np.testing.assert_array_equal(read(tmp_path / "d.exr"), LARGE)
    windows = {"dataWindow": corners(-9, 0, 123, 69), "displayWindow": corners(-9, 0, 123, 69)}
    write_with_openexr(tmp_path / "d.exr", {"Z": LARGE}, **windows)
    with pytest.raises(
        ValueError, match="the display window begins at -9, 0; write it with one that begins at 0, 0"
    ):
        read(tmp_path / "d.exr")


@pytest.mark.parametrize("size", [0, -1, -17, 2**31 - 1])
def test_a_header_without_end_is_refused(tmp_path: Path, size: int):
    attribute_ = b"a\0b\0" + struct.pack("<i", size)
    (tmp_path / "d.exr").write_bytes(b"\x76\x2f\x31\x01" + struct.pack("<i", 2) + attribute_ * 8)
    with pytest.raises(ValueError, match="has a damaged OpenEXR header"):
        read(tmp_path / "d.exr")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
def test_a_picture_that_was_not_finished_is_refused(tmp_path: Path, share: float):
    write_with_openexr(tmp_path / "d.exr", {"Z": LARGE})
    data = (tmp_path / "d.exr").read_bytes()
    (tmp_path / "d.exr").write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=r"d\.exr is (cut off|damaged)"):
        read(tmp_path / "d.exr")


def test_a_damaged_piece_is_refused(tmp_path: Path):
    write_with_openexr(tmp_path / "d.exr", {"Z": LARGE.round()})
    data = bytearray((tmp_path / "d.exr").read_bytes())
    data[len(data) * 2 // 3] ^= 255
    (tmp_path / "d.exr").write_bytes(data)
    with pytest.raises(ValueError, match=r"d\.exr is damaged"):
        read(tmp_path / "d.exr")


def test_deep_pictures_are_refused(tmp_path: Path):
    write_exr(tmp_path / "d.exr", {"Z": DEPTH})
    data = bytearray((tmp_path / "d.exr").read_bytes())
    struct.pack_into("<i", data, 4, 2 | 0x800)
    (tmp_path / "d.exr").write_bytes(data)
    with pytest.raises(ValueError, match=r"channel Z is deep .* flatten it to one depth a pixel"):
        read(tmp_path / "d.exr")


def test_a_window_of_too_many_pixels_is_refused(tmp_path: Path):
    write_exr(tmp_path / "d.exr", {"Z": DEPTH})
    data = (
        (tmp_path / "d.exr")
        .read_bytes()
        .replace(struct.pack("<4i", 0, 0, 6, 4), struct.pack("<4i", 0, 0, 2**30, 4))
    )
    (tmp_path / "d.exr").write_bytes(data)
    with pytest.raises(
        ValueError, match="1073741825 x 5 px by its header; a depth map may have 134217728 pixels"
    ):
        read(tmp_path / "d.exr")
