"""Pictures of a video as FFmpeg itself turns them into RGB, by the tags: a second opinion on our colours."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.core.render.clips import Array

# Codes of H.273 as FFmpeg's scaler names them; untagged video of few rows is BT.601.
MATRICES = {1: "bt709", 2: "smpte170m", 4: "fcc", 5: "smpte170m", 6: "smpte170m", 7: "smpte240m", 9: "bt2020"}
EXACT = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"


def first_frame(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def rgb_by_ffmpeg(path: Path, matrix: int | None = None) -> Array:
    """First frame [H, W, 3] in [0, 1].

    Args:
        path: of a video with fewer than 577 rows.
        matrix: to use in place of that of the picture's tags.
    """
    frame = first_frame(path)
    full = int(frame.color_range) == 2 or frame.format.name.startswith("yuvj")
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 24)
    )
    name = MATRICES.get(int(frame.colorspace) if matrix is None else matrix, "smpte170m")
    last: Any = source
    for kind, arguments in (
        ("scale", f"in_color_matrix={name}:in_range={'full' if full else 'auto'}:flags={EXACT}"),
        ("format", "rgb48le"),
        ("buffersink", ""),
    ):
        following = graph.add(kind, arguments)
        last.link_to(following)
        last = following
    graph.configure()
    graph.push(frame)
    rgb: Array = graph.pull().to_ndarray(format="rgb48le") / 65535
    return rgb


def write_picture(
    path: Path,
    rgb: Array,
    pixel_format: str,
    matrix: int = 1,
    sample_range: int = 1,
    *,
    primaries: int = 2,
    transfer: int = 2,
    codec: str = "ffv1",
    options: dict[str, str] | None = None,
) -> Path:
    """One frame of [H, W, 3 or 4] in [0, 1], converted by FFmpeg and tagged."""
    deep = np.rint(rgb * 65535).astype(np.uint16)
    frame = av.VideoFrame.from_ndarray(deep, format="rgba64le" if rgb.shape[-1] == 4 else "rgb48le")
    frame = frame.reformat(
        format=pixel_format,
        src_color_range=2,
        dst_color_range=sample_range,
        # A code that the scaler has numbers of.
        dst_colorspace=6 if matrix == 2 else matrix,
    )
    frame.colorspace, frame.color_range = matrix, sample_range
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=24, options=options or {})
        stream.height, stream.width = rgb.shape[:2]
        stream.pix_fmt = pixel_format
        if not frame.format.is_rgb:
            stream.codec_context.colorspace, stream.codec_context.color_range = matrix, sample_range
        stream.codec_context.color_primaries, stream.codec_context.color_trc = primaries, transfer
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def soft_colours(height: int = 32, width: int = 48) -> Array:
    """[H, W, 3] in [0.2, 0.8]: every channel another slope."""
    down, across = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    return np.stack([0.2 + 0.6 * across, 0.25 + 0.5 * down, 0.3 + 0.2 * (across + down)], axis=-1)
