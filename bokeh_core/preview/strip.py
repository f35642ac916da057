"""A clip made small enough for a browser: some of its frames as JPEG, their disparity as PNG of 8 bits."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..clip.checks import checked_frames, checked_maps
from ..disk.whole_file import whole_file
from ..progress import Progress, no_progress
from ..thumbnail import thumbnail

MOST_FRAMES = 64
LONGEST_SIDE_PX = 768
_JPEG_QUALITY = 92


@dataclass(frozen=True)
class Strip:
    """What a browser needs to show a clip and to measure its depth.

    Attributes:
        frames: T, length of the clip.
        width: of the clip in px; the pictures are smaller.
        height: of the clip in px.
        shown: numbers of the frames that are in the strip, rising.
        pictures: names of their JPEG files; none where only the disparity was given.
        disparity: names of their PNG files, grey, 0 = farthest, 255 = nearest.
    """

    frames: int
    width: int
    height: int
    shown: list[int]
    pictures: list[str]
    disparity: list[str]


def frames_of_strip(num_frames: int, wanted: Iterable[int] = (), most: int = MOST_FRAMES) -> list[int]:
    """Choose frames for a strip: those wanted, as many as fit, and others spread evenly over the clip.

    Args:
        num_frames: T >= 1.
        wanted: numbers of frames, those outside of the clip are left out.
        most: number of frames in the strip, at least 2.

    Returns:
        Rising, without repeats; first and last frame of the clip are among them.
    """
    if num_frames <= most:
        return list(range(num_frames))
    chosen = {0, num_frames - 1}
    for frame in wanted:
        # Half of the strip is for the clip between the decisions.
        if 0 <= frame < num_frames and len(chosen) < most // 2:
            chosen.add(frame)
    while len(chosen) < most:
        # Into the widest gap.
        places = sorted(chosen)
        begin = max(range(len(places) - 1), key=lambda i: places[i + 1] - places[i])
        chosen.add((places[begin] + places[begin + 1]) // 2)
    return sorted(chosen)


def write_strip(
    folder: Path,
    disparity: Tensor,
    frames: Tensor | None = None,
    wanted: Iterable[int] = (),
    progress: Progress = no_progress,
) -> Strip:
    """Write a strip of a clip; files of the same content are written once, and none is ever changed.

    Args:
        folder: where to; it exists.
        disparity: [T, H, W] in [0, 1], 1 = near.
        frames: [T, H, W, C] in [0, 1]; None writes the disparity alone.
        wanted: frames that the strip should have.
        progress: told of finished frames; may raise to stop.

    Raises:
        ValueError: frames and disparity of other sizes or numbers.
        OSError: the folder cannot be written to.
    """
    if frames is not None:
        frames = checked_frames(frames)
        disparity = checked_maps(disparity, "disparity", tuple(frames.shape[1:3]))
    num_frames, height, width = disparity.shape
    shown = frames_of_strip(num_frames, wanted)
    pictures, maps = [], []
    for done, t in enumerate(shown, 1):
        maps.append(_write(folder, ".png", np.round(255 * _small_map(disparity[t])).astype(np.uint8)))
        if frames is not None:
            rgb = thumbnail(frames[t], LONGEST_SIDE_PX).numpy()
            pictures.append(_write(folder, ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)))
        progress(done, len(shown))
    return Strip(num_frames, width, height, shown, pictures, maps)


def small_clip(frames: Tensor, disparity: Tensor, shown: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return some frames and their maps as small as in a strip, so that a large clip does not fill memory.

    Args:
        frames: [T, H, W, C] in [0, 1].
        disparity: [T, H, W] in [0, 1], 1 = near.
        shown: numbers of frames.

    Returns:
        RGB [N, h, w, 3] in [0, 1] and [N, h, w].
    """
    pictures = torch.stack([thumbnail(frames[t], LONGEST_SIDE_PX) for t in shown]).float() / 255
    return pictures, torch.stack([torch.from_numpy(_small_map(disparity[t])) for t in shown])


def _small_map(disparity: Tensor) -> NDArray[Any]:
    height, width = disparity.shape
    scale = min(1.0, LONGEST_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Depth is not averaged: between two surfaces there is nothing at their mean.
    return cv2.resize(disparity.cpu().numpy(), size, interpolation=cv2.INTER_NEAREST)


def _write(folder: Path, ending: str, picture: NDArray[Any]) -> str:
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if ending == ".jpg" else []
    encoded, content = cv2.imencode(ending, picture, options)
    if not encoded:
        raise OSError(f"OpenCV cannot write {ending} pictures.")
    name = f"strip_{hashlib.sha256(content.tobytes()).hexdigest()[:24]}{ending}"
    file = folder / name
    if not file.exists():
        # What a crash takes from a folder of temporary files is written again.
        with whole_file(file, on_disk=False) as beside:
            beside.write_bytes(content.tobytes())
    return name
