"""What HDR video says beside its pixels: the display it was graded on, its light levels, dynamic metadata."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

# Codes of ITU-T H.273.
LINEAR, PQ, HLG = 8, 16, 18
TRANSFER_NAMES = {PQ: "PQ", HLG: "HLG"}
CHROMATICITY_UNITS, LUMINANCE_UNITS = 50000, 10000
"""Units of SMPTE ST 2086 in a video's header: of x and y, and of 1 cd/m2."""

DOLBY_VISION = "Dolby Vision"
# PyAV's names of side data -> what people call it.
_DYNAMIC = {
    "DOVI_METADATA": DOLBY_VISION,
    "DOVI_RPU_BUFFER": DOLBY_VISION,
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
}


@dataclass(frozen=True)
class HdrMetadata:
    """Static metadata of HDR10.

    Attributes:
        chromaticities: x, y of red, green, blue and white of the mastering display, 8 numbers in 1/50000.
        luminance: its brightest and darkest light in 1/10000 cd/m2.
        light_level: brightest pixel and brightest frame average in cd/m2 (MaxCLL, MaxFALL).
    """

    chromaticities: tuple[int, ...] = ()
    luminance: tuple[int, ...] = ()
    light_level: tuple[int, ...] = ()

    def x264_params(self) -> dict[str, str]:
        """Options of x264 that write it into the video."""
        params = {}
        if self.chromaticities and self.luminance:
            red, green, blue, white = (self.chromaticities[i : i + 2] for i in range(0, 8, 2))
            places = zip(["G", "B", "R", "WP"], (green, blue, red, white), strict=True)
            colours = "".join(f"{name}({x},{y})" for name, (x, y) in places)
            params["mastering-display"] = f"{colours}L({self.luminance[0]},{self.luminance[1]})"
        if self.light_level:
            params["cll"] = f"{self.light_level[0]},{self.light_level[1]}"
        return params


def side_data(frame: av.VideoFrame) -> dict[str, Any]:
    """Side data of a frame by PyAV's name of its kind; empty where PyAV cannot list it."""
    try:
        return {item.type.name: item for item in frame.side_data}
    except ValueError:
        # FFmpeg knows kinds that PyAV has no name for, such as EXIF, and it then gives none at all.
        return {}


def hdr_metadata_of(frame: av.VideoFrame) -> HdrMetadata | None:
    """Static HDR metadata of a frame; None if there is none."""
    found = side_data(frame)
    mastering, light = found.get("MASTERING_DISPLAY_METADATA"), found.get("CONTENT_LIGHT_LEVEL")
    chromaticities: tuple[int, ...] = ()
    luminance: tuple[int, ...] = ()
    light_level: tuple[int, ...] = ()
    if mastering is not None:
        # AVMasteringDisplayMetadata: ten fractions, then whether colours and luminance are set.
        numbers = struct.unpack_from("=20i2i", bytes(mastering))
        values = [n / d if d else 0.0 for n, d in zip(numbers[0:20:2], numbers[1:20:2], strict=True)]
        if numbers[20]:
            chromaticities = tuple(round(CHROMATICITY_UNITS * value) for value in values[:8])
        if numbers[21]:
            luminance = (round(LUMINANCE_UNITS * values[9]), round(LUMINANCE_UNITS * values[8]))
    if light is not None:
        light_level = struct.unpack_from("=2I", bytes(light))
    if not (chromaticities or luminance or any(light_level)):
        return None
    return HdrMetadata(chromaticities, luminance, light_level)


def dynamic_metadata_of(frame: av.VideoFrame) -> tuple[str, ...]:
    """Names of the kinds of HDR metadata that change from frame to frame."""
    return tuple(sorted({_DYNAMIC[name] for name in side_data(frame) if name in _DYNAMIC}))
