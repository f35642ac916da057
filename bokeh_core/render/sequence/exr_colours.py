"""Colours of an OpenEXR picture: linear light in half or float, with alpha."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...disparity.exr import decoded_planes, only_part
from ...disparity.exr_header import Part, read_parts

_CHROMATICITIES = b"chromaticities\0chromaticities\0" + struct.pack("<i", 32)
# Layers that renderers keep their picture in, beside those without a layer.
_BEAUTY = ("combined", "beauty", "rgba", "rgb", "color", "colour", "composite")
# FFmpeg loses alpha of these.
_WITHOUT_ALPHA = ("DWAA", "DWAB")
_READ = ("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", *_WITHOUT_ALPHA)
_WHOLE_NUMBERS, _HALF = 0, 1


@dataclass(frozen=True)
class ExrColours:
    """A picture as it is stored.

    Attributes:
        pixels: float32 [H, W, 3 or 4], linear light; alpha is that of light premultiplied with it.
        is_half: whether it is stored in half floats.
        chromaticities: x, y of red, green, blue and white; empty where the file does not say.
    """

    pixels: NDArray[np.float32]
    is_half: bool
    chromaticities: tuple[float, ...]


def read_exr_colours(path: Path) -> ExrColours:
    """Read R, G, B and A, or Y, of the display window; pixels outside the data window are 0.

    Raises:
        ValueError: not an OpenEXR file, no colours or those of several layers, whole numbers, subsampled or
            deep channels, a compression that is not decoded rightly, or a file that is damaged or too large.
    """
    data = bytearray(path.read_bytes())
    parts = read_parts(data, path.name)
    part, layer, letters = _colours_in(parts, path.name)
    chosen = [channel for channel in part.channels if channel.name in {f"{layer}{name}" for name in letters}]
    _require_readable(part, [channel.pixel_type for channel in chosen], path.name)
    if any(channel.subsampled for channel in part.channels):
        raise ValueError(
            f"{path.name} has channels of fewer samples than pixels; write every channel in full."
        )
    if part.compression in _WITHOUT_ALPHA and "A" in letters:
        raise ValueError(
            f"{path.name} has alpha with the compression {part.compression}, which is lost here; save it "
            "with ZIP compression, or without alpha."
        )
    left, top, right, bottom = part.display
    if left < 0 or top < 0:
        raise ValueError(
            f"{path.name}: the display window begins at {left}, {top}; write it with one that begins at 0, 0."
        )
    struct.pack_into("<4i", data, part.display_at, 0, 0, right, bottom)
    found = data.find(_CHROMATICITIES, *part.header)
    chromaticities = struct.unpack_from("<8f", data, found + len(_CHROMATICITIES)) if found >= 0 else ()
    number = parts.index(part) if part.numbered else None
    decoded = decoded_planes(only_part(data, number, part, path.name), layer.rstrip("."), path.name)
    planes = dict(zip("Y" if len(decoded) == 1 else "GBRA", decoded, strict=False))
    pixels = np.stack([planes[name] for name in letters], axis=-1)[top:, left:]
    if pixels.shape[:2] != (bottom - top + 1, right - left + 1):
        raise ValueError(f"{path.name} cannot be decoded (another size than it says); write it again.")
    if len(letters) == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    return ExrColours(pixels, all(channel.pixel_type == _HALF for channel in chosen), tuple(chromaticities))


def _colours_in(parts: list[Part], name: str) -> tuple[Part, str, str]:
    """The part with the picture, the layer in front of its channels' names, and their letters."""
    found: list[tuple[Part, str, str]] = []
    for part in parts:
        names = {channel.name for channel in part.channels}
        layers = {re.sub(r"[^.]*$", "", channel) for channel in names}
        for layer in sorted(layers):
            for letters in ("RGBA", "RGB"):
                if all(f"{layer}{letter}" in names for letter in letters):
                    found.append((part, layer, letters))
                    break
    if not found:
        grey = [part for part in parts if any(channel.name == "Y" for channel in part.channels)]
        if len(grey) == 1:
            return grey[0], "", "Y"
        raise ValueError(f"{name} has no channels R, G and B; write its picture with them.")
    plain = [choice for choice in found if not choice[1]]
    named = [choice for choice in found if choice[1].rstrip(".").split(".")[-1].lower() in _BEAUTY]
    for choices in (plain, named, found):
        if len(choices) == 1:
            return choices[0]
    several = ", ".join(f"{part.name} {layer}".strip(" .") or "unnamed" for part, layer, _ in found)
    raise ValueError(f"{name} has several pictures ({several}); keep one, or name it Combined.")


def _require_readable(part: Part, pixel_types: list[int], name: str) -> None:
    if part.deep:
        raise ValueError(f"{name} is deep (several samples a pixel); flatten it.")
    if part.compression not in _READ:
        raise ValueError(
            f"{name} has the compression {part.compression}, which is not decoded here; save it with ZIP."
        )
    if any(kind == _WHOLE_NUMBERS for kind in pixel_types):
        raise ValueError(f"{name} holds whole numbers; write half or float.")
    if part.compression == "PXR24" and any(c.pixel_type == _WHOLE_NUMBERS for c in part.channels):
        # FFmpeg before 8.1 writes past the end of its buffer.
        raise ValueError(
            f"{name} has a channel of whole numbers with PXR24 compression, which is not decoded safely; "
            "save it with ZIP compression."
        )
