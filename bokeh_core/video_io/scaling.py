"""FFmpeg's scaler on one thread."""

from typing import Any

from .pyav_version import pyav_major


def one_thread() -> dict[str, Any]:
    """Arguments of PyAV's `reformat` and `to_ndarray` that convert a picture whole.

    On several threads, as PyAV has it since 17, the scaler of FFmpeg 8 leaves a few pixels of chroma
    unwritten in about one small picture of 200.
    """
    return {"threads": 1} if pyav_major() >= 17 else {}
