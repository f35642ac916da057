"""How rendered frames are stored: the codecs on offer, and which pixels each of them keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .format import VideoFormat
from .hdr import HdrMetadata

if TYPE_CHECKING:
    from fractions import Fraction

DEFAULT_CRF = 18
# Container by the ending of the file's name.
VIDEO_ENDINGS = {
    *(".mp4", ".mov", ".m4v", ".3gp", ".mkv", ".webm", ".avi", ".wmv", ".flv", ".ogv", ".mxf", ".gif"),
    *(".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".vob"),
}
"""File endings by which videos are found in a folder."""
CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}

_PICTURE_ENDINGS = (".exr", ".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".webp")

_MKV_TICKS_A_SECOND = 1000


@dataclass(frozen=True)
class Codec:
    """One way of storing frames.

    Attributes:
        encoder: FFmpeg's name.
        endings: of files that can hold it, the usual one first.
        keeps_alpha: whether it stores alpha.
        bits_per_pixel: of ordinary film, at the default quality; to estimate the space needed.
        summary: for people.
        bits: of a level, at most.
        most_px: columns or rows, at most.
    """

    encoder: str
    endings: tuple[str, ...]
    keeps_alpha: bool
    bits_per_pixel: float
    summary: str
    bits: int
    most_px: int


CODECS: Mapping[str, Codec] = {
    "h264": Codec("libx264", (".mp4", ".mov", ".mkv"), False, 0.35, "8 bit, plays everywhere", 8, 16384),
    "h264-10bit": Codec("libx264", (".mp4", ".mov", ".mkv"), False, 0.45, "10 bit, fewer players", 10, 16384),
    "prores": Codec("prores_ks", (".mov", ".mkv"), True, 4.0, "10 bit, for editing; alpha kept", 10, 65535),
    "ffv1": Codec("ffv1", (".mkv",), True, 16.0, "lossless 4:4:4, 10 bit or more; alpha kept", 16, 65535),
}

PICTURES: Mapping[str, Codec] = {
    "png-8bit": Codec("", ("",), True, 12.0, "a folder of PNG, 8 bit; alpha kept", 8, 65535),
    "png-16bit": Codec("", ("",), True, 40.0, "a folder of PNG, 16 bit; alpha kept", 16, 65535),
    "exr-half": Codec(
        "", ("",), True, 40.0, "a folder of OpenEXR, light beyond white and alpha kept", 16, 65535
    ),
    "exr-float": Codec("", ("",), True, 80.0, "the same in 32 bit", 32, 65535),
}
"""Frames stored as a folder of pictures, without sound."""
ENCODINGS: Mapping[str, Codec] = {**CODECS, **PICTURES}
"""All ways to store frames."""


@dataclass(frozen=True)
class Encoding:
    """Codec and quality of a video to write.

    Attributes:
        codec: one of `ENCODINGS`.
        crf: quality of H.264, 0 = lossless to 51; 18 is hard to tell from the source. Only H.264 has it.
    """

    codec: str = "h264"
    crf: int = DEFAULT_CRF

    def __post_init__(self) -> None:
        if self.codec not in ENCODINGS:
            raise ValueError(f"codec is {self.codec!r}; choose one of {', '.join(ENCODINGS)}.")
        if not 0 <= self.crf <= 51:
            raise ValueError(f"crf is {self.crf}; it must be 0 (lossless) to 51, 18 looks like the source.")

    @property
    def endings(self) -> tuple[str, ...]:
        """Endings of files that can hold the codec, the usual one first."""
        return ENCODINGS[self.codec].endings

    @property
    def is_pictures(self) -> bool:
        """Whether the result is a folder of pictures."""
        return self.codec in PICTURES

    @property
    def keeps_alpha(self) -> bool:
        """Whether the result can say how opaque its frames are."""
        return ENCODINGS[self.codec].keeps_alpha

    @property
    def ending(self) -> str:
        """The usual ending of such files."""
        return self.endings[0]

    def endings_for(self, frame_rate: Fraction) -> tuple[str, ...]:
        """Endings of files that can also say when each frame of a rate is shown; all if none can."""
        if frame_rate <= _MKV_TICKS_A_SECOND:
            return self.endings
        return tuple(ending for ending in self.endings if ending != ".mkv") or self.endings

    def require_container(self, path: Path) -> None:
        """Check that a file's name stands for a container that can hold this codec.

        Raises:
            ValueError: it does not.
        """
        endings = ENCODINGS[self.codec].endings
        if self.is_pictures:
            if path.suffix.lower() in {*VIDEO_ENDINGS, *_PICTURE_ENDINGS}:
                raise ValueError(
                    f"{self.codec} makes a folder of pictures; name one without an ending: {path.stem}."
                )
            return
        if path.suffix.lower() not in endings:
            raise ValueError(
                f"{path.name} cannot hold {self.codec}; name a file that ends in {' or '.join(endings)}."
            )

    def pixel_format(self, video: VideoFormat) -> tuple[str, int]:
        """FFmpeg's pixel format and the bits of a level.

        Colour at half resolution needs even sides, so odd ones are stored with colour at full resolution: no
        pixel is added or cut off.
        """
        odd_width, odd_height = video.width % 2 == 1, video.height % 2 == 1
        if self.codec == "prores":
            if video.alpha:
                return "yuva444p10le", 10
            full_colour = odd_width or video.chroma == "4:4:4"
            return ("yuv444p10le" if full_colour else "yuv422p10le"), 10
        if self.codec == "ffv1":
            deep = video.bits > 10
            return f"yuv{'a' if video.alpha else ''}444p{16 if deep else 10}le", 16 if deep else 10
        planar = "yuv444p" if odd_width or odd_height else "yuv420p"
        return (f"{planar}10le", 10) if self.codec == "h264-10bit" else (planar, 8)

    def options(self, pixel_format: str, hdr: HdrMetadata | None = None) -> dict[str, str]:
        """Options of FFmpeg's encoder.

        Args:
            pixel_format: what it is given.
            hdr: static HDR metadata to write, where the codec can.
        """
        if self.codec == "prores":
            return {"profile": "4444" if "444" in pixel_format else "hq", "vendor": "apl0"}
        if self.codec == "ffv1":
            return {"level": "3", "g": "1", "slicecrc": "1"}
        # Without x264's macroblock tree: on small pictures it reads memory that it has not written, and the
        # same frames would not always give the same file.
        options = {"crf": str(self.crf), "preset": "medium", "mbtree": "0"}
        if hdr is not None:
            options["x264-params"] = ":".join(f"{name}={value}" for name, value in hdr.x264_params().items())
        return options

    def estimated_bytes(self, video: VideoFormat, num_frames: int) -> int:
        """A guess at the size of a video; film with much grain takes twice as much."""
        bits_per_pixel = ENCODINGS[self.codec].bits_per_pixel
        if self.codec.startswith("h264"):
            # Six steps of crf halve the rate.
            bits_per_pixel *= 2 ** ((DEFAULT_CRF - self.crf) / 6)
        return round(bits_per_pixel / 8 * video.width * video.height * num_frames)


def set_colour_tags(context: Any, video: VideoFormat) -> None:
    """Write the colour tags and the shape of a pixel into an encoder."""
    colour = video.colour
    context.color_range = colour.sample_range
    context.colorspace = colour.matrix
    context.color_primaries = colour.primaries
    context.color_trc = colour.transfer
    if video.pixel_aspect != 1:
        aspect: Fraction = video.pixel_aspect
        context.sample_aspect_ratio = aspect
