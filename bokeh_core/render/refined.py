"""Depth of a clip of any length, refined by its frames as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from itertools import count, islice, tee
from typing import Any

from torch import Tensor

from ..clip.letterbox import PictureArea
from ..disparity.refine import DisparityRefiner, RefineSettings, ShotSpan, in_span, shot_spans
from ..disparity.refine.affine import Affine
from ..disparity.refine.flicker import COURSE_FRAMES
from ..motion.cuts import is_cut
from ..progress import Check, no_check
from .depth import PreparedDepth
from .stages import ticking

_SPANS = "spans"


def refined_depth(
    depth: PreparedDepth,
    frames: Callable[[int], Iterator[Tensor]],
    settings: RefineSettings,
    area: PictureArea | None = None,
    saved: dict[str, Any] | None = None,
    tick: Check = no_check,
) -> PreparedDepth:
    """The same depth, refined; a frame's map is the same from whichever frame reading begins.

    Where it is steadied, a pass over the clip measures the shots first.

    Args:
        depth: of the clip.
        frames: given the first frame wanted, yields [H, W, C] in [0, 1] from there on.
        settings: what to do.
        area: the picture between black bars, which alone is refined; None is all.
        saved: `PreparedDepth.saved` of an earlier run, which spares that pass.
        tick: called after each frame of that pass; may raise to stop.
    """
    spans = _spans(depth, frames, settings, area, saved, tick)

    def read(start: int) -> Iterator[Tensor]:
        # A map depends on so many frames before it, and on none before those.
        first = max(start - COURSE_FRAMES, 0) if settings.looks_around else start
        if area is None:
            found = _refined(frames(first), depth.read(first), settings, first, spans)
        else:
            given, inside = tee(depth.read(first))
            pictures, parts = map(area.of, frames(first)), map(area.of, inside)
            found = _framed(given, _refined(pictures, parts, settings, first, spans), area)
        return islice(found, start - first, None)

    parts = [name for name, is_on in asdict(settings).items() if is_on]
    kept = [(span.first, span.back.scale, span.back.shift) for span in spans]
    report = f"{depth.report}\nDisparity refined: {', '.join(parts)}."
    return replace(depth, read=read, saved={**depth.saved, _SPANS: kept}, report=report)


def _spans(
    depth: PreparedDepth,
    frames: Callable[[int], Iterator[Tensor]],
    settings: RefineSettings,
    area: PictureArea | None,
    saved: dict[str, Any] | None,
    tick: Check,
) -> list[ShotSpan]:
    if not settings.steady:
        return []
    if saved is not None:
        return [ShotSpan(first, Affine(scale, shift)) for first, scale, shift in saved[_SPANS]]
    pictures, maps = ticking(frames(0), tick), depth.read(0)
    if area is not None:
        pictures, maps = map(area.of, pictures), map(area.of, maps)
    return shot_spans(pictures, maps, is_cut)


def _refined(
    frames: Iterator[Tensor],
    maps: Iterator[Tensor],
    settings: RefineSettings,
    first: int,
    spans: list[ShotSpan],
) -> Iterator[Tensor]:
    numbers = count(first)
    refiner = DisparityRefiner(settings)
    for frame, disparity in zip(frames, maps, strict=False):
        for refined in refiner.add(frame, disparity.contiguous()):
            yield in_span(refined, next(numbers), spans)
    for refined in refiner.finish():
        yield in_span(refined, next(numbers), spans)


def _framed(given: Iterator[Tensor], refined: Iterator[Tensor], area: PictureArea) -> Iterator[Tensor]:
    """Put refined parts back into their maps."""
    for part, disparity in zip(refined, given, strict=False):
        whole = disparity.clone()
        area.of(whole).copy_(part)
        yield whole
