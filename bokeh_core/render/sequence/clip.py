"""A clip that is a folder of pictures, read one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...disparity.files import suffix_of
from ...disparity.stills import iterate_stills
from ...lens.bad_pixels import BAD_PIXELS, REFUSE, REPLACE, bad_pixels_in, mended_line, without_bad_pixels
from ...progress import Progress
from ...setting_checks import require_choice, require_number
from ...video_io import Encoding, TrackPlan, VideoFormat, picture_losses, rate_of_decimal
from ...video_io.colour import FULL, RGB, UNSPECIFIED, Colour
from ...video_io.format import AS_TAGGED
from ...video_io.hdr import LINEAR as LINEAR_CODE
from ..source import alpha_lost
from .exr_colours import read_exr_colours
from .names import pictures_at
from .png_tags import colour_of_png

DEFAULT_FRAME_RATE = 24.0
_SLOWEST, _FASTEST = 1 / 60, 1000.0


class SequenceClip:
    """Pictures in natural order of their names: OpenEXR in half or float, PNG or TIFF of 8 or 16 bits, JPG.

    OpenEXR is linear light of any brightness; others are display values unless a PNG says which curve it has.

    Args:
        path: see `names.pictures_at`.
        frame_rate: frames a second, which pictures do not state.
        keep_alpha: whether frames carry alpha, if the pictures have it.
        transfer: how the numbers mean light, one of `video_io.format.TRANSFER_CHOICES`.
        bad_pixels: "replace" NaN and infinite pixels from around them, or "refuse" them before rendering.

    Raises:
        ValueError: no pictures, pictures that do not belong together, or a setting out of range.
    """

    sound_file = None

    def __init__(
        self,
        path: Path,
        frame_rate: float = DEFAULT_FRAME_RATE,
        keep_alpha: bool = False,
        transfer: str = AS_TAGGED,
        bad_pixels: str = REPLACE,
    ) -> None:
        require_number("frame_rate", frame_rate, _SLOWEST, _FASTEST, "frames a second")
        require_choice("bad_pixels", bad_pixels, BAD_PIXELS)
        self.path = path if path.is_dir() else path.parent
        self._named = path
        self.files = pictures_at(path)
        self._bad_pixels = bad_pixels
        self._replaced: dict[int, int] = {}
        first, found = _read(self.files[0])
        rate = rate_of_decimal(frame_rate)
        video = replace(found, frame_rate=rate, time_base=1 / rate).with_transfer(transfer)
        self._has_alpha = first.shape[-1] == 4
        self.format = replace(video, alpha=self._has_alpha and keep_alpha)

    def timestamps(self, progress: Progress) -> list[int]:
        """The numbers of the pictures; where bad pixels are refused, after a look at every one of them."""
        if self._bad_pixels == REFUSE and self.format.is_light:
            for t in range(len(self.files)):
                self._frame(t)
                progress(t + 1, len(self.files))
        return list(range(len(self.files)))

    def frames(self, start: int, times: Sequence[int]) -> Iterator[Tensor]:
        for t in range(start, len(self.files)):
            yield self._frame(t)

    def _frame(self, t: int) -> Tensor:
        file = self.files[t]
        stored, found = _read(file)
        if (found.width, found.height) != (self.format.width, self.format.height):
            raise ValueError(
                f"{file.name} is {found.width} x {found.height} px but {self.files[0].name} is "
                f"{self.format.width} x {self.format.height} px; all frames of a clip must have one size."
            )
        if found.is_light != self.format.is_light or (stored.shape[-1] == 4) != self._has_alpha:
            raise ValueError(
                f"{file.name} has other numbers or channels than {self.files[0].name}; all frames of a clip "
                "must have the same."
            )
        frame = torch.from_numpy(np.ascontiguousarray(stored))
        bad = bad_pixels_in(frame) if found.is_light else None
        if bad is not None:
            if self._bad_pixels == REFUSE:
                row, column = bad.nonzero()[0].tolist()
                raise ValueError(
                    f"{file.name} has {int(bad.sum())} pixels that are NaN, infinite or beyond 1e6, the "
                    f"first in row {row}, column {column}; repair them, or set bad_pixels to {REPLACE}."
                )
            self._replaced[t] = int(bad.sum())
            frame = without_bad_pixels(frame, bad)
        if found.is_light and self._has_alpha:
            frame = _straight(frame) if self.format.alpha else frame
        return frame if self.format.alpha else frame[..., :3]

    def ending(self, encoding: Encoding) -> str:
        return encoding.endings_for(self.format.frame_rate)[0]

    def tracks(self, output: Path, encoding: Encoding) -> TrackPlan:
        return TrackPlan()

    def sound(self, folder: Path) -> AbstractContextManager[Path | None]:
        return nullcontext(None)

    def warnings(self, encoding: Encoding) -> list[str]:
        lost = [] if self.format.is_light else alpha_lost(self._has_alpha and not self.format.alpha)
        return [*lost, *picture_losses(self.format, encoding)]

    def findings(self) -> list[str]:
        """What was mended in the frames that have been read."""
        if not self._replaced:
            return []
        return [mended_line(self._replaced, self.files[min(self._replaced)].name)]

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for file in self.files:
            try:
                state = file.stat()
            except OSError as error:
                raise ValueError(f"{file} cannot be read ({error.strerror}).") from error
            digest.update(
                f"{file}\0{state.st_size}\0{state.st_mtime_ns}\0".encode("utf-8", "surrogateescape")
            )
        return f"{digest.hexdigest()} {self.format!r} {self._bad_pixels}"

    def state(self) -> str:
        """A text that changes when its pictures do, or are joined by others of the clip.

        Raises:
            ValueError: one is gone, or what came does not belong to the clip.
        """
        names = "\0".join(file.name for file in pictures_at(self._named))
        return f"{names} {self.fingerprint()}"


def _read(file: Path) -> tuple[np.ndarray, VideoFormat]:
    """A picture [H, W, 3 or 4], white 1, and what it says of itself."""
    rate = Fraction(1)
    try:
        if suffix_of(file) == ".exr":
            exr = read_exr_colours(file)
            height, width, _ = exr.pixels.shape
            return exr.pixels, VideoFormat(
                width,
                height,
                rate,
                rate,
                bits=16 if exr.is_half else 32,
                colour=Colour(RGB, FULL, UNSPECIFIED, LINEAR_CODE),
                chroma="4:4:4",
                is_light=True,
                chromaticities=exr.chromaticities,
            )
        stored = next(iterate_stills(file))
        colour = colour_of_png(file) if suffix_of(file) == ".png" else None
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror}); check that it may be read.") from error
    if stored.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"{file.name} holds {stored.dtype}; give 8 or 16 bits, or OpenEXR for light.")
    levels = np.iinfo(stored.dtype).max
    pixels = stored.astype(np.float32) / levels
    pixels = np.repeat(pixels[..., None], 3, axis=-1) if pixels.ndim == 2 else pixels
    # OpenCV's order.
    pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[-1]]]
    height, width, _ = pixels.shape
    return pixels, VideoFormat(
        width,
        height,
        rate,
        rate,
        bits=8 * stored.dtype.itemsize,
        colour=colour or Colour(RGB, FULL),
        chroma="4:4:4",
    )


def _straight(frame: Tensor) -> Tensor:
    """Light [H, W, 4] divided by its alpha, where there is any."""
    alpha = frame[..., 3:].clamp(0, 1)
    return torch.cat([torch.where(alpha > 0, frame[..., :3] / alpha.clamp(min=1e-6), 0.0), alpha], dim=-1)
