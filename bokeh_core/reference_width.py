"""Lengths that users set, stated for a frame 1024 px wide so that they mean the same at every size.

A setting without a unit in its name (`strength`, `tolerance`) is stated so; `_px` is px of the frame at hand.
"""

from typing import TypeVar

from torch import Tensor

REFERENCE_WIDTH_PX = 1024

Length = TypeVar("Length", float, Tensor)


def in_frame_px(stated: Length, frame_width_px: float) -> Length:
    """Turn a length stated in px on a frame 1024 px wide over into px of a frame of the given width."""
    return stated * (frame_width_px / REFERENCE_WIDTH_PX)


def as_stated(length_px: Length, frame_width_px: float) -> Length:
    """Turn a length in px of a frame of the given width over into px on a frame 1024 px wide."""
    return length_px * (REFERENCE_WIDTH_PX / frame_width_px)
