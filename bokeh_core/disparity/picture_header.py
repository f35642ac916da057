"""What a still picture says of itself before it is decoded: kind, size, and how many pictures it holds."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .map_size import MAX_MAP_PIXELS, require_map_size

# Deflate cannot do better than this, so a picture that claims more from its file is cut off.
_MOST_DEFLATE = 1032
# Every scan of a JPEG goes over the whole picture; ordinary ones have at most about ten.
_MAX_JPEG_WORK = 16 * MAX_MAP_PIXELS
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Markers of a JPEG that start a frame: all of 0xC0 to 0xCF but tables and a reserved one.
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class PictureHeader:
    """Kind of a picture (PNG, JPG, BMP, WebP) and how many it holds."""

    kind: str
    width: int
    height: int
    count: int = 1


def is_tiff(data: bytes) -> bool:
    """Whether a file that begins so is a TIFF."""
    return data[:4] in _TIFF


def is_gif(data: bytes) -> bool:
    """Whether a file that begins so is a GIF."""
    return data[:6] in (b"GIF87a", b"GIF89a")


def is_pfm(data: bytes) -> bool:
    """Whether a file that begins so is a portable float map."""
    return data[:2] in (b"Pf", b"PF") and data[2:3].isspace()


def read_picture_header(data: bytes, name: str) -> PictureHeader:
    """Read the header of a PNG, JPG, BMP or WebP.

    Raises:
        ValueError: another kind, a damaged header, a picture that is too large or that is cut off.
    """
    readers = (
        (data[:8] == _PNG, _png),
        (data[:3] == b"\xff\xd8\xff", _jpeg),
        (data[:2] == b"BM", _bmp),
        (data[:4] == b"RIFF" and data[8:12] == b"WEBP", _webp),
    )
    read = next((read for fits, read in readers if fits), None)
    if read is None:
        raise ValueError(
            f"{name} cannot be read as a picture; it is damaged or of another kind. Write it as PNG, JPG, "
            "TIFF, BMP, WebP, PFM or EXR."
        )
    try:
        header = read(data, name)
    except (struct.error, IndexError, KeyError) as error:
        raise ValueError(f"{name} cannot be read as a picture; its header is damaged.") from error
    require_map_size(header.width, header.height, name)
    return header


def _cut_off(name: str) -> ValueError:
    return ValueError(f"{name} cannot be read as a picture; it is cut off. Write it again.")


def _png(data: bytes, name: str) -> PictureHeader:
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    raw = height * (1 + width * _PNG_CHANNELS[colour] * bits // 8)
    require_map_size(width, height, name)
    if data[12:16] != b"IHDR" or raw > _MOST_DEFLATE * len(data):
        raise _cut_off(name)
    count, position, kind = 1, 8, b""
    while kind != b"IEND":
        size, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"acTL":
            (count,) = struct.unpack_from(">I", data, position + 8)
        position += 12 + size
        if position > len(data):
            raise _cut_off(name)
    return PictureHeader("PNG", width, height, count)


def _jpeg(data: bytes, name: str) -> PictureHeader:
    position, size = 2, (0, 0)
    while True:
        while data[position] != 0xFF or data[position + 1] in (0, 0xFF):
            position += 1
        marker = data[position + 1]
        position += 2
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        if marker == 0xD9:
            raise _cut_off(name)
        if marker == 0xDA:
            break
        (length,) = struct.unpack_from(">H", data, position)
        if marker in _JPEG_FRAMES:
            size = struct.unpack_from(">HH", data, position + 3)
        position += max(length, 2)
    height, width = size
    # Inside the data of a scan 0xFF is always followed by 0, so what follows otherwise is a marker.
    if data.find(b"\xff\xd9", position) < 0:
        raise _cut_off(name)
    require_map_size(width, height, name)
    if width * height * data.count(b"\xff\xda") > _MAX_JPEG_WORK:
        raise ValueError(f"{name} has too many scans to be read in reasonable time; write it again.")
    return PictureHeader("JPG", width, height)


def _bmp(data: bytes, name: str) -> PictureHeader:
    pixels, header = struct.unpack_from("<II", data, 10)
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
        height = abs(height)
    require_map_size(width, height, name)
    rows = (width * bits + 31) // 32 * 4 * height
    # 1 and 2 are run lengths; everything else is as long as it is.
    if compression not in (1, 2) and pixels + rows > len(data):
        raise _cut_off(name)
    return PictureHeader("BMP", width, height)


def _webp(data: bytes, name: str) -> PictureHeader:
    (size,) = struct.unpack_from("<I", data, 4)
    end, position = 8 + size, 12
    if end > len(data) + 1:
        raise _cut_off(name)
    width = height = frames = 0
    while position + 8 <= min(end, len(data)):
        kind, size = struct.unpack_from("<4sI", data, position)
        body = position + 8
        if body + size > len(data):
            raise _cut_off(name)
        if kind == b"VP8X":
            width, height = (1 + int.from_bytes(data[body + i : body + i + 3], "little") for i in (4, 7))
        elif kind == b"ANMF":
            frames += 1
        elif kind == b"VP8 " and not width:
            width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", data, body + 6))
        elif kind == b"VP8L" and not width:
            (packed,) = struct.unpack_from("<I", data, body + 1)
            width, height = 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
        position = body + size + (size & 1)
    return PictureHeader("WebP", width, height, max(frames, 1))
