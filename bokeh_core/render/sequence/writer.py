"""Rendered frames -> pictures, and a run of them in one file until the folder is complete."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
import torch
from torch import Tensor

from ...transfer import DISPLAY, LINEAR, converted
from ...video_io import Encoding, VideoFormat
from ...video_io.colour import UNSPECIFIED
from .exr_file import exr_bytes
from .png_tags import with_colour

# x, y of red, green, blue and white, by the code of ITU-T H.273.
_CHROMATICITIES = {
    1: (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329),
    9: (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329),
    12: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329),
}


def picture_ending(encoding: Encoding) -> str:
    """Ending of the pictures of an encoding."""
    return ".exr" if encoding.codec.startswith("exr") else ".png"


def picture_bytes(frame: Tensor, video: VideoFormat, encoding: Encoding) -> bytes:
    """The file of a frame.

    Args:
        frame: [H, W, 1, 3 or 4], numbers as the clip's.
        video: format of the clip.
        encoding: one of `video_io.codecs.PICTURES`.
    """
    frame = frame.detach().float().cpu()
    frame = frame.expand(-1, -1, 3) if frame.shape[-1] == 1 else frame
    if encoding.codec.startswith("exr"):
        light = converted(frame, video.transfer, LINEAR)
        if light.shape[-1] == 4:
            # In OpenEXR light is premultiplied.
            light = torch.cat([light[..., :3] * light[..., 3:], light[..., 3:]], dim=-1)
        return exr_bytes(
            light.numpy(),
            half=encoding.codec == "exr-half",
            frame_rate=video.frame_rate,
            pixel_aspect=float(video.pixel_aspect),
            chromaticities=video.chromaticities or _CHROMATICITIES.get(video.colour.primaries, ()),
        )
    if video.is_light:
        frame = converted(frame, video.transfer, DISPLAY)
    most = 255 if encoding.codec == "png-8bit" else 65535
    levels = (frame.clamp(0, 1) * most).round().numpy().astype(np.uint8 if most == 255 else np.uint16)
    # OpenCV's order.
    stored = np.ascontiguousarray(levels[..., [2, 1, 0, 3][: levels.shape[-1]]])
    png = cv2.imencode(".png", stored)[1].tobytes()
    if video.is_light or video.transfer == DISPLAY:
        return png
    primaries = video.colour.primaries
    return with_colour(png, replace(video.colour, primaries=9 if primaries == UNSPECIFIED else primaries))


class PicturePartWriter:
    """Stores frames one by one in a file that is no picture, so that a part is there whole or not at all."""

    reorder = 0

    def __init__(self, path: Path, names: list[str], encoding: Encoding, video: VideoFormat) -> None:
        """Begin a part.

        Args:
            path: where to write.
            names: of its pictures, in order.
            encoding: of the pictures.
            video: format of the clip.
        """
        self._names = iter(names)
        self._encoding, self._video = encoding, video
        # Pictures are compressed already.
        self._file = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)

    def add(self, frame: Tensor) -> None:
        """Store the next frame, as `picture_bytes`."""
        self._file.writestr(next(self._names), picture_bytes(frame, self._video, self._encoding))

    def __enter__(self) -> PicturePartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
