"""Read depth maps from a video file with the precision its pixel format has."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..video_io.decoding import Decoding
from ..video_io.reader import orientation_of_frame
from ..video_io.scaling import one_thread
from ..video_io.survey import missing_end
from .grey import grey_maps
from .in_words import count_frames
from .picture_header import is_tiff

if TYPE_CHECKING:
    import av

# Planar formats whose first plane is luma in the low bits of each word.
_LUMA_PLANE_FORMATS = ("gray", "yuv4", "yuvj4", "yuva4")
_FULL_RANGE = 2
_WANTED = "a video, a still, or a folder of depth maps"
# Colour is judged on a thumbnail: the whole frame would cost more than decoding it.
_COLOUR_CHECK_PX = 64
_HEAD_BYTES = 16
_PICTURE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def iterate_depth_video(path: Path, start: int = 0) -> Iterator[tuple[Tensor, int]]:
    """Decode the picture stream into grey levels, frame by frame.

    Args:
        path: any file the installed FFmpeg reads.
        start: first frame wanted; those before are decoded and left out.

    Returns:
        float32 [H, W] in [0, 1] and the bits of a level, for each frame.

    Raises:
        ValueError: no video stream, no frame, coloured frames, frames of several sizes, a frame that is
            damaged (by its number), or a file that cannot be decoded or is cut off.
        OSError: the file cannot be read.
    """
    import av  # imported on first use: the pack must load fast

    _refuse_other_kinds(path)
    count, size = 0, (0, 0)
    times: list[int] = []
    try:
        with Decoding(path, wanted=_WANTED) as decoding:
            for frame in decoding:
                size = size if count else (frame.width, frame.height)
                if (frame.width, frame.height) != size:
                    raise ValueError(
                        f"{path.name}: frame {count} is {frame.width} x {frame.height} px but the first is "
                        f"{size[0]} x {size[1]} px; all frames must have one size."
                    )
                if frame.is_corrupt:
                    raise ValueError(f"{path.name}: frame {count} is damaged; export the video again.")
                count += 1
                if frame.pts is not None:
                    times.append(frame.pts)
                if count > start:
                    level, black, white, bits = _grey_levels(frame, path.name)
                    # As players show it, and as the video that it belongs to is read.
                    upright = orientation_of_frame(frame).upright(level.astype(np.float32))
                    values = torch.from_numpy(np.ascontiguousarray(upright))
                    yield values.sub_(black).div_(white - black).clamp_(0, 1), bits
            # One map would serve a whole clip, so what is left of several must not.
            if count and (missing := missing_end(path.name, decoding, times)):
                raise ValueError(f"{missing} Export the video again.")
    except av.error.FFmpegError as error:
        where = f"after {count_frames(count)}" if count else "at its start"
        raise ValueError(
            f"{path.name} cannot be decoded {where} ({error.strerror}); give {_WANTED}."
        ) from error
    if not count:
        raise ValueError(f"{path.name} has a video stream without frames; export it again.")


def _refuse_other_kinds(path: Path) -> None:
    """Refuse what FFmpeg would take one picture of, in silence."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS:
        raise ValueError(
            f"{path.name} is a HEIC or AVIF picture, which is not read; save the depth as PNG, or as a video."
        )
    kinds = (
        (is_tiff(head), ".tif"),
        (head[:4] == b"RIFF" and head[8:12] == b"WEBP", ".webp"),
        (head[:4] == b"\x76\x2f\x31\x01", ".exr"),
        (head[:6] == b"\x93NUMPY", ".npy"),
        (head[:4] == b"PK\3\4", ".npz"),
    )
    ending = next((ending for fits, ending in kinds if fits), None)
    if ending is not None:
        raise ValueError(
            f"{path.name} is of the kind {ending} by what is in it; give it a name that ends so."
        )


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
        pixels = frame.to_ndarray(format="rgb48le" if deep else "rgb24", **one_thread())
        white = 65535 if deep else 255
        grey = grey_maps(torch.from_numpy(pixels.astype(np.float32))[None] / white, file_name)[0]
        return grey.numpy(), 0.0, 1.0, bits

    if not name.startswith("gray"):
        width, height = min(frame.width, _COLOUR_CHECK_PX), min(frame.height, _COLOUR_CHECK_PX)
        small = frame.reformat(width=width, height=height, format="rgb24", **one_thread())
        grey_maps(torch.from_numpy(small.to_ndarray())[None].float() / 255, file_name)
    plane = frame.planes[0]
    dtype = np.dtype(np.uint8 if bits == 8 else np.uint16).newbyteorder(">" if name.endswith("be") else "<")
    levels = np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : frame.width]
    # A grey format has no studio range; the others have unless they say otherwise.
    if name.startswith(("gray", "yuvj")) or int(frame.color_range) == _FULL_RANGE:
        return levels.copy(), 0.0, float(2**bits - 1), bits
    step = 2 ** (bits - 8)
    return levels.copy(), 16.0 * step, 235.0 * step, bits
