"""Clips that are folders of pictures, PNG or OpenEXR: read and written like videos, of any length."""

from .clip import DEFAULT_FRAME_RATE, SequenceClip
from .names import is_sequence_path

__all__ = ["DEFAULT_FRAME_RATE", "SequenceClip", "is_sequence_path"]
