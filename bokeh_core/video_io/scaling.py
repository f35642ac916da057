"""FFmpeg's scaler on one thread, with colour in the middle of its pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .pyav_version import pyav_major

if TYPE_CHECKING:
    import av


def one_thread() -> dict[str, Any]:
    """Arguments of PyAV's `reformat` and `to_ndarray` that convert a picture whole.

    On several threads, as PyAV has it since 17, the scaler of FFmpeg 8 leaves a few pixels of chroma
    unwritten in about one small picture of 200.
    """
    return {"threads": 1} if pyav_major() >= 17 else {}


def with_colour_in_the_middle(frame: av.VideoFrame) -> av.VideoFrame:
    """A copy of a planar picture that does not say where between the pixels its colour lies.

    Scaled from where H.264 has it, beside the left pixels, and back into the middle, where alone PyAV can put
    it, colour would move by half a pixel. From the middle and back it stays.
    """
    import av  # imported on first use: the pack must load fast

    if any(plane.line_size < 0 for plane in frame.planes):
        # Stored from the last row up, as by VP6: Python would read beside the picture.
        return frame
    copy = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for source, target in zip(frame.planes, copy.planes, strict=True):
        rows = np.zeros((target.height, target.line_size), np.uint8)
        given = np.frombuffer(source, np.uint8).reshape(source.height, -1)
        wide = min(given.shape[1], target.line_size)
        rows[:, :wide] = given[:, :wide]
        target.update(rows)
    return copy
