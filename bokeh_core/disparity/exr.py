"""Read the depth channel of an OpenEXR picture.

OpenCV builds often come without OpenEXR, and FFmpeg's decoder knows most compressions but only the channel
names R G B A and Y, only the first part, and only display windows that begin at 0, 0. So the chosen part is
made the only one, its depth channel named Y and its display window moved, in memory, before FFmpeg sees the
file. What FFmpeg does not decode rightly is refused by name.
"""

import re
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .exr_header import Channel, Part, read_parts
from .map_size import require_map_size

_INTEGER_PIXELS = 0
_DEPTH_WORDS = ("disparity", "disp", "depth")
_DEPTH_LETTERS = ("z", "y", "v")
# A letter that stands beside one of these in a layer is a coordinate, a motion or the luminance of colours.
_COMPANIONS = {"z": {"x", "y"}, "y": {"x", "z", "ry", "by"}, "v": {"u"}}
# FFmpeg loses every channel but R, G and B of these, or knows nothing of them.
_RIGHT = ("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A")

_Choice: TypeAlias = tuple[Part, Channel]


def read_exr(path: Path) -> NDArray[np.float32]:
    """Return the depth channel [H, W] of the display window, or [H, W, 3] if the picture only has R, G and B.

    The depth channel is the only one (beside alpha), or the one whose name (or that of its part) has the
    word disparity, disp or depth, or else the one that ends in Z, or is Y or V, and is no coordinate, motion
    or luminance. Pixels outside the data window are 0, as in every compositor.

    Raises:
        ValueError: not an OpenEXR file, no or several candidate channels, whole-number, subsampled or deep
            channels, a compression that is not decoded rightly, or a file that is damaged or too large.
    """
    data = bytearray(path.read_bytes())
    parts = read_parts(data, path.name)
    part, chosen = _depth_channel(parts, path.name)
    _require_decodable(part, chosen, path.name)
    layer = ""
    if chosen is not None:
        for channel in part.channels:
            data[channel.last_letter] = ord("Y" if channel is chosen else "q")
        # PyAV hands over plain letters only; each letter of a name is one byte of it.
        layer = "".join(letter if letter.isascii() else "x" for letter in chosen.name[:-1])
        data[chosen.last_letter - len(layer) : chosen.last_letter] = layer.encode("ascii")
    left, top, right, bottom = part.display
    if left < 0 or top < 0:
        raise ValueError(
            f"{path.name}: the display window begins at {left}, {top}; write it with one that begins at 0, 0."
        )
    require_map_size(right + 1, bottom + 1, path.name)
    struct.pack_into("<4i", data, part.display_at, 0, 0, right, bottom)
    number = parts.index(part) if part.numbered else None
    planes = decoded_planes(only_part(data, number, part, path.name), layer, path.name)
    picture = (planes[0] if len(planes) == 1 else np.stack(planes[:3], axis=-1))[top:, left:]
    if picture.shape[:2] != (bottom - top + 1, right - left + 1):
        raise ValueError(f"{path.name} cannot be decoded (another size than it says); write it again.")
    return picture


def _depth_channel(parts: list[Part], name: str) -> tuple[Part, Channel | None]:
    """Choose the part and channel that hold depth; no channel means the colour channels R, G, B."""
    every = [(part, channel) for part in parts for channel in part.channels]
    candidates = [choice for choice in every if _letter(choice) != "a"]
    if len(candidates) == 1:
        return candidates[0]
    by_word = [choice for choice in candidates if _has_depth_word(_full_name(choice))]
    # A part named depth may hold more than its depth.
    by_own_word = [choice for choice in by_word if _has_depth_word(choice[1].name)]
    alone = [
        choice
        for choice in candidates
        if not _has_companions(choice) and (_letter(choice) == "z" or "." not in choice[1].name)
    ]
    by_letter: Iterable[list[_Choice]] = (
        [choice for choice in pool if _letter(choice) == letter]
        for pool in (by_word, alone)
        for letter in _DEPTH_LETTERS
    )
    for matches in (by_own_word, by_word, *by_letter):
        if len(matches) == 1:
            return matches[0]
    if len(parts) == 1 and {"R", "G", "B"} == {channel.name for _, channel in candidates}:
        return parts[0], None
    raise ValueError(
        f"{name} has the channels {', '.join(map(_full_name, every))}, and none alone is named depth or Z; "
        "keep one depth channel."
    )


def _full_name(choice: _Choice) -> str:
    part, channel = choice
    return f"{part.name}.{channel.name}" if part.name else channel.name


def _letter(choice: _Choice) -> str:
    return choice[1].name.split(".")[-1].lower()


def _has_depth_word(name: str) -> bool:
    return bool(set(_DEPTH_WORDS) & set(re.split(r"[^a-z]+", name.lower())))


