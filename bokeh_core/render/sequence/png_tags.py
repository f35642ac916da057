"""What a PNG says of its colours: the chunk cICP, codes of ITU-T H.273."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from ...video_io.colour import FULL, RGB, Colour

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NAME = b"cICP"
# The signature, and the chunk with the size, which comes first.
_AFTER_SIZE = 33
_MOST_CHUNKS = 256


def colour_of_png(file: Path) -> Colour | None:
    """The colours that a PNG states; None where it states none."""
    with file.open("rb") as stream:
        if stream.read(8) != _SIGNATURE:
            return None
        for _ in range(_MOST_CHUNKS):
            head = stream.read(8)
            if len(head) < 8 or head[4:] == b"IDAT":
                return None
            (length,) = struct.unpack(">I", head[:4])
            if head[4:] == _NAME and length == 4:
                primaries, transfer, _, _ = stream.read(4)
                return Colour(RGB, FULL, primaries, transfer)
            stream.seek(length + 4, 1)
    return None


def with_colour(png: bytes, colour: Colour) -> bytes:
    """The same PNG, which states its primaries and transfer."""
    content = _NAME + bytes([colour.primaries, colour.transfer, RGB, 1])
    chunk = struct.pack(">I", 4) + content + struct.pack(">I", zlib.crc32(content))
    return png[:_AFTER_SIZE] + chunk + png[_AFTER_SIZE:]
