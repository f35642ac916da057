"""Depth maps in still pictures: PNG, JPG, TIFF, BMP, WebP, PFM and EXR, animated and of several pages too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .exr import read_exr
from .map_size import require_map_size
from .picture_header import is_gif, is_pfm, is_tiff, read_picture_header
from .tiff_pages import iterate_tiff

STILLS = (".png", ".jpg", ".tif", ".bmp", ".webp", ".pfm", ".exr")
_MAX_FILE_BYTES = 2**32
# OpenCV decodes all pictures of an animated WebP at once, with four bytes a pixel: 2 GiB.
_MAX_WEBP_PIXELS = 2**29
_PFM_HEADER = re.compile(rb"(P[fF])\s+(\d{1,9})\s+(\d{1,9})\s+([-+]?[.\d][-+.\deE]{0,30})\s")
_HEADER_BYTES = 16


def animation_length(path: Path) -> int | None:
    """How many pictures a GIF (0: not told) or animated PNG has, which are read as videos are; else None."""
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    if is_gif(head):
        return 0
    count = read_picture_header(_whole(path), path.name).count if head[1:4] == b"PNG" else 1
    return count if count > 1 else None


def iterate_stills(path: Path, start: int = 0) -> Iterator[NDArray[Any]]:
    """Yield the maps of a picture file, [H, W] or [H, W, C], as they are stored, from number `start` on.

    Raises:
        ValueError: a picture that is damaged, too large or of another kind, or several that cannot all be
            read.
        OSError: the file cannot be read.
    """
    if path.suffix.lower() == ".exr":
        if start == 0:
            _require_file_size(path)
            yield read_exr(path)
        return
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    if is_tiff(head):
        for page in iterate_tiff(path, start):
            yield _decoded(page, path.name)
        return
    data = _whole(path)
    if is_pfm(data):
        if start == 0:
            yield _pfm(data, path.name)
        return
    header = read_picture_header(data, path.name)
    encoded = np.frombuffer(data, np.uint8)
    if header.count > 1:
        if header.count * header.width * header.height > _MAX_WEBP_PIXELS:
            raise ValueError(
                f"{path.name} has {header.count} pictures of {header.width} x {header.height} px, too many "
                "for an animated WebP, which is read at once; save a video or a folder of PNG files."
            )
        yield from _all_decoded(encoded, header.count, path.name)[start:]
    elif start == 0:
        picture = _decoded(encoded, path.name)
        if picture.shape[:2] != (header.height, header.width):
            raise _damaged(path.name)
        yield picture


def _whole(path: Path) -> bytes:
    _require_file_size(path)
    return path.read_bytes()


def _require_file_size(path: Path) -> None:
    size = path.stat().st_size
    if size > _MAX_FILE_BYTES:
        raise ValueError(f"{path.name} has {size} bytes; a picture file may have {_MAX_FILE_BYTES}.")


def _decoded(encoded: NDArray[np.uint8], name: str) -> NDArray[Any]:
    # imdecode rather than imread: OpenCV cannot open paths with other than ANSI letters on Windows.
    try:
        picture: NDArray[Any] | None = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _damaged(name) from error
    if picture is None:
        raise _damaged(name)
    return picture


def _all_decoded(encoded: NDArray[np.uint8], count: int, name: str) -> list[NDArray[Any]]:
    try:
        _, pictures = cv2.imdecodemulti(encoded, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _damaged(name) from error
    if len(pictures) != count:
        raise ValueError(
            f"{name} has {count} pictures, and OpenCV {cv2.__version__} reads {len(pictures)} of them; save "
            "the maps as a video or a folder of PNG files (OpenCV 4.11 or newer reads a sound animated WebP)."
        )
    return list(pictures)


def _pfm(data: bytes, name: str) -> NDArray[Any]:
    header = _PFM_HEADER.match(data)
    if header is None:
        raise ValueError(f"{name} cannot be read as a picture; its header is damaged.")
    kind, width, height, scale = header.groups()
    # Only the sign matters: it tells the byte order. Depth is normalised, so its unit does not.
    little_endian = scale.startswith(b"-")
    columns, rows, channels = int(width), int(height), 3 if kind == b"PF" else 1
    require_map_size(columns, rows, name)
    pixels = data[header.end() : header.end() + 4 * columns * rows * channels]
    if len(pixels) != 4 * columns * rows * channels:
        raise ValueError(f"{name} cannot be read as a picture; it is cut off. Write it again.")
    values = np.frombuffer(pixels, "<f4" if little_endian else ">f4").reshape(rows, columns, channels)
    # Rows go from the bottom up.
    return values[::-1, :, 0] if channels == 1 else values[::-1]


def _damaged(name: str) -> ValueError:
    return ValueError(f"{name} cannot be read as a picture; it is damaged or of another kind.")
