"""A video file frame by frame, upright, in floating point RGB; memory does not grow with its length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .colour import Colour
from .opening import open_video, picture_stream
from .orientation import Orientation, orientation_of
from .pixels import colour_of, has_alpha, to_rgb
from .timing import REORDER_FRAMES, is_run_of, shown_times

if TYPE_CHECKING:
    import av

OnFrame = Callable[[], None]
_FALLBACK_RATE = Fraction(25)
UNTAGGED = Colour()
SQUARE = Fraction(1)


@dataclass(frozen=True)
class VideoFormat:
    """What all frames of a video share.

    Attributes:
        width: of the upright picture in pixels.
        height: likewise.
        frame_rate: frames a second, on average.
        time_base: seconds that one unit of a timestamp lasts.
        bits: of a level.
        alpha: whether frames say how opaque they are.
        colour: what levels mean.
        pixel_aspect: width over height of a pixel.
    """

    width: int
    height: int
    frame_rate: Fraction
    time_base: Fraction
    bits: int = 8
    alpha: bool = False
    colour: Colour = UNTAGGED
    pixel_aspect: Fraction = SQUARE


class VideoFile:
    """The picture stream of a file."""

    def __init__(self, path: Path) -> None:
        """Read the format from the first frame.

        Raises:
            ValueError: no video in the file, or it cannot be decoded.
        """
        self.path = path
        with self._decoding() as (stream, frames):
            first = next(frames, None)
            if first is None:
                raise ValueError(f"{path.name} has a video stream without frames; export it again.")
            self._orientation = _orientation(first)
            width, height = self._orientation.upright_size(first.width, first.height)
            aspect = Fraction(stream.sample_aspect_ratio or 1)
            self.format = VideoFormat(
                width,
                height,
                Fraction(stream.average_rate or stream.guessed_rate or _FALLBACK_RATE),
                Fraction(stream.time_base),
                first.format.components[0].bits,
                has_alpha(first.format.name),
                colour_of(first),
                1 / aspect if self._orientation.transposed else aspect,
            )
            self._stored_size = (first.width, first.height)

    def timestamps(self, on_frame: OnFrame = lambda: None) -> list[int]:
        """Decode the whole video for the time of each frame, in units of `time_base`, strictly ascending.

        The number of frames that really decode can be had in no other way.

        Raises:
            ValueError: the video cannot be decoded.
        """
        step = max(round(1 / (self.format.frame_rate * self.format.time_base)), 1)
        stamps: list[int | None] = []
        with self._decoding() as (_, frames):
            for frame in frames:
                stamps.append(None if frame.pts is None else int(frame.pts))
                on_frame()
        return shown_times(stamps, step)

    def frames(self, start: int = 0, times: Sequence[int] | None = None) -> Iterator[Tensor]:
        """Yield the frames from number `start` on: float32 [H, W, 3] in [0, 1], with alpha [H, W, 4].

        Args:
            start: first frame wanted.
            times: what `timestamps` gave; with it the video is entered near `start` rather than at its
                beginning.

        Raises:
            ValueError: the video cannot be decoded, or its frames change their size.
        """
        if start and times is not None and start < len(times) and self._can_enter(start, times):
            with self._decoding(seek_to=times[start]) as (_, decoded):
                entered = dropwhile(lambda frame: frame.pts != times[start], decoded)
                for number, frame in enumerate(entered, start):
                    yield self._picture(frame, number)
            return
        with self._decoding() as (_, decoded):
            for number, frame in enumerate(decoded):
                if number >= start:
                    yield self._picture(frame, number)

    def _can_enter(self, start: int, times: Sequence[int]) -> bool:
        """Whether entering near a frame finds it: indexes may be wrong, stamps no times of showing."""
        with self._decoding(seek_to=times[start]) as (_, decoded):
            stamps: list[int | None] = []
            after = 0
            for frame in decoded:
                stamps.append(None if frame.pts is None else int(frame.pts))
                after += frame.pts is None or frame.pts >= times[start]
                if after > REORDER_FRAMES:
                    break
        return is_run_of(stamps, times, start)

    def _picture(self, frame: av.VideoFrame, number: int) -> Tensor:
        if (frame.width, frame.height) != self._stored_size:
            was = " x ".join(map(str, self._stored_size))
            raise ValueError(
                f"{self.path.name}: frame {number} is {frame.width} x {frame.height} px but the first is "
                f"{was} px; all frames must have one size."
            )
        pixels: NDArray[np.float32] = to_rgb(frame, self.format.colour, self.format.alpha)
        return torch.from_numpy(np.ascontiguousarray(self._orientation.upright(pixels)))

    @contextmanager
    def _decoding(self, seek_to: int | None = None) -> Iterator[tuple[Any, Iterator[av.VideoFrame]]]:
        import av  # imported on first use: the pack must load fast

        try:
            with open_video(self.path) as container:
                stream = picture_stream(container, self.path.name)
                stream.thread_type = "AUTO"
                if seek_to is not None:
                    container.seek(seek_to, stream=stream)
                yield stream, container.decode(stream)
        except av.error.FFmpegError as error:
            raise ValueError(f"{self.path.name} cannot be decoded ({error.strerror}).") from error


def _orientation(frame: av.VideoFrame) -> Orientation:
    from av.sidedata.sidedata import Type

    stored = frame.side_data.get(Type.DISPLAYMATRIX)
    return orientation_of(None if stored is None else np.frombuffer(bytes(stored), np.int32).tolist())
