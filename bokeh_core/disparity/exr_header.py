"""The header of an OpenEXR picture: parts, channels, windows and pieces, within the bounds of the file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias

from .map_size import require_map_size

_MAGIC = b"\x76\x2f\x31\x01"
_TILED, _DEEP, _MULTI_PART = 0x200, 0x800, 0x1000
_MAX_NAME = 255
# Rows of one piece, by the number of the compression; the order is that of the format.
COMPRESSIONS = ("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB")
_ROWS_OF_PIECE = (1, 1, 1, 16, 32, 16, 32, 32, 32, 256)

Window: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True)
class Channel:
    """One channel of a part, as the header describes it.

    Attributes:
        name: in full, as "ViewLayer.Depth.Z".
        pixel_type: 0 whole numbers, 1 half, 2 float.
        subsampled: has fewer samples than pixels.
        last_letter: where in the file the last letter of the name is.
    """

    name: str
    pixel_type: int
    subsampled: bool
    last_letter: int


@dataclass(frozen=True)
class Part:
    """One picture of the file.

    Attributes:
        name: empty in files of one part.
        channels: in the order of the file.
        compression: its name, or its number where that is not known.
        data: window with pixels (x least, y least, x most, y most).
        display: window that is the picture.
        display_at: where in the file the display window is.
        numbered: the pieces name their part.
        deep: several samples a pixel.
        tiled: pieces are tiles and not groups of rows.
        piece: (columns, rows) of a piece that is not at the edge.
        header: from and to which byte its attributes go, the end mark included.
        offsets: from and to which byte its table of pieces goes.
    """

    name: str
    channels: list[Channel]
    compression: str
    data: Window
    display: Window
    display_at: int
    numbered: bool
    deep: bool
    tiled: bool
    piece: tuple[int, int]
    header: tuple[int, int]
    offsets: tuple[int, int]

    def piece_bytes(self, place: bytes) -> int | None:
        """What a piece holds when unpacked, by the numbers before it; None for levels of less detail."""
        left, top, right, bottom = self.data
        x, y = left, top
        if self.tiled:
            column, row, level_x, level_y = struct.unpack("<4i", place)
            if level_x or level_y:
                return None
            x, y = left + column * self.piece[0], top + row * self.piece[1]
        else:
            (y,) = struct.unpack("<i", place)
        columns, rows = min(self.piece[0], right - x + 1), min(self.piece[1], bottom - y + 1)
        # Half floats take two bytes, everything else four.
        return max(columns, 0) * max(rows, 0) * sum(2 if c.pixel_type == 1 else 4 for c in self.channels)


def read_parts(data: bytes | bytearray, name: str) -> list[Part]:
    """Read the header of every part.

    Args:
        data: the file.
        name: of it, for messages.

    Raises:
        ValueError: another format, a damaged header, pieces that are missing, or windows that are too large.
    """
    if data[:4] != _MAGIC:
        raise ValueError(f"{name} is not an OpenEXR picture; write it again from the source.")
    try:
        return _parts(data, name)
    except (IndexError, struct.error, _Damaged) as error:
        raise ValueError(f"{name} has a damaged OpenEXR header; write it again from the source.") from error


class _Damaged(Exception):
    """The header does not follow the format."""


def _parts(data: bytes | bytearray, name: str) -> list[Part]:
    (version,) = struct.unpack_from("<I", data, 4)
    multi_part = bool(version & _MULTI_PART)
    headers: list[tuple[int, int, dict[bytes, tuple[int, int]]]] = []
    position = 8
    while not multi_part or data[position]:
        start = position
        attributes, position = _attributes(data, position)
        headers.append((start, position, attributes))
        if not multi_part:
            break
    if not headers:
        raise _Damaged
    position += multi_part
    parts = []
    for start, end, attributes in headers:
        part, pieces, stored = _part(data, version, start, end, attributes, name)
        table = (position, position + 8 * stored)
        if not part.deep:
            _require_pieces(data, table, pieces, name)
        parts.append(Part(**{**vars(part), "offsets": table}))
        position = table[1]
    return parts


def _attributes(data: bytes | bytearray, position: int) -> tuple[dict[bytes, tuple[int, int]], int]:
    """Where the values of a header's attributes are, by their names, and where the header ends."""
    found: dict[bytes, tuple[int, int]] = {}
    while data[position]:
        attribute, position = _text(data, position)
        _, position = _text(data, position)
        (size,) = struct.unpack_from("<i", data, position)
        start = position + 4
        if size < 0 or start + size > len(data):
            raise _Damaged
        found[attribute] = (start, size)
        position = start + size
    return found, position + 1


