"""Depth files of every type, damaged: bits, lengths, fields of headers, pieces of other files.

A damaged file is read as a user's would be. What is allowed: maps, or a ValueError that our own code raises.
"""

from __future__ import annotations

import io
import random
import re
import struct
import tempfile
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import OpenEXR
import torch

import bokeh_core
from bokeh_core.disparity.files import open_depth_maps, state_of_files
from bokeh_core.disparity.prepare import prepare_disparity

NAME = "depth files"

_OURS = Path(bokeh_core.__file__).parent
_MOST_MAPS = 40
_SMALL_PIXELS = 10**6
_HEADER_BYTES = 400
_EXTREMES = (0, 1, 2, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
_NPY_SHAPES = (
    "(2, 3, 4) (99999999, 99999999) (-1, 4, 5) (0, 3, 4) () (4,) (2, 3, 4, 5) (True, 3, 4) (1.5, 3) "
    "(3, 4, 1) (2, 3, 4 2 None ((3, 4), 5) {} True False"
)
_NPY_TYPES = "<f8 >u2 |O |V8 <U3 <M8[s] <c16 |b1 <f2 <i8 <f16 f i4,f8 x"
_NPY_TEXTS = (
    *re.findall(r"\([^ ]*(?: [^ (]+)*\)|\S+", _NPY_SHAPES),
    *(repr(name) for name in _NPY_TYPES.split()),
    *("(" * 200, "[('a', '<f4')]", "('<f4', (2,))", "\udcff", "\n", "#", "'''", "\\", "\0"),
)


@dataclass(frozen=True)
class Case:
    """A file as it is to be written: its ending and its bytes."""

    suffix: str
    data: bytes


def cases(seed: int, count: int) -> Iterator[Case]:
    """Yield damaged files; the same for the same seed."""
    random_ = random.Random(seed)
    whole = samples()
    for _ in range(count):
        case = random_.choice(whole)
        if case.suffix in (".npy", ".npz") and random_.random() < 0.5:
            case = _with_odd_array(case, random_)
            if random_.random() < 0.5:
                yield case
                continue
        data = bytearray(case.data)
        for _ in range(random_.choice((1, 1, 1, 2, 4))):
            data = random_.choice(_DAMAGES)(data, random_)
        # Now and then under the name of another type.
        suffix = random_.choice(whole).suffix if random_.random() < 0.02 else case.suffix
        yield Case(suffix, bytes(data))


def check(case: Case, folder: Path) -> str:
    """Read a file as a user's would be, and say what came of it.

    Raises:
        AssertionError: neither maps nor a ValueError of our own.
    """
    path = folder / f"depth{case.suffix}"
    path.write_bytes(case.data)
    try:
        state_of_files(path)
        maps = list(islice(open_depth_maps(path).frames(), _MOST_MAPS))
    except ValueError as error:
        return _refusal(error, case)
    except Exception as error:
        raise AssertionError(f"{_told(case)} raises {type(error).__name__}") from error
    assert maps, _told(case)
    assert all(m.dtype == torch.float32 and m.shape == maps[0].shape for m in maps), _told(case)
    if sum(m.numel() for m in maps) > _SMALL_PIXELS:
        return "read"
    for source in ("disparity", "metric depth"):
        try:
            disparity = prepare_disparity(torch.stack(maps), source).disparity
        except ValueError as error:
            _refusal(error, case)
        else:
            assert bool(((disparity >= 0) & (disparity <= 1)).all()), _told(case)
    return "read"


def run(seed: int, count: int, folder: Path) -> Counter[str]:
    """Damage and read `count` files; see `kinds.Kind`."""
    counts: Counter[str] = Counter()
    for i, case in enumerate(cases(seed, count)):
        try:
            counts[check(case, folder)] += 1
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, input {i}: {error}") from error
    return counts


def _refusal(error: ValueError, case: Case) -> str:
    """Require that the error was raised by our own code, in one short line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    told = f"{_told(case)} raises {error!r} in {last.filename}, line {last.lineno}"
    assert Path(last.filename).is_relative_to(_OURS), told
    assert type(error) is ValueError, told
    assert len(str(error)) < 1000, told
    assert "\n" not in str(error), told
    return "refused"


def _told(case: Case) -> str:
    return f"a {case.suffix} of {len(case.data)} bytes ({case.data[:40]!r})"


def _flip_bits(data: bytearray, random_: random.Random) -> bytearray:
    for _ in range(random_.choice((1, 1, 2, 8))):
        if data:
            data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
    return data


def _flip_early(data: bytearray, random_: random.Random) -> bytearray:
    if data:
        data[random_.randrange(min(len(data), _HEADER_BYTES))] = random_.randrange(256)
    return data


def _cut(data: bytearray, random_: random.Random) -> bytearray:
    return data[: random_.randrange(len(data) + 1)]


def _leave_out(data: bytearray, random_: random.Random) -> bytearray:
    start = random_.randrange(len(data) + 1)
    del data[start : start + random_.choice((1, 2, 4, 50))]
    return data


def _repeat(data: bytearray, random_: random.Random) -> bytearray:
    start, size = random_.randrange(len(data) + 1), random_.choice((1, 4, 12, 100))
    data[start:start] = data[start : start + size]
    return data


def _splice(data: bytearray, random_: random.Random) -> bytearray:
    other = random_.choice(samples()).data
    start = random_.randrange(len(data) + 1)
    piece = random_.randrange(len(other))
    data[start : start + 64] = other[piece : piece + random_.choice((8, 64, 512))]
    return data


def _extreme_field(data: bytearray, random_: random.Random) -> bytearray:
    size = random_.choice((1, 2, 4, 4, 8))
    if len(data) > size:
        start = random_.randrange(min(len(data) - size, _HEADER_BYTES))
        value = random_.choice(_EXTREMES) % 256**size
        data[start : start + size] = value.to_bytes(size, random_.choice(("little", "big")))
    return data


_DAMAGES: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (
    _flip_bits, _flip_early, _flip_early, _cut, _leave_out, _repeat, _splice, _extreme_field, _extreme_field,
)  # fmt: skip


def _with_odd_array(case: Case, random_: random.Random) -> Case:
    """An NPY or NPZ whose header's text says something odd."""
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }"
    for _ in range(random_.choice((1, 1, 2))):
        old = random_.choice(("'<f4'", "False", "(2, 3, 4)", "'shape'", "{", "}", ":"))
        text = text.replace(old, random_.choice(_NPY_TEXTS))
    encoded = text.encode("utf-8", "surrogateescape") + b"\n"
    version = random_.choice((1, 1, 2, 3, 9))
    length = struct.pack("<H" if version == 1 else "<I", len(encoded))
    array = b"\x93NUMPY" + bytes((version, 0)) + length + encoded + bytes(range(96))
    if case.suffix == ".npy":
        return Case(".npy", array)
    packed = io.BytesIO()
    packing = random_.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(packed, "w", packing) as archive:
        for key in random_.choice((("depth",), ("depth", "K"), ("a", "b"), ())):
            archive.writestr(random_.choice((f"{key}.npy", f"{key}.npy", key)), array)
    return Case(".npz", packed.getvalue())


