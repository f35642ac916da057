"""Files that hold several maps: animated pictures and pages, read one by one or refused."""

import struct
from pathlib import Path
from typing import Any, Literal

import av
import cv2
import numpy as np
import pytest

from bokeh_core.disparity.files import open_depth_maps, read_depth_maps
from bokeh_core.disparity.map_size import MAX_MAP_PIXELS

# Levels that differ in every picture, with a part that stays, which encoders then leave out.
MAPS = np.stack([np.tile(np.linspace(0, 255 - 40 * t, 24), (18, 1)).astype(np.uint8) for t in range(4)])
MAPS[:, 4:10, 4:12] = 200


def chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def write_webp(path: Path) -> None:
    """An animated WebP from single ones, after the layout of the container."""
    frames = b""
    for levels in MAPS:
        done, single = cv2.imencode(".webp", np.stack([levels] * 3, -1), [cv2.IMWRITE_WEBP_QUALITY, 101])
        assert done
        # x, y, width - 1, height - 1 and duration take three bytes each; the last byte: no blending.
        place = (
            bytes(6)
            + (23).to_bytes(3, "little")
            + (17).to_bytes(3, "little")
            + (40).to_bytes(3, "little")
            + b"\2"
        )
        frames += chunk(b"ANMF", place + bytes(single)[12:])
    canvas = b"\2\0\0\0" + (23).to_bytes(3, "little") + (17).to_bytes(3, "little")
    body = b"WEBP" + chunk(b"VP8X", canvas) + chunk(b"ANIM", bytes(6)) + frames
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def write_animation(path: Path, codec: str, pixel_format: str) -> None:
    with av.open(str(path), "w", format=codec) as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 24, 18, pixel_format
        for levels in MAPS:
            frame = av.VideoFrame.from_ndarray(levels, format="gray")
            container.mux(stream.encode(frame.reformat(format=pixel_format)))
        container.mux(stream.encode(None))


def write_tiff(
    path: Path, pages: list[np.ndarray], order: Literal["<", ">"] = "<", subfile: tuple[int, ...] = ()
) -> None:
    """Uncompressed pages, after the layout of the format."""
    data, link = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4)), 4
    for page, kind in zip(pages, subfile or (0,) * len(pages), strict=True):
        height, width = page.shape
        pixels, form = len(data), {"u": 1, "f": 3}[page.dtype.kind]
        data += page.astype(page.dtype.newbyteorder(order)).tobytes()
        struct.pack_into(f"{order}I", data, link, len(data))
        tags = {
            254: kind,
            256: width,
            257: height,
            258: 8 * page.itemsize,
            259: 1,
            262: 1,
            273: pixels,
            277: 1,
        }
        tags |= {278: height, 279: page.nbytes, 339: form}
        data += struct.pack(f"{order}H", len(tags))
        data += b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags.items())
        link = len(data)
        data += bytes(4)
    path.write_bytes(data)


def read_all(path: Path) -> np.ndarray:
    return read_depth_maps(path).values.numpy() * 255


def test_an_animated_webp_is_read_whole_or_refused(tmp_path: Path):
    write_webp(tmp_path / "d.webp")
    # OpenCV reads animated WebP from 4.11 on.
    if tuple(map(int, cv2.__version__.split(".")[:2])) >= (4, 11):
        np.testing.assert_allclose(read_all(tmp_path / "d.webp"), MAPS, atol=1e-4)
    else:
        with pytest.raises(ValueError, match=r"has 4 pictures, and OpenCV .* save the maps as a video"):
            read_all(tmp_path / "d.webp")


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [("d.png", "apng", "gray"), ("d.png", "apng", "gray16be"), ("d.gif", "gif", "gray")],
)
def test_an_animated_png_or_gif_is_read_whole(tmp_path: Path, name: str, codec: str, pixel_format: str):
    write_animation(tmp_path / name, codec, pixel_format)
    np.testing.assert_allclose(read_all(tmp_path / name), MAPS, atol=1e-4)


