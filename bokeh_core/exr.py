"""Read the depth channel of an OpenEXR picture.

OpenCV builds often come without OpenEXR, and FFmpeg's decoder knows every compression but only the
channel names R G B A and Y. So the depth channel is named Y, in memory, before FFmpeg sees the file.
"""

import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"\x76\x2f\x31\x01"
_INTEGER_PIXELS = 0
_DEPTH_WORDS = ("disparity", "disp", "depth")
_DEPTH_LETTERS = ("z", "y", "v")


@dataclass(frozen=True)
class _Channel:
    name: str
    pixel_type: int
    last_letter_offset: int


def read_exr(path: Path) -> NDArray[np.float32]:
    """Return the depth channel [H, W], or [H, W, 3] if the picture only has R, G and B.

    The depth channel is the only one (beside alpha), or the one whose name has the word disparity,
    disp or depth, or else ends in Z, Y or V.

    Raises:
        ValueError: not an OpenEXR file, no or several candidate channels, whole-number channels, or a file
            that cannot be decoded.
    """
    data = bytearray(path.read_bytes())
    channels = _channels(data, path.name)
    chosen = _depth_channel(channels, path.name)
    layer = ""
    if chosen is not None:
        if chosen.pixel_type == _INTEGER_PIXELS:
            raise ValueError(f"{path.name}: channel {chosen.name} holds whole numbers; write half or float.")
        for channel in channels:
            data[channel.last_letter_offset] = ord("Y" if channel is chosen else "q")
        layer = chosen.name[:-1]
    return _decode(bytes(data), layer, path.name)


def _channels(data: bytearray, name: str) -> list[_Channel]:
    """List the channels of the first part from the file's header."""
    if data[:4] != _MAGIC:
        raise ValueError(f"{name} is not an OpenEXR picture; write it again from the source.")
    try:
        position = 8
        while data[position]:
            attribute_end = data.index(0, position)
            type_end = data.index(0, attribute_end + 1)
            (size,) = struct.unpack_from("<i", data, type_end + 1)
            start = type_end + 5
            if data[position:attribute_end] == b"channels":
                return _channel_list(data, start)
            position = start + size
    except (ValueError, IndexError, struct.error):
        pass
    raise ValueError(f"{name} has a damaged OpenEXR header; write it again from the source.")


def _channel_list(data: bytearray, start: int) -> list[_Channel]:
    channels = []
    while data[start]:
        end = data.index(0, start)
        (pixel_type,) = struct.unpack_from("<i", data, end + 1)
        channels.append(_Channel(data[start:end].decode("latin-1"), pixel_type, end - 1))
        # name, 0, pixel type, linearity and 3 reserved bytes, two sampling steps
        start = end + 1 + 16
    return channels


def _depth_channel(channels: list[_Channel], name: str) -> _Channel | None:
    """Choose the channel that holds depth; None means the colour channels R, G, B."""
    candidates = [c for c in channels if c.name.split(".")[-1].upper() != "A"]
    if len(candidates) == 1:
        return candidates[0]
    words = [c for c in candidates if set(_DEPTH_WORDS) & set(re.split(r"[^a-z]+", c.name.lower()))]
    by_letter = (
        [c for c in candidates if c.name.split(".")[-1].lower() == letter] for letter in _DEPTH_LETTERS
    )
    for matches in (words, *by_letter):
        if len(matches) == 1:
            return matches[0]
    if {"R", "G", "B"} == {c.name for c in candidates}:
        return None
    raise ValueError(
        f"{name} has the channels {', '.join(c.name for c in channels)}, and none alone is named depth or Z; "
        "keep one depth channel."
    )


def _decode(data: bytes, layer: str, name: str) -> NDArray[np.float32]:
    import av  # imported on first use: the pack must load fast

    decoder = av.CodecContext.create("exr", "r")
    decoder.options = {"layer": layer}
    try:
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except av.error.FFmpegError as error:
        raise ValueError(
            f"{name} cannot be decoded ({error.strerror}); write it again from the source."
        ) from error
    if not frames:
        raise ValueError(f"{name} cannot be decoded (no picture in it); write it again from the source.")
    frame = frames[0]
    kind = np.dtype(np.float16 if "f16" in frame.format.name else np.float32)
    dtype = kind.newbyteorder(">" if frame.format.name.endswith("be") else "<")
    planes = [
        np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : frame.width].astype(np.float32)
        for plane in frame.planes
    ]
    return planes[0] if len(planes) == 1 else np.stack(planes[:3], axis=-1)