def _text(data: bytes | bytearray, position: int) -> tuple[bytes, int]:
    end = data.find(0, position, position + _MAX_NAME + 1)
    if end <= position:
        raise _Damaged
    return bytes(data[position:end]), end + 1


def _part(
    data: bytes | bytearray,
    version: int,
    start: int,
    end: int,
    attributes: dict[bytes, tuple[int, int]],
    name: str,
) -> tuple[Part, int, int]:
    """A part whose table is not yet known, how many pieces its picture has, and how many the table lists."""

    def value(attribute: bytes, size: int) -> int:
        at, found = attributes.get(attribute, (0, 0))
        if found < size:
            raise _Damaged
        return at

    code = data[value(b"compression", 1)]
    compression = COMPRESSIONS[code] if code < len(COMPRESSIONS) else f"number {code}"
    display_at = value(b"displayWindow", 16)
    data_window = _window(data, value(b"dataWindow", 16), name)
    at, size = attributes.get(b"type", (0, 0))
    kind = bytes(data[at : at + size])
    deep = bool(version & _DEEP) or kind.startswith(b"deep")
    tiled = bool(version & _TILED) or kind == b"tiledimage"
    width, height = data_window[2] - data_window[0] + 1, data_window[3] - data_window[1] + 1
    if tiled:
        tile_x, tile_y, mode = struct.unpack_from("<IIB", data, value(b"tiles", 9))
        if not tile_x or not tile_y:
            raise _Damaged
        piece = tile_x, tile_y
        pieces = -(-width // tile_x) * -(-height // tile_y)
        # Levels of less detail have pieces of their own, behind those of the picture.
        one_level = mode & 15 == 0
    else:
        piece = width, _ROWS_OF_PIECE[code] if code < len(_ROWS_OF_PIECE) else 256
        pieces = -(-height // piece[1])
        one_level = True
    stored = pieces
    if b"chunkCount" in attributes:
        (stored,) = struct.unpack_from("<I", data, value(b"chunkCount", 4))
    if stored < pieces or (one_level and not deep and compression in COMPRESSIONS and stored != pieces):
        raise _Damaged
    at, size = attributes.get(b"name", (0, 0))
    part = Part(
        bytes(data[at : at + size]).decode("utf-8", "replace"),
        _channels(data, *attributes[b"channels"]) if b"channels" in attributes else [],
        compression,
        data_window,
        _window(data, display_at, name),
        display_at,
        bool(version & _MULTI_PART),
        deep,
        tiled,
        piece,
        (start, end),
        (0, 0),
    )
    if not part.channels:
        raise _Damaged
    return part, pieces, stored


def _window(data: bytes | bytearray, at: int, name: str) -> Window:
    left, top, right, bottom = struct.unpack_from("<4i", data, at)
    require_map_size(right - left + 1, bottom - top + 1, name)
    return left, top, right, bottom


def _channels(data: bytes | bytearray, start: int, size: int) -> list[Channel]:
    channels = []
    position, end = start, start + size
    while position < end and data[position]:
        name, after = _text(data, position)
        pixel_type, step_x, step_y = struct.unpack_from("<i4x2i", data, after)
        if after + 16 > end:
            raise _Damaged
        channels.append(Channel(name.decode("latin-1"), pixel_type, (step_x, step_y) != (1, 1), after - 2))
        position = after + 16
    return channels


def _require_pieces(data: bytes | bytearray, table: tuple[int, int], pieces: int, name: str) -> None:
    if table[1] > len(data):
        raise _Damaged
    offsets = struct.unpack_from(f"<{pieces}Q", data, table[0])
    if not all(table[1] <= offset < len(data) for offset in offsets):
        raise ValueError(f"{name} is cut off or was never finished; write it again from the source.")