def test_a_gif_that_is_cut_off_is_refused(tmp_path: Path):
    write_animation(tmp_path / "d.gif", "gif", "gray")
    whole = (tmp_path / "d.gif").read_bytes()
    (tmp_path / "d.gif").write_bytes(whole[:-20])
    with pytest.raises(ValueError, match=r"d\.gif is cut off or damaged at its end: \d frames? can be read"):
        read_depth_maps(tmp_path / "d.gif")
    # Some programs leave out the last byte, which only says that there is no more.
    (tmp_path / "d.gif").write_bytes(whole[:-1])
    np.testing.assert_allclose(read_all(tmp_path / "d.gif"), MAPS, atol=1e-4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "unit"), [(np.uint8, 1 / 255), (np.uint16, 257 / 65535), (np.float32, 0.5)])
def test_every_page_of_a_tiff_is_read(tmp_path: Path, order: Literal["<", ">"], kind: Any, unit: float):
    factor = {np.uint8: 1, np.uint16: 257, np.float32: 0.5}[kind]
    write_tiff(tmp_path / "d.tif", [(page * np.float64(factor)).astype(kind) for page in MAPS], order)
    np.testing.assert_allclose(read_depth_maps(tmp_path / "d.tif").values, MAPS * unit, atol=1e-6)


def test_thumbnails_and_masks_of_a_tiff_are_left_out(tmp_path: Path):
    write_tiff(tmp_path / "d.tif", [MAPS[0], MAPS[1, ::2, ::2], MAPS[2], MAPS[3]], subfile=(0, 1, 2, 4))
    np.testing.assert_allclose(read_all(tmp_path / "d.tif"), MAPS[[0, 2]], atol=1e-4)


def test_pages_of_several_sizes_are_an_error(tmp_path: Path):
    write_tiff(tmp_path / "d.tif", [MAPS[0], MAPS[1, ::2]])
    with pytest.raises(ValueError, match=r"d\.tif: page 1 is 24 x 9 px but the first is 24 x 18 px"):
        read_all(tmp_path / "d.tif")


@pytest.mark.parametrize("name", ["d.tif", "d.png", "d.gif", "d.webp"])
def test_reading_begins_where_it_is_wanted(tmp_path: Path, name: str):
    if name == "d.tif":
        write_tiff(tmp_path / name, list(MAPS))
    elif name == "d.webp":
        write_webp(tmp_path / name)
        if tuple(map(int, cv2.__version__.split(".")[:2])) < (4, 11):
            return
    else:
        write_animation(tmp_path / name, {"d.png": "apng", "d.gif": "gif"}[name], "gray")
    frames = list(open_depth_maps(tmp_path / name).frames(2))
    np.testing.assert_allclose(np.stack([frame.numpy() * 255 for frame in frames]), MAPS[2:], atol=1e-4)


def test_cancel_takes_effect_between_pages(tmp_path: Path):
    write_tiff(tmp_path / "d.tif", list(MAPS))

    class Cancelled(Exception):
        pass

    def cancel() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        read_depth_maps(tmp_path / "d.tif", check=cancel)


def test_an_animation_in_a_folder_is_an_error(tmp_path: Path):
    write_tiff(tmp_path / "0.tif", list(MAPS))
    with pytest.raises(ValueError, match=r"0\.tif holds several frames; in a folder each file must hold one"):
        read_all(tmp_path)


def test_pages_that_go_in_circles_are_an_error(tmp_path: Path):
    write_tiff(tmp_path / "d.tif", [MAPS[0]])
    data = bytearray((tmp_path / "d.tif").read_bytes())
    data[-4:] = data[4:8]
    (tmp_path / "d.tif").write_bytes(data)
    with pytest.raises(ValueError, match=r"d\.tif cannot be read as a picture; it is damaged"):
        read_all(tmp_path / "d.tif")