@cache
def samples() -> tuple[Case, ...]:
    """Sound files of every type."""
    ramp = np.linspace(0, 1, 20 * 24).reshape(20, 24)
    levels, samples = (ramp * 255).astype(np.uint8), (ramp * 65535).astype(np.uint16)
    metres = (1 + 9 * ramp).astype(np.float32)
    clip = [np.roll(levels, 3 * t, 1) for t in range(4)]
    made = [
        Case(".png", _encoded(".png", levels)),
        Case(".png", _encoded(".png", samples)),
        Case(".png", _encoded(".png", np.stack([levels] * 4, -1))),
        Case(".png", _encoded(".png", levels, cv2.IMWRITE_PNG_BILEVEL, 1)),
        Case(".jpg", _encoded(".jpg", levels)),
        Case(".jpg", _encoded(".jpg", levels, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
        *(Case(".tif", _encoded(".tif", picture)) for picture in (levels, samples, metres)),
        Case(".tif", _encoded(".tif", samples, cv2.IMWRITE_TIFF_COMPRESSION, 8)),
        Case(".tif", _encoded(".tif", levels, cv2.IMWRITE_TIFF_COMPRESSION, 1)),
        Case(".tif", _tiff(clip)),
        Case(".bmp", _encoded(".bmp", levels)),
        Case(".bmp", _encoded(".bmp", np.stack([levels] * 3, -1))),
        Case(".webp", _encoded(".webp", levels)),
        Case(".webp", _encoded(".webp", levels, cv2.IMWRITE_WEBP_QUALITY, 60)),
        Case(".pfm", b"Pf\n24 20\n-1.0\n" + metres.tobytes()),
        Case(".pfm", b"PF\n24 20\n1.0\n" + np.repeat(metres[..., None], 3, 2).astype(">f4").tobytes()),
        Case(".npy", _npy(metres)),
        Case(".npy", _npy(np.stack([samples] * 3))),
        Case(".npz", _npz(np.savez, depth=np.stack([metres] * 3), K=np.eye(3))),
        Case(".npz", _npz(np.savez_compressed, disparity=metres.T)),
        Case(".png", _film("apng", "apng", "gray", clip)),
        Case(".gif", _film("gif", "gif", "gray", clip)),
        Case(".mkv", _film("matroska", "ffv1", "gray16le", [samples] * 3)),
        Case(".mp4", _film("mp4", "mpeg4", "yuv420p", clip)),
        *(Case(".exr", data) for data in _pictures_of_exr(metres)),
        *(Case(".exr", data) for data in _parts_and_tiles_of_exr(metres)),
    ]
    if hasattr(cv2, "imencodeanimation"):
        made.append(Case(".webp", _animated_webp(clip)))
    return tuple(made)


def _encoded(suffix: str, picture: np.ndarray, *settings: int) -> bytes:
    done, data = cv2.imencode(suffix, picture, list(settings))
    assert done
    return bytes(data)


def _tiff(pages: list[np.ndarray]) -> bytes:
    """Write pages of bytes, uncompressed, after the layout of the format."""
    data, link = bytearray(b"II*\0\0\0\0\0"), 4
    for page in pages:
        height, width = page.shape
        pixels = len(data)
        data += page.tobytes()
        struct.pack_into("<I", data, link, len(data))
        tags = {
            256: width,
            257: height,
            258: 8,
            259: 1,
            262: 1,
            273: pixels,
            277: 1,
            278: height,
            279: page.size,
        }
        data += struct.pack("<H", len(tags))
        data += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
        link = len(data)
        data += bytes(4)
    return bytes(data)


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npz(save: Callable[..., Any], **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def _film(container: str, codec: str, pixel_format: str, frames: list[np.ndarray]) -> bytes:
    file = io.BytesIO()
    height, width = frames[0].shape
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        for levels in frames:
            of = "gray" if levels.dtype == np.uint8 else "gray16le"
            output.mux(
                stream.encode(av.VideoFrame.from_ndarray(levels, format=of).reformat(format=pixel_format))
            )
        output.mux(stream.encode(None))
    return file.getvalue()


def _pictures_of_exr(metres: np.ndarray) -> list[bytes]:
    """ZIP of floats and of halves by FFmpeg's encoder, and run lengths."""
    made = []
    for compression, kind in (("zip16", "float"), ("zip1", "half"), ("rle", "float"), ("none", "half")):
        encoder = av.CodecContext.create("exr", "w")
        encoder.width, encoder.height = metres.shape[1], metres.shape[0]
        encoder.pix_fmt, encoder.time_base = "grayf32le", Fraction(1, 25)
        encoder.options = {"compression": compression, "format": kind}
        frame = av.VideoFrame(metres.shape[1], metres.shape[0], "grayf32le")
        plane = frame.planes[0]
        rows = np.zeros((plane.height, plane.line_size // 4), np.float32)
        rows[:, : metres.shape[1]] = metres
        plane.update(rows.tobytes())
        made.append(b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)]))
    return made


def _parts_and_tiles_of_exr(metres: np.ndarray) -> list[bytes]:
    """Tiles with and without levels of detail, several parts, and the other compressions, by OpenEXR."""
    tiles, levels = OpenEXR.TileDescription(), OpenEXR.TileDescription()
    tiles.mode, levels.mode = OpenEXR.ONE_LEVEL, OpenEXR.MIPMAP_LEVELS
    for description in (tiles, levels):
        description.xSize = description.ySize = 16
    piz, b44, pxr24 = OpenEXR.PIZ_COMPRESSION, OpenEXR.B44_COMPRESSION, OpenEXR.PXR24_COMPRESSION
    depth, half = {"depth.Z": metres}, {"R": metres.astype(np.float16), "id": metres.astype(np.uint32)}
    tiled, rows = {"type": OpenEXR.tiledimage}, {"type": OpenEXR.scanlineimage}
    wholes = [
        [OpenEXR.Part({**tiled, "compression": piz, "tiles": tiles}, depth | half, "a")],
        [OpenEXR.Part({**tiled, "compression": pxr24, "tiles": levels}, depth, "a")],
        [OpenEXR.Part({**rows, "compression": b44}, {"Z": metres.astype(np.float16)}, "a")],
        [
            OpenEXR.Part({**rows, "compression": piz}, half, "rgb"),
            OpenEXR.Part({**tiled, "compression": b44, "tiles": tiles}, depth, "depth"),
        ],
    ]
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for parts in wholes:
            path = Path(folder) / "whole.exr"
            OpenEXR.File(parts).write(str(path))
            made.append(path.read_bytes())
    return made


def _animated_webp(pictures: list[np.ndarray]) -> bytes:
    animation: Any = cv2.Animation()
    animation.frames = [cv2.cvtColor(picture, cv2.COLOR_GRAY2BGRA) for picture in pictures]
    animation.durations = [40] * len(pictures)
    # OpenCV has it from 4.11 on.
    encode: Any = vars(cv2)["imencodeanimation"]
    done, data = encode(".webp", animation)
    assert done
    return bytes(data)
