"""Static HDR metadata as elements of Matroska (RFC 9559), and where a file has them."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .hdr import CHROMATICITY_UNITS, LUMINANCE_UNITS, HdrMetadata

# The way to the colours of the picture.
_SEGMENT, _TRACKS, _TRACK_ENTRY, _VIDEO, _COLOUR = 0x18538067, 0x1654AE6B, 0xAE, 0xE0, 0x55B0
_WAY = (_SEGMENT, _TRACKS, _TRACK_ENTRY, _VIDEO, _COLOUR)
_MAX_CLL, _MAX_FALL, _MASTERING, _FIRST_CHROMATICITY = 0x55BC, 0x55BD, 0x55D0, 0x55D1
_LUMINANCE_MAX, _LUMINANCE_MIN = 0x55D9, 0x55DA
# Lengths are written in 8 bytes, of which the first tells so.
_LENGTH_BYTES = 8


def elements_of(hdr: HdrMetadata) -> bytes:
    """`MaxCLL`, `MaxFALL` and `MasteringMetadata`, as far as the metadata is known."""
    found = b""
    if hdr.light_level:
        for kind, level in zip((_MAX_CLL, _MAX_FALL), hdr.light_level, strict=True):
            found += _element(kind, level.to_bytes(4, "big"))
    if hdr.chromaticities and hdr.luminance:
        values = [value / CHROMATICITY_UNITS for value in hdr.chromaticities]
        numbers = dict(enumerate(values, _FIRST_CHROMATICITY))
        most, least = (value / LUMINANCE_UNITS for value in hdr.luminance)
        numbers |= {_LUMINANCE_MAX: most, _LUMINANCE_MIN: least}
        display = b"".join(_element(kind, struct.pack(">d", value)) for kind, value in numbers.items())
        found += _element(_MASTERING, display)
    return found


def with_elements(video: bytes, elements: bytes) -> bytes:
    """A Matroska file of one picture track with elements among the colours of its picture.

    What the file says of places in itself is no longer true.

    Raises:
        ValueError: it does not tell the colours of a picture.
    """
    return _grown(video, _WAY, elements)


def _grown(content: bytes, way: tuple[int, ...], elements: bytes) -> bytes:
    if not way:
        return content + elements
    for start, kind, begin, end in _children(content):
        if kind == way[0]:
            inside = _grown(content[begin:end], way[1:], elements)
            return content[:start] + _element(kind, inside) + content[end:]
    raise ValueError(f"There is no element {way[0]:X} in the file.")


def _children(content: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Where each element starts, its kind, where its content begins and ends."""
    place = 0
    while place < len(content):
        start, width = place, 9 - content[place].bit_length()
        kind = int.from_bytes(content[place : place + width], "big")
        place += width
        width = 9 - content[place].bit_length()
        most = (1 << 7 * width) - 1
        length = int.from_bytes(content[place : place + width], "big") & most
        place += width
        # Only of what was being written when its end was not known.
        end = len(content) if length == most else place + length
        yield start, kind, place, end
        place = end


def _element(kind: int, content: bytes) -> bytes:
    name = kind.to_bytes((kind.bit_length() + 7) // 8, "big")
    return name + (1 << 7 * _LENGTH_BYTES | len(content)).to_bytes(_LENGTH_BYTES, "big") + content
