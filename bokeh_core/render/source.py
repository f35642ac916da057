"""Where a clip's frames and sound come from: a file, or tensors in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ..disparity.files import state_of_files
from ..progress import Progress
from ..transfer import LINEAR, as_picture
from ..video_io import (
    CODECS,
    Encoding,
    TrackPlan,
    VideoFile,
    VideoFormat,
    ending_for_sound,
    has_sound,
    picture_losses,
    plan_tracks,
    rate_of_decimal,
)
from ..video_io.colour import Colour
from ..video_io.format import AS_TAGGED, UNTAGGED
from .content_hash import tensor_hash
from .memory_sound import MemorySound


class ClipSource(Protocol):
    """Where the frames and the sound of a clip are read from."""

    @property
    def format(self) -> VideoFormat:
        """Size in px, frame rate, time base and colour, which all frames share."""

    @property
    def sound_file(self) -> Path | None:
        """File whose sound is copied, None if the sound is elsewhere or there is none."""

    def timestamps(self, progress: Progress) -> list[int]:
        """Time of each frame, ascending, in units of the format's time base; `progress` is told of all."""

    def frames(self, start: int, times: Sequence[int]) -> Iterator[Tensor]:
        """Frames float32 [H, W, C] from number `start` on, given what `timestamps` returned; white is 1."""

    def ending(self, encoding: Encoding) -> str:
        """The encoding's first file ending whose container holds the sound and the frame rate, as ".mp4"."""

    def tracks(self, output: Path, encoding: Encoding) -> TrackPlan:
        """What becomes of the sound and of all else in the clip but the picture.

        Raises:
            ValueError: the sound cannot be stored in the output.
        """

    def sound(self, folder: Path) -> AbstractContextManager[Path | None]:
        """A file with the tracks, in `folder` if it must be written first."""

    def warnings(self, encoding: Encoding) -> list[str]:
        """What people should know before the clip is rendered; complete once `timestamps` has run."""

    def findings(self) -> list[str]:
        """What was mended in the frames that have been read, for the report."""

    def fingerprint(self) -> str:
        """A text that differs where the clip does."""


class FileClip:
    """A clip that is read from a video file, frame by frame.

    Args:
        path: of the video.
        keep_alpha: whether frames carry alpha, if the video has it.
        transfer: how the numbers mean light, one of `video_io.format.TRANSFER_CHOICES`.
    """

    def __init__(self, path: Path, keep_alpha: bool = False, transfer: str = AS_TAGGED) -> None:
        self._file = VideoFile(path)
        video = self._file.format.with_transfer(transfer)
        self.format = replace(video, alpha=video.alpha and keep_alpha)
        self.sound_file: Path | None = path

    def timestamps(self, progress: Progress) -> list[int]:
        return self._file.timestamps(progress)

    def frames(self, start: int, times: Sequence[int]) -> Iterator[Tensor]:
        for frame in self._file.frames(start, times):
            yield frame if self.format.alpha else frame[..., :3]

    def ending(self, encoding: Encoding) -> str:
        return ending_of(self._file, encoding)

    def tracks(self, output: Path, encoding: Encoding) -> TrackPlan:
        return tracks_of(self._file, output, encoding)

    def sound(self, folder: Path) -> AbstractContextManager[Path | None]:
        return nullcontext(self._file.path)

    def warnings(self, encoding: Encoding) -> list[str]:
        return file_warnings(self._file, self.format, encoding)

    def findings(self) -> list[str]:
        return []

    def fingerprint(self) -> str:
        return f"{state_of_files(self._file.path)} {self.format!r}"


