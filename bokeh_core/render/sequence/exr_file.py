"""Write an OpenEXR picture: scan lines of half or float, ZIP compression, one part."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_MAGIC, _VERSION = 20000630, 2
_HALF, _FLOAT = 1, 2
_ZIP, _ROWS = 3, 16
# Fast: better levels save a few per cent.
_LEVEL = 4
LARGEST_HALF = 65504.0


def exr_bytes(
    pixels: NDArray[np.float32],
    *,
    half: bool,
    frame_rate: Fraction,
    pixel_aspect: float = 1.0,
    chromaticities: tuple[float, ...] = (),
) -> bytes:
    """The file of a picture.

    Args:
        pixels: [H, W, 3 or 4] linear light, premultiplied with alpha.
        half: half floats, which end at 65504; else float.
        frame_rate: frames a second.
        pixel_aspect: width over height of a pixel.
        chromaticities: x, y of red, green, blue and white; empty says nothing.
    """
    height, width, count = pixels.shape
    names = "BGR" if count == 3 else "ABGR"
    stored = np.clip(pixels, -LARGEST_HALF, LARGEST_HALF).astype("<f2") if half else pixels.astype("<f4")
    # Channels in the order of their names, row by row.
    planes = np.ascontiguousarray(np.moveaxis(stored[..., ["RGBA".index(name) for name in names]], -1, 1))
    header = _header(width, height, names, half, frame_rate, pixel_aspect, chromaticities)
    chunks = [_chunk(y, planes[y : y + _ROWS].tobytes()) for y in range(0, height, _ROWS)]
    table, position = [], len(header) + 8 * len(chunks)
    for chunk in chunks:
        table.append(position)
        position += len(chunk)
    return b"".join([header, struct.pack(f"<{len(table)}Q", *table), *chunks])


def _chunk(y: int, rows: bytes) -> bytes:
    packed = zlib.compress(_predicted(rows), _LEVEL)
    # What would not get smaller is stored as it is.
    content = packed if len(packed) < len(rows) else rows
    return struct.pack("<2i", y, len(content)) + content


def _predicted(rows: bytes) -> bytes:
    """Bytes at even places, then those at odd ones; each as its difference from the one before."""
    given = np.frombuffer(rows, np.uint8)
    parted = np.concatenate([given[::2], given[1::2]])
    # Bytes wrap around, as the format wants it.
    parted[1:] = parted[1:] - parted[:-1] + np.uint8(128)
    return parted.tobytes()


def _header(
    width: int,
    height: int,
    names: str,
    half: bool,
    frame_rate: Fraction,
    pixel_aspect: float,
    chromaticities: tuple[float, ...],
) -> bytes:
    kind = _HALF if half else _FLOAT
    channels = b"".join(name.encode() + b"\0" + struct.pack("<iB3x2i", kind, 0, 1, 1) for name in names)
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    rate = frame_rate.limit_denominator(1001)
    attributes = [
        ("channels", "chlist", channels + b"\0"),
        ("compression", "compression", bytes([_ZIP])),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("framesPerSecond", "rational", struct.pack("<iI", rate.numerator, rate.denominator)),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", pixel_aspect)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
    ]
    if chromaticities:
        attributes.append(("chromaticities", "chromaticities", struct.pack("<8f", *chromaticities)))
    written = b"".join(
        name.encode() + b"\0" + type_name.encode() + b"\0" + struct.pack("<i", len(value)) + value
        for name, type_name, value in attributes
    )
    return struct.pack("<2I", _MAGIC, _VERSION) + written + b"\0"
