"""Clips with black bars: the picture alone is rendered, and the bars stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from ..clip.letterbox import BarFinder, PictureArea, looked_at
from .clip_stream import ClipStream
from .source import ClipSource


def area_of(clip: ClipSource, times: list[int]) -> PictureArea | None:
    """The picture between the black bars of a clip; None where there are none."""
    finder = BarFinder()
    for t in looked_at(len(times)):
        frame = next(iter(clip.frames(t, times)), None)
        if frame is not None:
            finder.add(frame)
    return finder.area()


def picture_of(clip: ClipStream, area: PictureArea) -> ClipStream:
    """A clip of the picture alone, whose blur has as many px as in the whole frames."""
    return replace(
        clip,
        size=(area.bottom - area.top, area.width),
        frames=lambda start: map(area.of, clip.frames(start)),
        disparity=lambda start: map(area.of, clip.disparity(start)),
        blur_strength=clip.blur_strength * (clip.size[1] / area.width),
    )


def framed(pictures: Iterator[Tensor], clip: ClipStream, area: PictureArea, start: int) -> Iterator[Tensor]:
    """Put rendered pictures from frame `start` on back between the bars of the clip."""
    for picture, frame in zip(pictures, clip.frames(start), strict=False):
        whole = frame.to(picture).clone()
        area.of(whole).copy_(picture)
        yield whole
