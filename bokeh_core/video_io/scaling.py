"""FFmpeg's scaler on one thread."""

from typing import Any


def one_thread() -> dict[str, Any]:
    """Arguments of PyAV's `reformat` and `to_ndarray` that convert a picture whole.

    On several threads, as PyAV has it since 17, the scaler of FFmpeg 8 leaves a few pixels of chroma
    unwritten in about one small picture of 200.
    """
    import av  # imported on first use: the pack must load fast

    return {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}
