"""Read depth maps from a video file with the precision its pixel format has."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .grey import grey_maps

if TYPE_CHECKING:
    import av

# Planar formats whose first plane is luma in the low bits of each word.
_LUMA_PLANE_FORMATS = ("gray", "yuv4", "yuvj4", "yuva4")
_FULL_RANGE = 2
# FFmpeg takes any text file for a film of a terminal.
_TEXT_FORMAT = "tty"
# Colour is judged on a thumbnail: the whole frame would cost more than decoding it.
_COLOUR_CHECK_PX = 64


def read_depth_video(path: Path, on_frame: Callable[[], None] | None = None) -> tuple[Tensor, int]:
    """Decode the first video stream into grey levels.

    Args:
        path: any file the installed FFmpeg reads.
        on_frame: called after every frame; may raise to stop.

    Returns:
        float32 [T, H, W] in [0, 1], and the bits of a level.

    Raises:
        ValueError: no video stream, no frame, coloured frames, frames of several sizes, or a file that cannot
            be decoded.
    """
    import av  # imported on first use: the pack must load fast

    levels: list[NDArray[Any]] = []
    scales: list[tuple[float, float]] = []
    bits = 8
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(
                    f"{path.name} has no video stream; give a video, a still, or a folder of depth maps."
                )
            if container.format.name == _TEXT_FORMAT:
                raise ValueError(f"{path.name} is text; give a video, a still, or a folder of depth maps.")
            container.streams.video[0].thread_type = "AUTO"
            for frame in container.decode(video=0):
                level, black, white, bits = _grey_levels(frame, path.name)
                if levels and level.shape != levels[0].shape:
                    raise ValueError(
                        f"{path.name}: frame {len(levels)} is {level.shape[1]} x {level.shape[0]} px but the "
                        f"first is {levels[0].shape[1]} x {levels[0].shape[0]} px; all frames must have one "
                        "size."
                    )
                levels.append(level)
                scales.append((black, white))
                if on_frame is not None:
                    on_frame()
    except av.error.FFmpegError as error:
        where = f"after {len(levels)} frames" if levels else "at its start"
        raise ValueError(
            f"{path.name} cannot be decoded {where} ({error.strerror}); give a video, a still, or a folder "
            "of depth maps."
        ) from error
    if not levels:
        raise ValueError(f"{path.name} has a video stream without frames; export it again.")

    maps = torch.empty(len(levels), *levels[0].shape)
    for t, (black, white) in enumerate(scales):
        maps[t] = torch.from_numpy(levels[t].astype(np.float32)).sub_(black).div_(white - black).clamp_(0, 1)
        # The decoded levels are let go one by one, or a long clip would be held twice.
        levels[t] = levels[t][:0]
    return maps, bits


def _grey_levels(frame: "av.VideoFrame", file_name: str) -> tuple[NDArray[Any], float, float, int]:
    """Return levels [H, W], the level of black, the level of white, and the bits."""
    name = frame.format.name
    bits = frame.format.components[0].bits
    if "f16" in name or "f32" in name:
        raise ValueError(
            f"{file_name} has floating-point pixels ({name}), which video cannot bring in; write EXR or NPY."
        )
    if not name.startswith(_LUMA_PLANE_FORMATS):
        deep = bits > 8
        pixels = frame.to_ndarray(format="rgb48le" if deep else "rgb24")
        white = 65535 if deep else 255
        grey = grey_maps(torch.from_numpy(pixels.astype(np.float32))[None] / white, file_name)[0]
        return grey.numpy(), 0.0, 1.0, bits

    if not name.startswith("gray"):
        width, height = min(frame.width, _COLOUR_CHECK_PX), min(frame.height, _COLOUR_CHECK_PX)
        small = frame.reformat(width=width, height=height, format="rgb24")
        grey_maps(torch.from_numpy(small.to_ndarray())[None].float() / 255, file_name)
    plane = frame.planes[0]
    dtype = np.dtype(np.uint8 if bits == 8 else np.uint16).newbyteorder(">" if name.endswith("be") else "<")
    levels = np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : frame.width]
    # A grey format has no studio range; the others have unless they say otherwise.
    if name.startswith(("gray", "yuvj")) or int(frame.color_range) == _FULL_RANGE:
        return levels.copy(), 0.0, float(2**bits - 1), bits
    step = 2 ** (bits - 8)
    return levels.copy(), 16.0 * step, 235.0 * step, bits
