"""What all frames of a video share."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .colour import UNSPECIFIED, Colour
from .hdr import DOLBY_VISION, HdrMetadata

UNTAGGED = Colour()
SQUARE = Fraction(1)


@dataclass(frozen=True)
class VideoFormat:
    """What all frames of a video share.

    Attributes:
        width: of the upright picture in pixels.
        height: likewise.
        frame_rate: frames a second, on average.
        time_base: seconds that one unit of a timestamp lasts.
        bits: of a level.
        alpha: whether frames say how opaque they are.
        colour: what levels mean.
        pixel_aspect: width over height of a pixel.
        chroma: resolution of colour: 4:4:4, 4:2:2, 4:2:0, or `lower`; `none` without colour.
        hdr: static HDR metadata, if there is any.
        dynamic_hdr: names of HDR metadata that change from frame to frame.
    """

    width: int
    height: int
    frame_rate: Fraction
    time_base: Fraction
    bits: int = 8
    alpha: bool = False
    colour: Colour = UNTAGGED
    pixel_aspect: Fraction = SQUARE
    chroma: str = "4:2:0"
    hdr: HdrMetadata | None = None
    dynamic_hdr: tuple[str, ...] = ()


def require_known_colours(video: VideoFormat, name: str) -> None:
    """Check that a video's numbers can be turned into colours.

    Raises:
        ValueError: they are stored in a way that only few players know.
    """
    kind = video.colour.unreadable
    untold = video.colour.transfer == video.colour.matrix == UNSPECIFIED
    if DOLBY_VISION in video.dynamic_hdr and untold and video.bits > 8:
        kind = "Dolby Vision of profile 5"
    if kind:
        raise ValueError(
            f"{name} stores its colours as {kind}, which cannot be read here; convert it to BT.709, or to "
            "HDR10 or HLG, with the program that made it."
        )
