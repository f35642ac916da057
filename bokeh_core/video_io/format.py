"""What all frames of a video share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ..transfer import DISPLAY, HLG, LINEAR, PQ
from . import hdr
from .colour import BT709, UNSPECIFIED, Colour
from .hdr import DOLBY_VISION, HdrMetadata

UNTAGGED = Colour()
SQUARE = Fraction(1)
AS_TAGGED = "as the file says"
TRANSFER_CHOICES = (AS_TAGGED, DISPLAY, LINEAR, PQ, HLG)
"""What users may say of how the numbers of a clip mean light; see `transfer.TRANSFERS`."""
_BY_CODE = {hdr.LINEAR: LINEAR, hdr.PQ: PQ, hdr.HLG: HLG}


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
        is_light: frames are linear light in floating point, of any brightness, as in OpenEXR.
        chromaticities: x, y of red, green, blue and white, where OpenEXR states them.
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
    is_light: bool = False
    chromaticities: tuple[float, ...] = ()

    @property
    def transfer(self) -> str:
        """How the numbers mean light, one of `transfer.TRANSFERS`; untagged ones are for displays."""
        return _BY_CODE.get(self.colour.transfer, DISPLAY)

    @property
    def holds_light_beyond_white(self) -> bool:
        """Whether a frame may have numbers beyond black and white that mean something."""
        return self.is_light or self.bits > 8 or self.transfer != DISPLAY

    def with_transfer(self, choice: str) -> VideoFormat:
        """The same, its numbers read as a user says rather than as the file does.

        Args:
            choice: one of `TRANSFER_CHOICES`.

        Raises:
            ValueError: it is none of them.
        """
        if choice not in TRANSFER_CHOICES:
            raise ValueError(f"transfer is {choice!r:.60}; choose one of {', '.join(TRANSFER_CHOICES)}.")
        if choice in (AS_TAGGED, self.transfer):
            return self
        code = next((code for code, name in _BY_CODE.items() if name == choice), BT709)
        return replace(self, colour=replace(self.colour, transfer=code))


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
