"""Static HDR metadata as boxes of QuickTime and MP4 (ISO/IEC 14496-12), and where a file has them."""

from __future__ import annotations

import struct

from .hdr import HdrMetadata

# The way to the description of the samples; each of these boxes begins with its length and its name.
_WAY = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_HEADER = struct.Struct(">I4s")
# Version, flags and number of entries of `stsd`; what an entry of video holds before its own boxes.
_BEFORE_ENTRIES, _BEFORE_BOXES = 8, 78
_MOST_16 = 65535


def boxes_of(hdr: HdrMetadata) -> bytes:
    """`mdcv` and `clli`, as far as the metadata is known."""
    found = b""
    if hdr.chromaticities and hdr.luminance:
        red, green, blue, white = (hdr.chromaticities[i : i + 2] for i in range(0, 8, 2))
        places = (min(value, _MOST_16) for value in (*green, *blue, *red, *white))
        found += _box(b"mdcv", struct.pack(">8H2I", *places, *hdr.luminance))
    if hdr.light_level:
        found += _box(b"clli", struct.pack(">2H", *(min(level, _MOST_16) for level in hdr.light_level)))
    return found


def with_boxes(video: bytes, boxes: bytes) -> bytes:
    """A QuickTime file of one picture track, whose header is its end, with boxes in the entry of its samples.

    Raises:
        ValueError: there is no such entry.
    """
    changed = bytearray(video)
    begin, end = 0, len(video)
    grown = []
    for name in _WAY:
        place = _find(video, name, begin, end)
        grown.append(place)
        begin, end = place + _HEADER.size, place + _HEADER.unpack_from(video, place)[0]
    entry = begin + _BEFORE_ENTRIES
    grown.append(entry)
    for place in grown:
        length, name = _HEADER.unpack_from(video, place)
        _HEADER.pack_into(changed, place, length + len(boxes), name)
    inside = entry + _HEADER.size + _BEFORE_BOXES
    return bytes(changed[:inside] + boxes + changed[inside:])


def _box(name: bytes, content: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(content), name) + content


def _find(video: bytes, name: bytes, begin: int, end: int) -> int:
    """Where the first box of a name begins among those that follow each other."""
    while begin + _HEADER.size <= end:
        length, found = _HEADER.unpack_from(video, begin)
        if found == name:
            return begin
        # A length of 1 means that the real one follows as 64 bits.
        if length == 1:
            (length,) = struct.unpack_from(">Q", video, begin + _HEADER.size)
        if length < _HEADER.size:
            break
        begin += length
    raise ValueError(f"There is no box {name.decode()} in the file.")
