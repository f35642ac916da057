"""Whether a file is shorter than its headers say, as after an interrupted copy or recording."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_MP4, _AVI, _MATROSKA, _GIF = "mov,mp4,m4a,3gp,3g2,mj2", "avi", "matroska,webm", "gif"
# Cameras put data of their own, which no lengths describe, behind the last box of an MP4.
_CONTENT = (b"mdat", b"moof")
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def is_cut_short(path: Path, format_name: str) -> bool:
    """Tell whether an MP4, MOV, AVI, MKV, WebM or GIF file ends within its content; False for other formats.

    Args:
        path: of the file.
        format_name: as FFmpeg has it.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if format_name == _MP4:
            return _box_passes(file, size)
        if format_name == _AVI:
            head, length = file.read(4), int.from_bytes(file.read(4), "little")
            # Some writers count a byte that fills up to an even length and do not write it.
            return head == b"RIFF" and 8 + length > size + 1
        if format_name == _MATROSKA:
            return _segment_passes(file, size)
        if format_name == _GIF:
            return _ends_within_picture(file)
    return False


def _box_passes(file: BinaryIO, size: int) -> bool:
    at = 0
    while at < size:
        file.seek(at)
        length, kind = int.from_bytes(file.read(4), "big"), file.read(4)
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        # 0 is a box up to the end.
        if length < 8 or len(kind) < 4:
            return False
        at += length
        if at > size:
            return kind in _CONTENT
    return False


def _segment_passes(file: BinaryIO, size: int) -> bool:
    if file.read(4) != _EBML:
        return False
    file.seek(_element_length(file) or 0, 1)
    if file.read(4) != _SEGMENT:
        return False
    length = _element_length(file)
    return length is not None and file.tell() + length > size


def _element_length(file: BinaryIO) -> int | None:
    """A length of Matroska, whose leading zeros tell its bytes; None where it is not known."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    count = 9 - first[0].bit_length()
    most = (1 << 7 * count) - 1
    value = int.from_bytes(first + file.read(count - 1), "big") & most
    return None if value == most else value


def _ends_within_picture(file: BinaryIO) -> bool:
    file.seek(10)
    _skip_colours(file, file.read(3)[:1])
    while kind := file.read(1):
        if kind == b",":
            _skip_colours(file, file.read(9)[8:])
            file.seek(1, 1)
        elif kind == b"!":
            file.seek(1, 1)
        else:
            return False
        while True:
            length = file.read(1)
            if not length:
                return True
            if length == b"\0":
                break
            file.seek(length[0], 1)
    return False


def _skip_colours(file: BinaryIO, flags: bytes) -> None:
    if flags and flags[0] & 0x80:
        file.seek(3 << (flags[0] & 7) + 1, 1)
