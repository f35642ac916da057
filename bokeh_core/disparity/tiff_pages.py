"""The pages of a TIFF, one at a time: only the bytes of one page are read and in memory.

OpenCV decodes the first page of a file that is in memory. So each page is made the first: a copy of the file
in which everything but that page is left empty, with the header pointing at it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from .map_size import require_map_size, require_plausible_packing

_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_LETTERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES = 254, 256, 257, 258, 259, 277
_WHERE, _HOW_MUCH = (273, 324), (279, 325)
# Pages that are thumbnails or masks of others.
_NO_MAP = 1 | 4
_MAX_ENTRIES, _MAX_PAGES, _MAX_FILE_BYTES = 4096, 200_000, 2**36


@dataclass(frozen=True)
class _Page:
    """Where a page begins, the (start, size) of everything it consists of, and the bytes of its pixels."""

    offset: int
    regions: list[tuple[int, int]]
    pixel_bytes: int


def iterate_tiff(path: Path, start: int = 0) -> Iterator[NDArray[np.uint8]]:
    """Yield a TIFF file in memory for every page from number `start` on; thumbnails and masks are left out.

    Raises:
        ValueError: a damaged file, no pages, or a page that is too large.
    """
    with path.open("rb") as file:
        try:
            total = file.seek(0, 2)
            if total > _MAX_FILE_BYTES:
                raise ValueError(f"{path.name} has {total} bytes; a TIFF may have {_MAX_FILE_BYTES}.")
            reader = _Reader(file, total)
            pages = list(reader.pages(path.name))
            if not pages:
                raise ValueError(f"{path.name} has no pages; write it again.")
            require_plausible_packing(sum(page.pixel_bytes for page in pages), total, path.name)
            for page in pages[start:]:
                yield reader.only(page)
        except (struct.error, KeyError, _Damaged) as error:
            raise ValueError(f"{path.name} cannot be read as a picture; it is damaged or cut off.") from error


class _Damaged(Exception):
    """The file does not follow the format."""


class _Reader:
    def __init__(self, file: BinaryIO, total: int) -> None:
        self._file, self._total = file, total
        head = self._read(0, 8)
        self._order = "<" if head[:2] == b"II" else ">"
        self._big = b"+" in head[2:4]

    def _read(self, start: int, size: int) -> bytes:
        if start + size > self._total:
            raise _Damaged
        self._file.seek(start)
        data = self._file.read(size)
        if len(data) != size:
            raise _Damaged
        return data

    def _number(self, letter: str, start: int) -> int:
        size = struct.calcsize("=" + letter)
        (value,) = struct.unpack(self._order + letter, self._read(start, size))
        return int(value)

    def pages(self, name: str) -> Iterator[_Page]:
        """Walk through the pages."""
        letter = "Q" if self._big else "I"
        at, seen = self._number(letter, 8 if self._big else 4), set[int]()
        while at:
            if at in seen or len(seen) >= _MAX_PAGES:
                raise _Damaged
            seen.add(at)
            count = self._number("Q" if self._big else "H", at)
            if count > _MAX_ENTRIES:
                raise _Damaged
            entries, each = at + (8 if self._big else 2), 20 if self._big else 12
            table = self._read(entries, count * each)
            page = self._page(at, table, each, name)
            if page is not None:
                yield page
            at = self._number(letter, entries + count * each)

    def _page(self, at: int, table: bytes, each: int, name: str) -> _Page | None:
        regions = [(at, len(table) + 16)]
        values: dict[int, list[int]] = {}
        for i in range(0, len(table), each):
            tag, kind, count = struct.unpack_from(self._order + ("HHQ" if self._big else "HHI"), table, i)
            size, inline = _SIZES.get(kind, 1) * count, each - (12 if self._big else 8)
            field = table[i + each - inline : i + each]
            if size > inline:
                (where,) = struct.unpack(self._order + ("Q" if self._big else "I"), field)
                if where + size > self._total:
                    raise _Damaged
                regions.append((where, size))
            if tag in (_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, *_WHERE, *_HOW_MUCH):
                if kind not in _LETTERS or not count:
                    raise _Damaged
                data = self._read(*regions[-1]) if size > inline else field[:size]
                values[tag] = list(struct.unpack(f"{self._order}{count}{_LETTERS[kind]}", data))
        if values.get(_SUBFILE, [0])[0] & _NO_MAP:
            return None
        width, height = (values[tag][0] if values.get(tag) else 0 for tag in (_WIDTH, _HEIGHT))
        require_map_size(width, height, name)
        where, much = (next((values[t] for t in tags if t in values), []) for tags in (_WHERE, _HOW_MUCH))
        if not where or len(where) != len(much):
            raise _Damaged
        bits = max(values.get(_BITS, [1])) * values.get(_SAMPLES, [1])[0]
        if values.get(_COMPRESSION, [1])[0] == 1 and sum(much) * 8 < width * height * bits:
            raise _Damaged
        pieces = list(zip(where, much, strict=True))
        if max(values.get(_SAMPLES, [1])) > 8 or any(start + size > self._total for start, size in pieces):
            raise _Damaged
        return _Page(at, regions + pieces, width * height * bits // 8)

    def only(self, page: _Page) -> NDArray[np.uint8]:
        """A file of this page: as long as the whole, but the rest is empty and takes no memory."""
        data = np.zeros(self._total, np.uint8)
        for start, size in [(0, 16), *page.regions]:
            size = min(size, self._total - start)
            data[start : start + size] = np.frombuffer(self._read(start, size), np.uint8)
        first = struct.pack(self._order + ("Q" if self._big else "I"), page.offset)
        start = 8 if self._big else 4
        data[start : start + len(first)] = np.frombuffer(first, np.uint8)
        return data
