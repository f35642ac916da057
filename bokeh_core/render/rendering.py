"""The parts of a clip as they are rendered, those of this process and those of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from torch import Tensor

from ..disk.space import require_space
from ..progress import Progress, Show, as_part
from ..video_io import EncodedPart
from .analysis import Analysis
from .bars import BetweenBars
from .clip_stream import ClipStream
from .contour_meter import ContourMeter
from .job import RenderJob
from .light_meter import LightMeter
from .output import part_writer
from .parts import PartStore, Span
from .source import TensorClip
from .stages import Caller


class PartsOfClip:
    """The parts of a clip, as they are rendered.

    Attributes:
        described: what the renderer says of itself and this clip.
        light, contours: meters of the frames and the maps that this process reads.
    """

    def __init__(
        self,
        job: RenderJob,
        clip: Analysis,
        caller: Caller,
        store: PartStore,
        spans: Sequence[Span],
        parts: dict[Span, EncodedPart],
    ) -> None:
        video, count = job.clip.format, len(clip.times)
        self.light = LightMeter(video, isinstance(job.clip, TensorClip))
        self.contours = ContourMeter(job.renderer, clip.amount.blur_strength, video.width)
        stream = ClipStream(
            count,
            (video.height, video.width),
            lambda start: self.light.watch(islice(job.clip.frames(start, clip.times), count - start), start),
            lambda start: self.contours.watch(clip.depth.read(start), start),
            clip.focal,
            clip.amount.blur_strength,
            video.transfer,
        )
        self._breathed = clip.amount.breathed
        self._job = job
        self._caller = caller
        self._store = store
        self._spans = spans
        self._parts = parts
        self._between = None if clip.area is None else BetweenBars(stream, clip.area)
        self._picture = stream if self._between is None else self._between.picture
        self._rendering = partial(caller.progress, "rendering")
        # Between bars at the sides a blur of as many px is a larger part of the width.
        job.renderer.require_strength(self._picture.blur_strength)
        self.described = job.renderer.describe(self._picture)
        self.tell()

    def tell(self) -> None:
        """Tell how many frames are rendered, by whomever."""
        self._rendering(self._done(), self._spans[-1].stop)

    def render(self, missing: Sequence[Span]) -> None:
        """Render parts, and note them among those that are there."""
        job, caller = self._job, self._caller
        for neighbours in _runs_of_neighbours(missing):
            start = neighbours[0].start
            frames = self._breathed(job.renderer.frames(self._picture, start, caller.check), start)
            if self._between is not None:
                frames = self._between.framed(frames, start)
            for span in neighbours:
                require_space_for(job, self._parts, self._spans, caller.free_bytes)
                tick = as_part(self._rendering, self._done(), self._spans[-1].stop)
                self._parts[span] = _rendered(job, self._store, span, frames, tick, caller.show)

    def _done(self) -> int:
        there = (span for span in self._spans if span in self._parts or self._store.has(span))
        return sum(span.stop - span.start for span in there)


def _rendered(
    job: RenderJob, store: PartStore, span: Span, frames: Iterator[Tensor], progress: Progress, show: Show
) -> EncodedPart:
    count = span.stop - span.start
    with store.unfinished(store.part_name(span)) as path:
        with part_writer(job, path, span) as writer:
            for i in range(count):
                frame = next(frames)
                show(frame)
                writer.add(frame)
                progress(i + 1, count)
        return store.finish(path, span, writer.reorder)


def require_space_for(
    job: RenderJob,
    parts: dict[Span, EncodedPart],
    spans: Sequence[Span],
    free_bytes: Callable[[Path], int],
) -> None:
    """Room for the parts to come and for all of them joined, by the size of those that are there."""
    total = spans[-1].stop
    finished = sum(span.stop - span.start for span in parts)
    written = sum(part.path.stat().st_size for part in parts.values())
    whole = job.encoding.estimated_bytes(job.clip.format, total)
    if finished:
        whole = round(written / finished * total)
    folder = job.output.absolute().parent
    require_space(folder, 2 * whole - written, free_bytes(folder))


def _runs_of_neighbours(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Parts that follow one another, together: a renderer goes through them without a break."""
    run: list[Span] = []
    for span in spans:
        if run and span.start != run[-1].stop:
            yield run
            run = []
        run.append(span)
    if run:
        yield run
