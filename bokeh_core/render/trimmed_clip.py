"""A part of a video file, from one second to another, streamed like the whole."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from torch import Tensor

from ..disparity.files import state_of_files
from ..progress import Progress, no_progress
from ..video_io import Encoding, TrackPlan, VideoFile
from ..video_io.format import AS_TAGGED
from .source import ending_of, file_warnings, tracks_of
from .trimmed_sound import written_sound


class TrimmedClip:
    """The frames of a video file that are shown from `start_s` on, and the sound that belongs to them.

    A frame belongs to the clip if its time lies in [start, start + duration), in whole units of the video's
    time base. Times are counted from the first frame that does.

    Args:
        path: of the video.
        keep_alpha: whether frames carry alpha, if the video has it.
        start_s: seconds from the file's zero.
        duration_s: seconds; 0 goes on to the end.
        transfer: see `FileClip`.
    """

    def __init__(
        self,
        path: Path,
        keep_alpha: bool,
        start_s: float,
        duration_s: float = 0.0,
        transfer: str = AS_TAGGED,
    ) -> None:
        self._file = VideoFile(path)
        video = self._file.format.with_transfer(transfer)
        self.format = replace(video, alpha=video.alpha and keep_alpha)
        self.sound_file: Path | None = path
        self._window_s = (start_s, start_s + duration_s if duration_s else None)
        self._start = int(start_s / video.time_base)
        self._stop = int((start_s + duration_s) / video.time_base) if duration_s else None
        # Up to the end of the clip, but from the start of the file, from which frames are numbered.
        self._times: list[int] | None = None

    def timestamps(self, progress: Progress) -> list[int]:
        """Time of each frame from the first one on.

        Raises:
            ValueError: no frame is shown in that time, or the video cannot be decoded.
        """
        times = self._all_times(progress)
        kept = times[self._first(times) :]
        return [time - kept[0] for time in kept]

    def frames(self, start: int, times: Sequence[int]) -> Iterator[Tensor]:
        of_file = self._all_times()
        number = self._first(of_file) + start
        for frame in islice(self._file.frames(number, of_file), max(len(of_file) - number, 0)):
            yield frame if self.format.alpha else frame[..., :3]

    def ending(self, encoding: Encoding) -> str:
        return ending_of(self._file, encoding)

    def tracks(self, output: Path, encoding: Encoding) -> TrackPlan:
        return tracks_of(self._file, output, encoding, sound_alone=True)

    def sound(self, folder: Path) -> AbstractContextManager[Path | None]:
        base = self.format.time_base
        times = self._all_times()
        start = times[self._first(times)] * base
        stop = None if self._stop is None else self._stop * base
        return written_sound(self._file.path, folder, start, stop)

    def warnings(self, encoding: Encoding) -> list[str]:
        return file_warnings(self._file, self.format, encoding)

    def findings(self) -> list[str]:
        return []

    def fingerprint(self) -> str:
        return f"{state_of_files(self._file.path)} {self.format!r} {self._start} {self._stop}"

    def _all_times(self, progress: Progress = no_progress) -> list[int]:
        if self._times is None:
            self._times = self._file.timestamps(progress, self._stop)
        return self._times

    def _first(self, times: Sequence[int]) -> int:
        """Number of the first frame of the clip in the file."""
        first = bisect_left(times, self._start)
        if first == len(times):
            start_s, stop_s = self._window_s
            until = "its end" if stop_s is None else f"{stop_s:.3f} s"
            last = f"; its last frame before that is at {float(times[-1] * self.format.time_base):.3f} s"
            raise ValueError(
                f"{self._file.path.name} shows no frame from {start_s:.3f} s to {until}"
                f"{last if times else ''}. Trim the video to a time that it covers."
            )
        return first
