"""Black bars around a picture: found, so that neither depth nor blur takes them for part of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..transfer import DISPLAY, as_picture

BLACK_BARS = ("leave out", "blur too")

# Video whose black is not at 0 has it at 16 of 255; codecs ring beside an edge.
_BLACK = 0.1
# Bars at opposite sides differ by so little, and each takes at least this share of the frame.
_MOST_UNLIKE_PX = 4
_LEAST_SHARE = 0.015
# Beside a bar this share of the line is lit at some time, or darkness of the scene itself ends there.
_LIT_SHARE = 0.5
# Subsampled colour and scaling smear the first lines of the picture.
_SMEARED_PX = 3
_SAMPLES = 8


class PictureArea(NamedTuple):
    """Rows [top, bottom) and columns [left, right) of a frame."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, pictures: Tensor, first_axis: int = 0) -> Tensor:
        """The area of pictures whose rows are axis `first_axis` and columns the next; a view."""
        rows = pictures.narrow(first_axis, self.top, self.bottom - self.top)
        return rows.narrow(first_axis + 1, self.left, self.right - self.left)

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left

    def unsmeared(self, size: Sequence[int]) -> PictureArea:
        """The area without the lines beside its bars, which codecs mix, in frames of (height, width)."""
        top = self.top + _SMEARED_PX * (self.top > 0)
        left = self.left + _SMEARED_PX * (self.left > 0)
        bottom = self.bottom - _SMEARED_PX * (self.bottom < size[0])
        right = self.right - _SMEARED_PX * (self.right < size[1])
        return PictureArea(top, bottom, left, right) if top < bottom and left < right else self

    def report(self, size: Sequence[int]) -> str:
        """Say what was found in frames of (height, width)."""
        return (
            f"Black bars: the picture is {self.width} x {self.bottom - self.top} px of {size[1]} x "
            f"{size[0]}; the bars are left as they are."
        )


class BarFinder:
    """Looks at some frames of a clip."""

    def __init__(self) -> None:
        self._brightest: Tensor | None = None

    def add(self, frame: Tensor) -> None:
        """Look at a frame [H, W, C] in [0, 1]; alpha is ignored."""
        bright = frame[..., : min(frame.shape[-1], 3)].amax(-1)
        self._brightest = bright if self._brightest is None else torch.maximum(self._brightest, bright)

    def area(self) -> PictureArea | None:
        """Where the picture is; None where it fills the frames, as far as can be seen.

        Bars are black in every frame, equally wide at opposite sides, and end at a line along which at least
        half of the picture is lit at some time.
        """
        if self._brightest is None:
            return None
        lit = self._brightest > _BLACK
        height, width = lit.shape
        rows = _between_bars(lit.any(1), height)
        columns = _between_bars(lit.any(0), width)
        if rows is None or columns is None:
            return None
        picture = lit[rows[0] : rows[1], columns[0] : columns[1]]
        if rows != (0, height) and not _ends_at_lines(picture):
            rows = (0, height)
        if columns != (0, width) and not _ends_at_lines(picture.T):
            columns = (0, width)
        if rows == (0, height) and columns == (0, width):
            return None
        return PictureArea(*rows, *columns)


def picture_area(frames: Tensor, transfer: str = DISPLAY) -> PictureArea | None:
    """Find the picture between the black bars of a clip; None where there are no bars.

    Args:
        frames: [T, H, W, C].
        transfer: how their numbers mean light, see `transfer.TRANSFERS`.
    """
    finder = BarFinder()
    for t in looked_at(len(frames)):
        finder.add(as_picture(frames[t], transfer))
    return finder.area()


def looked_at(num_frames: int) -> list[int]:
    """Numbers of the frames of a clip in which bars are looked for."""
    return sorted({round(i * (num_frames - 1) / (_SAMPLES - 1)) for i in range(_SAMPLES)})


def _between_bars(lit: Tensor, size: int) -> tuple[int, int] | None:
    """First line that is lit and the one after the last; all lines where bars are too unlike or too thin."""
    found = lit.nonzero().flatten()
    if not len(found):
        return None
    first, last = int(found[0]), size - 1 - int(found[-1])
    if abs(first - last) > _MOST_UNLIKE_PX or min(first, last) < max(_LEAST_SHARE * size, 1):
        return 0, size
    return first, size - last


def _ends_at_lines(lit: Tensor) -> bool:
    """Whether the first and the last rows of a picture are lit along most of their length."""
    return all(
        bool(edge.float().mean(1).max() >= _LIT_SHARE) for edge in (lit[:_SMEARED_PX], lit[-_SMEARED_PX:])
    )
