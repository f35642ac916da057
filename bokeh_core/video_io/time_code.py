"""The time code of a film, and whether a container holds it at a frame rate: tried in memory."""

from __future__ import annotations

import io
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from .pyav_version import pyav_major

TIME_CODE = "timecode"
# Earlier versions do not tell FFmpeg the frame rate that a time code is counted in.
_WRITES_TIME_CODES = 18
_SIDE_PX = 16


def time_code_of(container: Any) -> str:
    """The time code of an open file, of a track or of the file as a whole; empty without one."""
    for metadata in (*(stream.metadata for stream in container.streams), container.metadata):
        if text := _in_metadata(metadata):
            return text
    return ""


def holds_time_code(container: str, text: str, rate: Fraction) -> bool:
    """Tell whether a container takes a time code.

    MP4 and MOV count up to 255 frames a second, and drop numbers (`;`) near 30 and 60 only.

    Args:
        container: FFmpeg's name of its format.
        text: hours, minutes, seconds and frames.
        rate: frames a second.
    """
    import av  # imported on first use: the pack must load fast

    if pyav_major() < _WRITES_TIME_CODES:
        return False
    memory = io.BytesIO()
    try:
        with av.open(memory, "w", format=container) as output:
            stream: Any = output.add_stream("mjpeg", rate=rate)
            stream.width = stream.height = _SIDE_PX
            stream.pix_fmt = "yuvj420p"
            stream.metadata[TIME_CODE] = text
            output.mux(stream.encode(av.VideoFrame(_SIDE_PX, _SIDE_PX, "yuvj420p")))
            output.mux(stream.encode(None))
        memory.seek(0)
        with av.open(memory) as written:
            return bool(time_code_of(written))
    except (ValueError, av.error.FFmpegError):
        return False


def without_time_code(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata but for the time code, which FFmpeg makes a track of wherever it finds it."""
    return {name: value for name, value in metadata.items() if name.lower() != TIME_CODE}


def _in_metadata(metadata: Mapping[str, str]) -> str:
    return next((value for name, value in metadata.items() if name.lower() == TIME_CODE), "")
