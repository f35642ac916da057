"""Clips with black bars: the picture alone is rendered, and the bars stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..clip.letterbox import BarFinder, PictureArea, looked_at
from .clip_stream import ClipStream
from .source import ClipSource, pictures_of


def area_of(clip: ClipSource, times: list[int]) -> PictureArea | None:
    """The picture between the black bars of a clip; None where there are none."""
    finder = BarFinder()
    for t in looked_at(len(times)):
        frame = next(pictures_of(clip, t, times), None)
        if frame is not None:
            finder.add(frame)
    return finder.area()


class BetweenBars:
    """The picture of a clip apart from its bars, which wait until the rendered picture is put between them.

    Attributes:
        picture: a clip of the picture alone, whose blur has as many px as in the whole frames.
    """

    def __init__(self, clip: ClipStream, area: PictureArea) -> None:
        self._clip = clip
        self._area = area
        # Of the frames that a renderer has read and not given back yet.
        self._bars: dict[int, _Bars] = {}
        self.picture = replace(
            clip,
            size=(area.bottom - area.top, area.width),
            frames=self._pictures,
            disparity=lambda start: map(area.of, clip.disparity(start)),
            blur_strength=clip.blur_strength * (clip.size[1] / area.width),
        )

    def framed(self, pictures: Iterator[Tensor], start: int) -> Iterator[Tensor]:
        """Put rendered pictures from frame `start` on back between the bars that their frames had."""
        for t, picture in enumerate(pictures, start):
            bars = self._bars[t]
            # Those before may have been read once more by a renderer that looks twice.
            self._bars = {number: kept for number, kept in self._bars.items() if number > t}
            yield bars.around(picture)

    def _pictures(self, start: int) -> Iterator[Tensor]:
        for t, frame in enumerate(self._clip.frames(start), start):
            self._bars[t] = _Bars.of(frame, self._area)
            yield self._area.of(frame)


@dataclass(frozen=True)
class _Bars:
    """What is around the picture of a frame, [..., C]: whole rows above and below, columns at its sides."""

    above: Tensor
    below: Tensor
    left: Tensor
    right: Tensor

    @classmethod
    def of(cls, frame: Tensor, area: PictureArea) -> _Bars:
        rows = frame[area.top : area.bottom]
        parts = (frame[: area.top], frame[area.bottom :], rows[:, : area.left], rows[:, area.right :])
        # Copies, which do not keep the whole frame.
        return cls(*(part.clone() for part in parts))

    def around(self, picture: Tensor) -> Tensor:
        above, below, left, right = (
            part.to(picture) for part in (self.above, self.below, self.left, self.right)
        )
        return torch.cat([above, torch.cat([left, picture, right], dim=1), below])
