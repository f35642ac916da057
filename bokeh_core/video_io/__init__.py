"""Video in and out, frame by frame: any pixel format, rotation, rate and size; sound copied as it is."""

from .codecs import CODECS, CONTAINERS, DEFAULT_CRF, ENCODINGS, Encoding
from .format import VideoFormat
from .join import EncodedPart, join_parts, require_times_fit
from .losses import picture_losses
from .reader import VideoFile
from .timing import rate_of_decimal
from .tracks import TrackPlan, ending_for_sound, has_sound, plan_tracks
from .writer import PartWriter, container_of, require_encodes

__all__ = [
    "CODECS",
    "CONTAINERS",
    "DEFAULT_CRF",
    "ENCODINGS",
    "EncodedPart",
    "Encoding",
    "PartWriter",
    "TrackPlan",
    "VideoFile",
    "VideoFormat",
    "container_of",
    "ending_for_sound",
    "has_sound",
    "join_parts",
    "picture_losses",
    "plan_tracks",
    "rate_of_decimal",
    "require_encodes",
    "require_times_fit",
]
