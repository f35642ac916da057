"""A video file frame by frame, upright, in floating point RGB; memory does not grow with its length."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..progress import Progress, no_progress
from .decoding import CannotSeek, Decoding, has_side_alpha
from .format import VideoFormat, require_known_colours
from .hdr import dynamic_metadata_of, hdr_metadata_of, side_data
from .orientation import Orientation, orientation_of
from .pixels import chroma_of, colour_of, has_alpha, to_rgb
from .survey import Survey
from .timing import REORDER_FRAMES, frame_rate_of, is_run_of, shown_times

if TYPE_CHECKING:
    import av

# Formats that count time from the beginning of the file to its end.
_WITH_INDEX = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mxf", "asf")


class VideoFile:
    """The picture stream of a file."""

    def __init__(self, path: Path) -> None:
        """Read the format from the first frame.

        Raises:
            ValueError: no video in the file, or it cannot be decoded.
        """
        self.path = path
        self._survey = Survey(path.name)
        with Decoding(path) as decoding:
            first = next(iter(decoding), None)
            if first is None:
                raise ValueError(f"{path.name} has a video stream without frames; export it again.")
            stream = decoding.stream
            self._orientation = orientation_of_frame(first)
            width, height = self._orientation.upright_size(first.width, first.height)
            aspect = Fraction(stream.sample_aspect_ratio or 1)
            self.format = VideoFormat(
                width,
                height,
                frame_rate_of(stream),
                Fraction(stream.time_base),
                first.format.components[0].bits,
                has_alpha(first.format.name),
                colour_of(first, stream.codec_context).as_shown(first.height, height),
                1 / aspect if self._orientation.transposed else aspect,
                chroma_of(first),
                hdr_metadata_of(first),
                dynamic_metadata_of(first),
            )
            self._stored_size = (first.width, first.height)
            require_known_colours(self.format, path.name)
            self._unread_alpha = has_side_alpha(stream) and not self.format.alpha

    def timestamps(self, progress: Progress = no_progress, until: int | None = None) -> list[int]:
        """Decode the video for the time of each frame, in units of `time_base`, strictly ascending.

        The number of frames that really decode can be had in no other way.

        Args:
            progress: told of every frame, of a total that is not known; may raise to stop.
            until: time before which frames are wanted; None wants them all.

        Raises:
            ValueError: the video cannot be decoded.
        """
        step = max(round(1 / (self.format.frame_rate * self.format.time_base)), 1)
        stamps: list[int | None] = []
        after = 0
        self._survey = Survey(self.path.name)
        with Decoding(self.path) as decoding:
            for frame in decoding:
                self._require_size(frame, len(stamps))
                self._survey.look_at(frame, len(stamps), self.format.colour)
                stamps.append(None if frame.pts is None else int(frame.pts))
                progress(len(stamps), 0)
                after += until is not None and frame.pts is not None and frame.pts >= until
                # Stamps in the order of storing may go back by as many.
                if after > REORDER_FRAMES:
                    break
            times = shown_times(stamps, step)
            if after <= REORDER_FRAMES:
                self._survey.look_at_end(decoding, times)
        return times if until is None else times[: bisect_left(times, until)]

    def findings(self) -> list[str]:
        """What people should know of the file before it is rendered; complete once `timestamps` has run."""
        lost = [f"The alpha of {self.path.name} cannot be read by this FFmpeg, which has no libvpx."]
        return [*(lost if self._unread_alpha else []), *self._survey.sentences()]

    def frames(self, start: int = 0, times: Sequence[int] | None = None) -> Iterator[Tensor]:
        """Yield the frames from number `start` on: float32 [H, W, 3] in [0, 1], with alpha [H, W, 4].

        Args:
            start: first frame wanted.
            times: what `timestamps` gave; with it the video is entered near `start` rather than at its
                beginning.

        Raises:
            ValueError: the video cannot be decoded, ends early, or its frames change their size.
        """
        number = start
        for picture in self._pictures(start, times):
            number += 1
            yield picture
        if times is not None and number < len(times):
            raise ValueError(
                f"{self.path.name} gave {len(times)} frames when it was first read, and {number} this time; "
                "start again once nothing writes to it any more."
            )

    def _pictures(self, start: int, times: Sequence[int] | None) -> Iterator[Tensor]:
        if start and times is not None and start < len(times) and self._can_enter(start, times):
            with Decoding(self.path, seek_to=times[start]) as decoded:
                entered = dropwhile(lambda frame: frame.pts != times[start], decoded)
                for number, frame in enumerate(entered, start):
                    yield self._picture(frame, number)
            return
        with Decoding(self.path) as decoded:
            for number, frame in enumerate(decoded):
                if number >= start:
                    yield self._picture(frame, number)

    def _can_enter(self, start: int, times: Sequence[int]) -> bool:
        """Whether entering near a frame finds it: indexes may be wrong, stamps no times of showing."""
        if not self._has_one_clock(times):
            return False
        try:
            entered = Decoding(self.path, seek_to=times[start])
        except CannotSeek:
            return False
        with entered as decoded:
            stamps: list[int | None] = []
            after = 0
            for frame in decoded:
                stamps.append(None if frame.pts is None else int(frame.pts))
                after += frame.pts is None or frame.pts >= times[start]
                if after > REORDER_FRAMES:
                    break
        return is_run_of(stamps, times, start)

    def _has_one_clock(self, times: Sequence[int]) -> bool:
        """Whether the time stamps in a file name one frame each.

        Streams that were joined start counting again, which shows only in the whole of their packets.
        """
        with Decoding(self.path) as decoding:
            if decoding.format_name in _WITH_INDEX:
                return True
            return decoding.stamps()[: len(times)] == list(times)

    def _require_size(self, frame: av.VideoFrame, number: int) -> None:
        if (frame.width, frame.height) != self._stored_size:
            was = " x ".join(map(str, self._stored_size))
            raise ValueError(
                f"{self.path.name}: frame {number} is {frame.width} x {frame.height} px but the first is "
                f"{was} px; all frames must have one size."
            )

    def _picture(self, frame: av.VideoFrame, number: int) -> Tensor:
        self._require_size(frame, number)
        pixels: NDArray[np.float32] = to_rgb(frame, self.format.colour, self.format.alpha)
        return torch.from_numpy(np.ascontiguousarray(self._orientation.upright(pixels)))


def orientation_of_frame(frame: av.VideoFrame) -> Orientation:
    """How to turn the picture of a frame upright, from the display matrix in the file."""
    stored = side_data(frame).get("DISPLAYMATRIX")
    return orientation_of(None if stored is None else np.frombuffer(bytes(stored), np.int32).tolist())
