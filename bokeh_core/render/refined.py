"""Depth of a clip of any length, refined by its frames as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from itertools import islice, tee

from torch import Tensor

from ..clip.letterbox import PictureArea
from ..disparity.refine import DisparityRefiner, RefineSettings
from ..disparity.refine.window import COURSE_FRAMES
from .depth import PreparedDepth


def refined_depth(
    depth: PreparedDepth,
    frames: Callable[[int], Iterator[Tensor]],
    settings: RefineSettings,
    area: PictureArea | None = None,
) -> PreparedDepth:
    """The same depth, refined; a frame's map is the same from whichever frame reading begins.

    Args:
        depth: of the clip.
        frames: given the first frame wanted, yields [H, W, C] in [0, 1] from there on.
        settings: what to do.
        area: the picture between black bars, which alone is refined; None is all.
    """

    def read(start: int) -> Iterator[Tensor]:
        # A map depends on so many frames before it, and on none before those.
        first = max(start - COURSE_FRAMES, 0) if settings.looks_around else start
        if area is None:
            found = _refined(frames(first), depth.read(first), settings)
        else:
            given, inside = tee(depth.read(first))
            pictures, parts = map(area.of, frames(first)), map(area.of, inside)
            found = _framed(given, _refined(pictures, parts, settings), area)
        return islice(found, start - first, None)

    parts = [name for name, is_on in asdict(settings).items() if is_on]
    return replace(depth, read=read, report=f"{depth.report}\nDisparity refined: {', '.join(parts)}.")


def _refined(frames: Iterator[Tensor], maps: Iterator[Tensor], settings: RefineSettings) -> Iterator[Tensor]:
    refiner = DisparityRefiner(settings)
    for frame, disparity in zip(frames, maps, strict=False):
        yield from refiner.add(frame, disparity.contiguous())
    yield from refiner.finish()


def _framed(given: Iterator[Tensor], refined: Iterator[Tensor], area: PictureArea) -> Iterator[Tensor]:
    """Put refined parts back into their maps."""
    for part, disparity in zip(refined, given, strict=False):
        whole = disparity.clone()
        area.of(whole).copy_(part)
        yield whole
