"""One clip from source to finished file: look at the depth, render part by part, join, put in place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ..video_io import (
    EncodedPart,
    Encoding,
    PartWriter,
    container_of,
    join_parts,
    require_audio_fits,
)
from .clip_stream import ClipStream, StreamedMaps
from .depth import DepthSource, PreparedDepth
from .disk_space import free_bytes_in, require_space
from .fingerprints import key_of
from .parts import PartStore, Span, plan_parts
from .renderers import Check, ClipRenderer, require_whole_calls
from .settings import Focus, GivenStrength, Strength
from .source import ClipSource

# Of what parts are made of; a change makes earlier parts useless.
_PARTS_VERSION = 1
PART_FRAMES = 48
# Stage -> its part of the time that a clip takes, roughly.
_WEIGHTS = {
    "reading video": 0.03,
    "reading depth": 0.03,
    "measuring focus": 0.03,
    "rendering": 0.9,
    "joining": 0.01,
}
STAGES = tuple(_WEIGHTS)


class Progress(Protocol):
    """Called for every frame of every stage; may raise to stop, which keeps the finished parts."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take notice.

        Args:
            stage: one of `STAGES`.
            done: frames of it so far.
            total: frames of it in all; 0 where that is not known yet.
        """


def no_progress(stage: str, done: int, total: int) -> None:
    """Take no notice."""


def overall_share(stage: str, done: int, total: int) -> float:
    """How much of a whole job is finished, 0 to 1; arguments as `Progress`."""
    before = sum(list(_WEIGHTS.values())[: STAGES.index(stage)])
    return before + _WEIGHTS[stage] * (min(done / total, 1) if total else 0)


@dataclass(frozen=True)
class RenderJob:
    """Everything that decides what a rendered video looks like, and where it goes.

    Attributes:
        clip: frames and sound.
        depth: of the clip.
        focus: where the lens is focused.
        strength: how strong the blur is.
        renderer: what blurs.
        output: file to be made; its parts wait in a folder of the same name with `.parts` behind it.
        encoding: codec and quality.
        part_frames: frames that are kept together when a run is stopped; a multiple of 8.
    """

    clip: ClipSource
    depth: DepthSource
    focus: Focus
    strength: Strength | GivenStrength
    renderer: ClipRenderer
    output: Path
    encoding: Encoding = field(default_factory=Encoding)
    part_frames: int = PART_FRAMES

    def key(self) -> str:
        """A text that differs where the result does."""
        import av  # imported on first use: the pack must load fast

        return key_of(
            {
                "version": _PARTS_VERSION,
                "clip": self.clip.fingerprint(),
                "depth": self.depth.fingerprint(),
                "focus": self.focus.fingerprint(),
                "strength": self.strength.fingerprint(),
                "renderer": self.renderer.identity(),
                "encoding": repr(self.encoding),
                "container": self.output.suffix.lower(),
                "part_frames": self.part_frames,
                # Parts of two encoders do not join.
                "libraries": repr(sorted(av.library_versions.items())),
            }
        )


def stored_under_key(job: RenderJob, folder: Path, stem: str) -> RenderJob:
    """The same job with an output in `folder` whose name differs where the result does.

    A job that is given again, after a crash or a restart, so finds its parts, or its finished file.
    """
    named = replace(job, output=folder / f"{stem}{job.encoding.ending}")
    return replace(named, output=folder / f"{stem}_{named.key()[:10]}{job.encoding.ending}")


@dataclass(frozen=True)
class RenderReport:
    """What a run did.

    Attributes:
        text: for people, one fact a line.
        num_frames: of the clip.
        rendered_frames: those that no earlier run had finished.
    """

    text: str
    num_frames: int
    rendered_frames: int


def render_clip(
    job: RenderJob,
    progress: Progress = no_progress,
    check: Check = lambda: None,
    free_bytes: Callable[[Path], int] = free_bytes_in,
) -> RenderReport:
    """Make the output file of a job, in host memory that does not grow with the clip.

    A run that is stopped leaves its finished parts; the next run of the same job checks and keeps them, and
    the result is the same. The output file appears when it is complete, and not before.

    Args:
        job: what to render.
        progress: see `Progress`.
        check: called several times within a frame; may raise to stop.
        free_bytes: tells how much may be written to the disk of a folder.

    Raises:
        ValueError: settings or sources that do not fit, or a disk that is too full.
    """
    _check(job)
    store = PartStore(job.output, job.key())
    times, depth, focal, strength = _analysed(job, store, progress)
    video = job.clip.format
    clip = ClipStream(
        len(times),
        (video.height, video.width),
        lambda start: islice(job.clip.frames(start, times), len(times) - start),
        depth.read,
        focal,
        strength,
    )
    described = job.renderer.describe(clip)

    spans = plan_parts(len(times), job.part_frames)
    parts = {span: part for span in spans if (part := store.verified(span)) is not None}
    kept = sum(span.stop - span.start for span in parts)
    tick = partial(progress, "rendering")
    _require_space(job, parts, spans, free_bytes)
    tick(kept, len(times))
    done = kept
    for run in _runs_of_missing(spans, parts):
        frames = job.renderer.frames(clip, run[0].start, check)
        for span in run:
            _require_space(job, parts, spans, free_bytes)
            parts[span] = _rendered(job, store, span, frames, partial(_add_to, tick, done, len(times)))
            done += span.stop - span.start
    _join(job, store, [parts[span] for span in spans], times, partial(progress, "joining"))
    lines = [depth.report, described, _kept_line(kept, len(times)), f"Written to {job.output}."]
    return RenderReport("\n".join(line for line in lines if line), len(times), len(times) - kept)


def _check(job: RenderJob) -> None:
    require_whole_calls(job.part_frames)
    job.encoding.require_container(job.output)
    folder = job.output.absolute().parent
    if not folder.is_dir():
        raise ValueError(f"{folder} does not exist; make the folder first.")
    if job.output.is_dir():
        raise ValueError(f"{job.output} is a folder; name the video file to be made.")
    sound = job.clip.sound_file
    if sound is not None:
        if sound.absolute() == job.output.absolute():
            raise ValueError(f"{job.output} is the source; name another file for the result.")
        require_audio_fits(sound, container_of(job.output), job.output.name)


def _analysed(
    job: RenderJob, store: PartStore, progress: Progress
) -> tuple[list[int], PreparedDepth, Tensor, Tensor]:
    """Times, depth, focus [T] and strength [T] of the clip, from an earlier run where there was one."""
    saved = store.analysis()
    times = saved.get("times") or job.clip.timestamps(_counter(progress, "reading video", 0))
    if not times:
        raise ValueError("The clip has no frames.")
    count, size = len(times), (job.clip.format.height, job.clip.format.width)
    # Before anything that takes long: a schedule may be too short.
    strength = job.strength.values(count)
    depth = job.depth.prepare(count, size, saved.get("depth"), _counter(progress, "reading depth", count))
    if "focus" in saved:
        focal = torch.tensor(saved["focus"])
    else:
        tick = _counter(progress, "measuring focus", count)
        shape = torch.Size((count, *size))
        focal = job.focus.values(count, StreamedMaps(lambda: _ticking(depth.read(0), tick), shape))
        store.save_analysis({"times": times, "depth": depth.saved, "focus": focal.tolist()})
    return times, depth, focal, strength


def _rendered(
    job: RenderJob, store: PartStore, span: Span, frames: Iterator[Tensor], tick: Callable[[int], None]
) -> EncodedPart:
    count = span.stop - span.start
    with store.unfinished(store.part_name(span)) as path:
        with PartWriter(path, container_of(job.output), job.encoding, job.clip.format) as writer:
            for i in range(count):
                writer.add(next(frames))
                tick(i + 1)
        return store.finish(path, span, writer.reorder)


def _join(
    job: RenderJob,
    store: PartStore,
    parts: Sequence[EncodedPart],
    times: Sequence[int],
    progress: Callable[[int, int], None],
) -> None:
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1
        progress(count, len(times))

    with store.unfinished(store.joined_name()) as path:
        with job.clip.sound(store.folder) as sound:
            container = container_of(job.output)
            join_parts(parts, times, job.clip.format, sound, path, container, tick)
        os.replace(path, job.output)
    store.remove()


def _require_space(
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


def _runs_of_missing(spans: Sequence[Span], parts: dict[Span, EncodedPart]) -> Iterator[list[Span]]:
    """Neighbouring parts that are not there, together: a renderer goes through them without a break."""
    run: list[Span] = []
    for span in spans:
        if span not in parts:
            run.append(span)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _add_to(tick: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    tick(before + done, total)


def _ticking(frames: Iterator[Tensor], tick: Callable[[], None]) -> Iterator[Tensor]:
    for frame in frames:
        yield frame
        tick()


def _counter(progress: Progress, stage: str, total: int) -> Callable[[], None]:
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress(stage, done, total)

    return tick


def _kept_line(kept: int, total: int) -> str:
    return f"{kept} of {total} frames were kept from an earlier run." if kept else ""
