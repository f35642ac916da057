"""What lies at the place of a result: nothing, the finished result of this very job, or somebody's file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from ..video_io.opening import open_video

# Metadata key of every result that names the job it was made by.
TAG = "any_to_bokeh"


class Found(Enum):
    """What lies at a path."""

    NOTHING = "nothing"
    """No file, or an empty one, which holds nothing to lose."""
    RESULT = "result"
    """The finished result of this job."""
    DAMAGED = "damaged"
    """The result of this job, cut short."""
    OTHER = "other"
    """Anything else."""


def metadata_of(key: str) -> Mapping[str, str]:
    """What a result of the job of this key says of itself."""
    return {TAG: key}


def look_at(path: Path, key: str) -> Found:
    """Tell what lies at the place of a result.

    That a result is whole is told from the lengths that its container states; single bytes are not checked.

    Args:
        path: of the result.
        key: of the job.
    """
    if not os.path.lexists(path) or (path.is_file() and path.stat().st_size == 0):
        return Found.NOTHING
    if not path.is_file() or _key_in(path) != key:
        return Found.OTHER
    return Found.RESULT if _is_whole(path) else Found.DAMAGED


def is_video(path: Path) -> bool:
    """Tell whether FFmpeg finds a video at a path, whole or not."""
    try:
        with open_video(path) as container:
            return bool(container.streams.video)
    except (OSError, ValueError):
        return False


def _key_in(path: Path) -> str:
    """The key in a video's metadata; empty where there is none."""
    try:
        with open_video(path) as container:
            # Matroska writes the names of tags in capitals.
            return next((v for name, v in container.metadata.items() if name.lower() == TAG), "")
    except (OSError, ValueError):
        return ""


def _is_whole(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        end = _end_of_matroska(file) if path.suffix.lower() == ".mkv" else _end_of_boxes(file, size)
    return end == size


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """Where the last box of an MP4 or MOV file ends, by the sizes that the boxes state."""
    at = 0
    while at < size:
        file.seek(at)
        length = int.from_bytes(file.read(4), "big")
        kind = file.read(4)
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        if length < 8 or len(kind) < 4:
            return -1
        at += length
    return at


def _end_of_matroska(file: BinaryIO) -> int:
    """Where the segment of a Matroska file ends, by the size that it states."""
    end = 0
    # The head of the file, then the segment with all the rest.
    for _ in range(2):
        file.seek(end)
        file.read(4)
        first = file.read(1)
        if not first or not first[0]:
            return -1
        length_bytes = 9 - first[0].bit_length()
        rest = file.read(length_bytes - 1)
        length = int.from_bytes(bytes([first[0] & (0xFF >> length_bytes)]) + rest, "big")
        end = file.tell() + length
    return end
