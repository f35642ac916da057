"""Video in and out, frame by frame: any pixel format, rotation, rate and size; sound copied untouched."""

from .codecs import CODECS, CONTAINERS, DEFAULT_CRF, Encoding
from .join import EncodedPart, join_parts, require_audio_fits
from .reader import VideoFile, VideoFormat
from .writer import PartWriter, container_of

__all__ = [
    "CODECS",
    "CONTAINERS",
    "DEFAULT_CRF",
    "EncodedPart",
    "Encoding",
    "PartWriter",
    "VideoFile",
    "VideoFormat",
    "container_of",
    "join_parts",
    "require_audio_fits",
]