@dataclass(frozen=True)
class TensorClip:
    """Frames and sound in memory, as the host has them.

    Attributes:
        images: [T, H, W, C], black 0 and white 1, C = 1, 3 or 4.
        frame_rate: frames a second, > 0.
        waveform: [channels, N] or [1, channels, N] in [-1, 1], or None.
        sample_rate_hz: samples of the sound a second, > 0.
        keep_alpha: whether frames carry alpha, if there is one.
        alpha: [T, H, W, 1] in [0, 1], where it is not the fourth channel of the images.
        bits: precision of the frames, in bits a channel.
        colour: colour space of the frames.
        transfer: how the numbers mean light, one of `video_io.format.TRANSFER_CHOICES`.
    """

    images: Tensor
    frame_rate: Fraction
    waveform: Tensor | None = None
    sample_rate_hz: int = 44100
    keep_alpha: bool = False
    alpha: Tensor | None = None
    bits: int = 8
    colour: Colour = UNTAGGED
    transfer: str = AS_TAGGED
    sound_file = None

    @property
    def has_alpha(self) -> bool:
        """Whether the clip says how opaque its frames are, kept or not."""
        return self.alpha is not None or self.images.shape[-1] == 4

    @property
    def format(self) -> VideoFormat:
        _, height, width, _ = self.images.shape
        rate = _storable(self.frame_rate)
        alpha = self.has_alpha and self.keep_alpha
        video = VideoFormat(width, height, rate, 1 / rate, self.bits, alpha, self.colour)
        # Floating point has no end at white, as pictures of a renderer have none.
        return replace(video.with_transfer(self.transfer), is_light=self.transfer == LINEAR)

    @property
    def _sound(self) -> MemorySound | None:
        if self.waveform is None or not self.waveform.numel():
            return None
        return MemorySound(self.waveform, self.sample_rate_hz)

    def timestamps(self, progress: Progress) -> list[int]:
        return list(range(len(self.images)))

    def frames(self, start: int, times: Sequence[int]) -> Iterator[Tensor]:
        for t in range(start, len(self.images)):
            yield self._frame(t)

    def _frame(self, t: int) -> Tensor:
        frame = self.images[t].detach().cpu()
        if not self.format.alpha:
            return frame if frame.shape[-1] != 4 else frame[..., :3]
        if self.alpha is None:
            return frame
        colours = frame.expand(-1, -1, 3) if frame.shape[-1] == 1 else frame[..., :3]
        return torch.cat((colours, self.alpha[t].detach().cpu().to(colours)), dim=-1)

    def ending(self, encoding: Encoding) -> str:
        return encoding.endings_for(self.format.frame_rate)[0]

    def tracks(self, output: Path, encoding: Encoding) -> TrackPlan:
        if self._sound is None or encoding.is_pictures:
            return TrackPlan(lines=() if self._sound is None else (SOUND_LEFT_OUT,))
        return self._sound.plan()

    @contextmanager
    def sound(self, folder: Path) -> Iterator[Path | None]:
        if self._sound is None:
            yield None
            return
        # A name that no part has.
        path = folder / "joined_sound.m4a"
        self._sound.write(path)
        try:
            yield path
        finally:
            path.unlink()

    def warnings(self, encoding: Encoding) -> list[str]:
        lost = alpha_lost(self.has_alpha and not self.keep_alpha)
        return [*lost, *picture_losses(self.format, encoding)]

    def findings(self) -> list[str]:
        return []

    def fingerprint(self) -> str:
        return f"{self._values} {self.format!r} {self.sample_rate_hz}"

    @cached_property
    def _values(self) -> str:
        # A clip may fill the memory, and is asked several times in a run.
        given = (self.images, self.alpha, self.waveform)
        return " ".join("" if tensor is None else tensor_hash(tensor) for tensor in given)


SOUND_LEFT_OUT = "Warning: the sound is left out: a folder of pictures holds none."


def tracks_of(file: VideoFile, output: Path, encoding: Encoding, sound_alone: bool = False) -> TrackPlan:
    """What becomes of the tracks of a file; pictures have none.

    Raises:
        ValueError: the sound cannot be stored in the output.
    """
    if encoding.is_pictures:
        return TrackPlan(lines=(SOUND_LEFT_OUT,) if has_sound(file.path) else ())
    return plan_tracks(file.path, output, encoding.endings, sound_alone=sound_alone)


def ending_of(file: VideoFile, encoding: Encoding) -> str:
    """The encoding's first ending whose container holds the sound and the frame rate of a file."""
    endings = encoding.endings_for(file.format.frame_rate)
    return endings[0] if encoding.is_pictures else ending_for_sound(file.path, endings)


def pictures_of(clip: ClipSource, start: int, times: Sequence[int]) -> Iterator[Tensor]:
    """The frames of a clip as one looks at them, [H, W, C]: to measure depth, motion or focus by."""
    for frame in clip.frames(start, times):
        yield as_picture(frame, clip.format.transfer)


def file_warnings(file: VideoFile, used: VideoFormat, encoding: Encoding) -> list[str]:
    """What people should know of a file before it is rendered.

    Args:
        file: once its times are known.
        used: its format as far as it is rendered.
        encoding: of the result.
    """
    lost = alpha_lost(file.format.alpha and not used.alpha)
    return [*file.findings(), *lost, *picture_losses(used, encoding)]


def alpha_lost(lost: bool) -> list[str]:
    """The warning that there was alpha, if there was."""
    if not lost:
        return []
    keeping = " or ".join(name for name, codec in CODECS.items() if codec.keeps_alpha)
    return [f"Warning: alpha is left out, and what was transparent becomes visible; {keeping} keeps it."]


def _storable(frame_rate: Fraction) -> Fraction:
    """A rate that files can say: what the host makes of a decimal like 29.97 has terms that are too long.

    Raises:
        ValueError: it is not above 0.
    """
    rate = Fraction(frame_rate)
    if rate <= 0:
        raise ValueError(f"The frame rate is {frame_rate}; it must be above 0, such as 24.")
    return rate if max(rate.numerator, rate.denominator) < 2**31 else rate_of_decimal(rate)
