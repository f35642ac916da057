"""Video in and out, frame by frame: any pixel format, rotation, rate and size; sound copied untouched."""

from .codecs import CODECS, CONTAINERS, DEFAULT_CRF, Encoding
from .format import VideoFormat
from .join import EncodedPart, join_parts, require_audio_fits
from .losses import picture_losses
from .reader import VideoFile
from .writer import PartWriter, container_of, require_encodes

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
    "picture_losses",
    "require_audio_fits",
    "require_encodes",
]
