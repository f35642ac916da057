"""Write a clip as an H.264 file that browsers play."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bokeh_core.disk.whole_file import whole_file
from bokeh_core.video_io.opening import address_of
from bokeh_core.video_io.scaling import one_thread

FRAMES_PER_SECOND = 8
_ENCODER = "libx264"
# Errors of codecs must stay below those of the renderers that are looked at.
_QUALITY = {"crf": "14", "preset": "veryfast", "movflags": "+faststart"}
_BT709 = 1
# One second at most between key frames, so that stepping and looping are exact and quick.
_KEY_FRAME_DISTANCE = FRAMES_PER_SECOND

DIFFERENCE_GAIN = 8


def write_video(frames: Tensor, path: Path) -> None:
    """Encode frames as H.264, 4:2:0, BT.709, under a temporary name first.

    Args:
        frames: [T, H, W, 3] display RGB or [T, H, W] grey, in [0, 1]. Odd sizes get
            their last row or column twice.
        path: of the mp4 file; its folder exists.

    Raises:
        ValueError: this PyAV has no H.264 encoder.
    """
    import av  # a heavy import that only the videos need

    if _ENCODER not in av.codecs_available:
        raise ValueError(
            f"This PyAV cannot encode H.264 ({_ENCODER}); install the wheel from PyPI, or pass --no-videos."
        )
    pictures = _even(_rgb_bytes(frames))
    height, width = pictures.shape[1:3]
    flags = {"movflags": _QUALITY["movflags"]}
    with (
        whole_file(path) as beside,
        av.open(address_of(beside), "w", format="mp4", options=flags) as container,
    ):
        stream = container.add_stream(_ENCODER, rate=Fraction(FRAMES_PER_SECOND))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {key: value for key, value in _QUALITY.items() if key != "movflags"}
        coder = stream.codec_context
        coder.gop_size = _KEY_FRAME_DISTANCE
        # One thread: several processes write at the same time, and the file is the same each time.
        coder.thread_count = 1
        coder.colorspace = coder.color_primaries = coder.color_trc = _BT709
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            stored = frame.reformat(format="yuv420p", dst_colorspace="ITU709", **one_thread())
            container.mux(stream.encode(stored))
        container.mux(stream.encode())


def above_difference(frames: Tensor, truth: Tensor) -> Tensor:
    """Put frames [T, H, W, 3] above 8 times their absolute difference from the truth: [T, 2H, W, 3].

    One file for both: a browser plays a limited number of videos at a time, and these cannot drift apart.
    """
    return torch.cat([frames, ((frames - truth).abs() * DIFFERENCE_GAIN).clamp_(0, 1)], dim=1)


def _rgb_bytes(frames: Tensor) -> np.ndarray:
    if frames.ndim == 3:
        frames = frames[..., None].expand(-1, -1, -1, 3)
    return (frames.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def _even(pictures: np.ndarray) -> np.ndarray:
    """4:2:0 halves both sides."""
    height, width = pictures.shape[1:3]
    return np.ascontiguousarray(
        np.pad(pictures, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    )
