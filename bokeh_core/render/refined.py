"""Depth of a clip of any length, refined by its frames as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from torch import Tensor

from ..clip.letterbox import PictureArea
from ..disparity.refine import DisparityRefiner, RefineReport, RefineSettings, ShotSpan, in_span, shot_spans
from ..disparity.refine.affine import Affine
from ..disparity.refine.flicker import COURSE_FRAMES
from ..motion.cuts import is_cut
from ..progress import Check, no_check
from .depth import PreparedDepth
from .stages import ticking
from .stored_maps import StoredMaps

_SPANS, _COUNTS = "spans", "refine_counts"


def refined_depth(
    depth: PreparedDepth,
    frames: Callable[[int], Iterator[Tensor]],
    settings: RefineSettings,
    area: PictureArea | None = None,
    saved: dict[str, Any] | None = None,
    tick: Check = no_check,
    store: StoredMaps | None = None,
) -> PreparedDepth:
    """The same depth, refined; a frame's map is the same from whichever frame reading begins.

    Where there is a store the maps are made once and wait there. Else they are made each time they are read,
    and where they are steadied a pass over the clip measures the shots first.

    Args:
        depth: of the clip.
        frames: given the first frame wanted, yields [H, W, C] in [0, 1] from there on.
        settings: what to do.
        area: the picture between black bars, which alone is refined; None is all.
        saved: `PreparedDepth.saved` of an earlier run, which spares the first pass.
        tick: called after each frame of that pass; may raise to stop.
        store: for the maps of this clip, on a disk with room for them.
    """

    def refined(start: int, refiner: DisparityRefiner) -> Iterator[Tensor]:
        # A map depends on so many frames before it, and on none before those.
        first = max(start - COURSE_FRAMES, 0) if settings.looks_around else start
        pictures, maps = _inside(frames(first), area), _inside(depth.read(first), area)
        return islice(_refined(refiner, pictures, maps), start - first, None)

    known = saved is not None and _SPANS in saved
    counts = None if saved is None else saved.get(_COUNTS)
    made: Callable[[int], Iterator[Tensor]]
    if store is not None and not (known and store.has_all()):
        refiner = DisparityRefiner(settings)
        store.write_all(ticking(refined(0, refiner), tick))
        spans, counts = refiner.spans(), refiner.report.saved()
    elif saved is not None and known:
        spans = [ShotSpan(first, Affine(scale, shift)) for first, scale, shift in saved[_SPANS]]
    elif settings.steady:
        pictures = _inside(ticking(frames(0), tick), area)
        spans = shot_spans(pictures, _inside(depth.read(0), area), is_cut)
    else:
        spans = []
    made = (lambda start: refined(start, DisparityRefiner(settings))) if store is None else store.read

    def read(start: int) -> Iterator[Tensor]:
        parts = (in_span(disparity, t, spans) for t, disparity in enumerate(made(start), start))
        return parts if area is None else _framed(depth.read(start), parts, area)

    kept = [(span.first, span.back.scale, span.back.shift) for span in spans]
    report = f"{depth.report}\nDisparity refined by {', '.join(settings.parts)}. {_told(counts)}"
    return replace(depth, read=read, saved={**depth.saved, _SPANS: kept, _COUNTS: counts}, report=report)


def _told(counts: dict[str, Any] | None) -> str:
    if counts is None:
        return (
            "What each part changes is not counted: for want of room on the disk the maps are made while "
            "they are read."
        )
    return str(RefineReport(**counts))


def _inside(maps: Iterator[Tensor], area: PictureArea | None) -> Iterator[Tensor]:
    return maps if area is None else map(area.of, maps)


def _refined(refiner: DisparityRefiner, frames: Iterator[Tensor], maps: Iterator[Tensor]) -> Iterator[Tensor]:
    for frame, disparity in zip(frames, maps, strict=False):
        yield from refiner.add(frame, disparity.contiguous())
    yield from refiner.finish()


def _framed(given: Iterator[Tensor], refined: Iterator[Tensor], area: PictureArea) -> Iterator[Tensor]:
    """Put refined parts back into their maps."""
    for part, disparity in zip(refined, given, strict=False):
        whole = disparity.clone()
        area.of(whole).copy_(part)
        yield whole