def _has_companions(choice: _Choice) -> bool:
    part, channel = choice
    layer = channel.name.split(".")[:-1]
    others = {
        other.name.split(".")[-1].lower() for other in part.channels if other.name.split(".")[:-1] == layer
    }
    return bool(_COMPANIONS.get(_letter(choice), set()) & others)


def _require_decodable(part: Part, chosen: Channel | None, name: str) -> None:
    which = f"{name}: channel {chosen.name}" if chosen else name
    if part.deep:
        raise ValueError(f"{which} is deep (several depths a pixel); flatten it to one depth a pixel.")
    if part.compression not in _RIGHT:
        raise ValueError(
            f"{which} has the compression {part.compression}, which is not decoded rightly here; save it "
            "with ZIP compression."
        )
    if part.compression == "PXR24" and any(c.pixel_type == _INTEGER_PIXELS for c in part.channels):
        # FFmpeg before 8.1 writes past the end of its buffer.
        raise ValueError(
            f"{which} stands beside a channel of whole numbers with PXR24 compression, which is not decoded "
            "safely; save it with ZIP compression."
        )
    if any(channel.subsampled for channel in part.channels):
        raise ValueError(f"{name} has channels of fewer samples than pixels; write every channel in full.")
    needed = [chosen] if chosen else [c for c in part.channels if c.name in ("R", "G", "B")]
    if any(channel.pixel_type == _INTEGER_PIXELS for channel in needed):
        raise ValueError(f"{which} holds whole numbers; write half or float.")


def only_part(data: bytearray, number: int | None, part: Part, name: str) -> bytes:
    """Write one part as a file of its own, checked: header, table, and pieces that do not name their part.

    `number` is that of the part, None in files of one part, whose pieces do not name it.
    """
    (version,) = struct.unpack_from("<I", data, 4)
    version &= ~0x1200
    first, last = part.offsets
    table = struct.unpack_from(f"<{(last - first) // 8}Q", data, first)
    head = bytes(data[:4]) + struct.pack("<I", version | (0x200 if part.tiled else 0))
    head += bytes(data[slice(*part.header)])
    position = len(head) + 8 * len(table)
    offsets, pieces = [], []
    numbered = 0 if number is None else 4
    where = 16 if part.tiled else 4
    try:
        for offset in table:
            found = number if number is None else struct.unpack_from("<i", data, offset)[0]
            start = offset + numbered
            (size,) = struct.unpack_from("<i", data, start + where)
            end = start + where + 4 + size
            if found != number or size < 0 or end > len(data):
                raise ValueError(f"{name} is cut off or damaged; write it again from the source.")
            pieces.append(bytes(data[start:end]))
            offsets.append(position)
            position += len(pieces[-1])
            if position > 2 * len(data):
                raise ValueError(f"{name} is damaged; write it again from the source.")
            if part.compression in ("ZIP", "ZIPS"):
                _require_sound(pieces[-1], where, part, name)
    except struct.error as error:
        raise ValueError(f"{name} is cut off or damaged; write it again from the source.") from error
    return head + struct.pack(f"<{len(offsets)}Q", *offsets) + b"".join(pieces)


def _require_sound(piece: bytes, place_bytes: int, part: Part, name: str) -> None:
    """Check what FFmpeg does not: it fills a damaged piece with zeros and says nothing."""
    most = part.piece_bytes(piece[:place_bytes])
    packed = piece[place_bytes + 4 :]
    # A piece that would not get smaller is stored as it is.
    if most is None or len(packed) == most:
        return
    unpacking = zlib.decompressobj()
    try:
        sound = len(unpacking.decompress(packed, most + 1)) == most and unpacking.eof
    except zlib.error:
        sound = False
    if not sound:
        raise ValueError(f"{name} is damaged; write it again from the source.")


def decoded_planes(data: bytes, layer: str, name: str) -> list[NDArray[np.float32]]:
    """Planes float32 [H, W] of a layer: one of grey, else green, blue, red and, if there is one, alpha.

    Args:
        data: a file of one part, see `only_part`.
        layer: in front of its channels' names, without the point; "" where they have none.
        name: of the file, for errors.

    Raises:
        ValueError: it cannot be decoded.
    """
    import av  # imported on first use: the pack must load fast

    decoder = av.CodecContext.create("exr", "r")
    decoder.options = {"layer": layer}
    try:
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except (av.error.FFmpegError, OSError) as error:
        raise ValueError(
            f"{name} cannot be decoded ({error.strerror}); write it again from the source."
        ) from error
    if not frames or "f" not in frames[0].format.name.removeprefix("gbr"):
        raise ValueError(f"{name} cannot be decoded (no picture in it); write it again from the source.")
    frame = frames[0]
    kind = np.dtype(np.float16 if "f16" in frame.format.name else np.float32)
    dtype = kind.newbyteorder(">" if frame.format.name.endswith("be") else "<")
    return [
        np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : frame.width].astype(np.float32)
        for plane in frame.planes
    ]
