"""Frames -> a small video that every browser plays: to look at, not to keep."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..progress import Check, no_check
from ..thumbnail import thumbnail
from .codecs import set_colour_tags
from .colour import BT709, LIMITED, Colour
from .format import VideoFormat
from .opening import address_of
from .pixels import to_frame

LONGEST_SIDE_PX = 768
_TAGS = Colour(BT709, LIMITED, BT709, BT709)
# Fast, as the node waits for it; letters and thin lines stay clean at this quality.
_OPTIONS = {"preset": "veryfast", "crf": "20"}


def write_small_copy(
    path: Path, frames: Iterable[Tensor], frame_rate: Fraction, check: Check = no_check
) -> None:
    """Write a silent MP4 (H.264) whose longer side has at most `LONGEST_SIDE_PX` px.

    Args:
        path: where to write; nothing is left there if the work is stopped.
        frames: each [H, W, C], 0 = black, 1 = white; C = 1, 3 or 4, what is transparent shows grey.
        frame_rate: frames a second.
        check: called before each frame; may raise to stop.

    Raises:
        ValueError: no frames.
    """
    import av  # imported on first use: the pack must load fast

    stream: Any = None
    try:
        with av.open(address_of(path), "w", format="mp4") as container:
            for number, frame in enumerate(frames):
                check()
                pixels = _of_even_size(thumbnail(frame, LONGEST_SIDE_PX))
                if stream is None:
                    height, width = pixels.shape[:2]
                    stream = container.add_stream("libx264", rate=frame_rate, options=_OPTIONS)
                    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                    colour = VideoFormat(width, height, frame_rate, 1 / frame_rate, colour=_TAGS)
                    set_colour_tags(stream.codec_context, colour)
                picture = to_frame(pixels.float().div(255).numpy(), "yuv420p", 8, _TAGS)
                picture.pts, picture.time_base = number, 1 / frame_rate
                container.mux(stream.encode(picture))
            if stream is None:
                raise ValueError("A clip without frames cannot be shown.")
            container.mux(stream.encode(None))
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _of_even_size(pixels: Tensor) -> Tensor:
    """Repeat the last row and column [h, w, 3] where the chroma of 4:2:0 needs one more."""
    height, width = pixels.shape[:2]
    rows = torch.arange(height + height % 2).clamp_max(height - 1)
    columns = torch.arange(width + width % 2).clamp_max(width - 1)
    return pixels[rows][:, columns]