def oversized(name: str) -> bytes:
    side = 65535
    if name.endswith(".png"):
        _, data = cv2.imencode(".png", MAPS[0])
        return bytes(data[:16]) + struct.pack(">II", side, side) + bytes(data[24:])
    if name.endswith(".bmp"):
        _, data = cv2.imencode(".bmp", MAPS[0])
        return bytes(data[:18]) + struct.pack("<ii", side, -side) + bytes(data[26:])
    if name.endswith(".jpg"):
        return bytes(cv2.imencode(".jpg", MAPS[0])[1]).replace(
            struct.pack(">HH", 18, 24), struct.pack(">HH", side, side)
        )
    if name.endswith(".webp"):
        canvas = bytes(4) + b"\xff\xff\xff\xff\xff\xff"
        return b"RIFF" + struct.pack("<I", 22) + b"WEBP" + chunk(b"VP8X", canvas)
    if name.endswith(".pfm"):
        return b"Pf\n65535 65535\n-1.0\n" + bytes(100)
    raise KeyError(name)


@pytest.mark.parametrize("name", ["d.png", "d.bmp", "d.jpg", "d.webp", "d.pfm"])
def test_the_size_is_checked_before_anything_is_decoded(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(oversized(name))
    with pytest.raises(ValueError, match=rf"px by its header; a depth map may have {MAX_MAP_PIXELS} pixels"):
        read_all(tmp_path / name)


def test_the_size_of_a_page_is_checked_before_it_is_decoded(tmp_path: Path):
    write_tiff(tmp_path / "d.tif", [MAPS[0]])
    data = (tmp_path / "d.tif").read_bytes()
    for tag, value in ((256, 24), (257, 18)):
        data = data.replace(struct.pack("<HHII", tag, 4, 1, value), struct.pack("<HHII", tag, 4, 1, 65535))
    (tmp_path / "d.tif").write_bytes(data)
    with pytest.raises(ValueError, match="65535 x 65535 px by its header"):
        read_all(tmp_path / "d.tif")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tif"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, suffix: str, share: float):
    data = bytes(
        cv2.imencode(suffix, np.random.default_rng(0).integers(0, 255, (40, 50)).astype(np.uint8))[1]
    )
    (tmp_path / f"d{suffix}").write_bytes(data[: int(share * len(data))])
    with pytest.raises(
        ValueError, match=rf"d\{suffix} cannot be read as a picture; it is (damaged or )?cut off"
    ):
        read_all(tmp_path / f"d{suffix}")


def test_pages_of_different_numbers_are_refused(tmp_path: Path):
    write_tiff(tmp_path / "d.tif", [MAPS[0].astype(np.float32), MAPS[1]])
    with pytest.raises(ValueError, match=r"d\.tif, page 1, holds 8-bit levels but .* holds float32 values"):
        read_depth_maps(tmp_path / "d.tif")


def test_a_folder_of_different_numbers_is_refused(tmp_path: Path):
    np.save(tmp_path / "d1.npy", np.full((2, 3), 200.0))
    np.save(tmp_path / "d2.npy", np.full((2, 3), 200, np.uint8))
    with pytest.raises(ValueError, match=r"d2\.npy holds 8-bit levels but d1\.npy holds float64 values"):
        read_depth_maps(tmp_path)


def test_8_and_16_bit_levels_have_one_scale(tmp_path: Path):
    # 51 / 255 = 13107 / 65535.
    np.save(tmp_path / "d1.npy", np.full((2, 3), 51, np.uint8))
    np.save(tmp_path / "d2.npy", np.full((2, 3), 13107, np.uint16))
    assert read_depth_maps(tmp_path).values.unique().tolist() == pytest.approx([0.2])


def test_pages_that_share_their_pixels_are_refused(tmp_path: Path):
    # 300 pages of 1000 x 1000 bytes, which all point at the same 1000: 300 MB of 30 kB.
    tags = {256: 1000, 257: 1000, 258: 8, 259: 32946, 262: 1, 273: 8, 277: 1, 278: 1000, 279: 1000}
    data = bytearray(b"II*\0" + bytes(4) + bytes(1000))
    link = 4
    for _ in range(300):
        struct.pack_into("<I", data, link, len(data))
        data += struct.pack("<H", len(tags))
        data += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
        link = len(data)
        data += bytes(4)
    (tmp_path / "d.tif").write_bytes(data)
    with pytest.raises(ValueError, match=r"d\.tif unpacks \d+ bytes to 300000000, which no depth does"):
        read_depth_maps(tmp_path / "d.tif")
