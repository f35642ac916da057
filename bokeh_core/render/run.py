"""One clip from source to finished file: look at the depth, render part by part, join, put in place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from ..clip.letterbox import PictureArea
from ..disk.errors import told_of_disk
from ..disk.space import free_bytes_in, require_space
from ..disk.whole_file import put_in_place
from ..progress import Check, Progress, Show, as_part, counting, no_check, no_show
from ..transfer import as_picture
from ..video_io import (
    EncodedPart,
    PartWriter,
    TrackPlan,
    container_of,
    join_parts,
    require_times_fit,
)
from .bars import BetweenBars, area_of
from .clip_stream import ClipStream, StreamedMaps
from .depth import DepthSource, PreparedDepth
from .estimated import EstimatedDepth, StoredMaps
from .job import LEAVE_OUT, RenderJob
from .light_meter import LightMeter
from .parts import PartStore, Span, open_parts, plan_parts, remove_left_parts
from .refined import refined_depth
from .refusals import (
    require_nothing_lost,
    require_output_possible,
    require_sources_fit,
    require_still_free,
    require_unchanged,
    states_of,
)
from .result import Found, look_at, metadata_of
from .source import pictures_of
from .stages import StageProgress, no_stage_progress, ticking
from .typed_focus import late_keyframes

_log = logging.getLogger(__name__)


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


def run_job(
    job: RenderJob,
    progress: StageProgress = no_stage_progress,
    check: Check = no_check,
    free_bytes: Callable[[Path], int] = free_bytes_in,
    show: Show = no_show,
) -> RenderReport:
    """Make the output file of a job, in host memory that does not grow with the clip.

    A run that is stopped leaves its finished parts; the next run of the same job checks and keeps them, and
    the result is the same. The output file appears when it is complete, and not before.

    Args:
        job: what to render.
        progress: see `StageProgress`.
        check: called several times within a frame; may raise to stop.
        free_bytes: tells how much may be written to the disk of a folder.
        show: given each rendered frame.

    Returns:
        What was done; where the output is the finished result of this very job, nothing was.

    Raises:
        ValueError: settings or sources that do not fit, an output that is somebody's file or that another run
            makes now, sources that change meanwhile, or a disk that is too full.
    """
    key = job.key()
    done = check_job(job, key)
    if done is not None:
        return done
    tracks = job.clip.tracks(job.output, job.encoding)
    with told_of_disk(job.output), open_parts(job.output, key) as store:
        return _render(job, key, tracks, store, progress, check, free_bytes, show)


def check_job(job: RenderJob, key: str | None = None) -> RenderReport | None:
    """Refuse what cannot be rendered, before a model is loaded or anything else that takes long.

    Args:
        job: what to render.
        key: of the job, if it is known; making one reads what is in memory.

    Returns:
        A report where the output is the finished result of this very job; None where it has to be made.

    Raises:
        ValueError: see `run_job`.
    """
    with told_of_disk(job.output):
        require_output_possible(job)
        key = key or job.key()
        if look_at(job.output, key) is Found.RESULT:
            remove_left_parts(job.output)
            return RenderReport(f"Nothing has changed since {job.output} was made.", 0, 0)
        require_nothing_lost(job, key)
    require_sources_fit(job)
    return None


def _render(
    job: RenderJob,
    key: str,
    tracks: TrackPlan,
    store: PartStore,
    progress: StageProgress,
    check: Check,
    free_bytes: Callable[[Path], int],
    show: Show,
) -> RenderReport:
    before = states_of(job)
    times, found, area, depth, focal, strength = _analysed(job, store, progress, free_bytes)
    warnings = [*tracks.lines, *found]
    for warning in warnings:
        # Logged before rendering, hours before the report, in time to choose other settings.
        _log.warning("%s: %s", job.output.name, warning)
    video = job.clip.format
    meter = LightMeter(video)
    require_times_fit(times, video, job.output, job.encoding.endings)
    clip = ClipStream(
        len(times),
        (video.height, video.width),
        lambda start: meter.watch(islice(job.clip.frames(start, times), len(times) - start), start),
        depth.read,
        focal,
        strength,
        video.transfer,
    )
    between = None if area is None else BetweenBars(clip, area)
    picture = clip if between is None else between.picture
    # Between bars at the sides a blur of as many px is a larger part of the width.
    job.renderer.require_strength(picture.blur_strength)
    described = job.renderer.describe(picture)

    spans = plan_parts(len(times), job.part_frames)
    parts = {span: part for span in spans if (part := store.verified(span)) is not None}
    kept = sum(span.stop - span.start for span in parts)
    rendering = partial(progress, "rendering")
    _require_space(job, parts, spans, free_bytes)
    rendering(kept, len(times))
    done = kept
    for run in _runs_of_missing(spans, parts):
        frames = job.renderer.frames(picture, run[0].start, check)
        if between is not None:
            frames = between.framed(frames, run[0].start)
        for span in run:
            _require_space(job, parts, spans, free_bytes)
            parts[span] = _rendered(job, store, span, frames, as_part(rendering, done, len(times)), show)
            done += span.stop - span.start
    require_unchanged(before, states_of(job))
    joined = [parts[span] for span in spans]
    damage = _join(job, key, store, joined, times, tracks, partial(progress, "joining"))
    lines = [
        *warnings,
        *damage,
        "" if area is None else area.report(clip.size),
        depth.report,
        described,
        meter.report(),
        late_keyframes(job.focus, job.strength, len(times)),
        _kept_line(kept, len(times)),
        f"Written to {job.output}.",
    ]
    return RenderReport("\n".join(line for line in lines if line), len(times), len(times) - kept)


def _analysed(
    job: RenderJob, store: PartStore, progress: StageProgress, free_bytes: Callable[[Path], int]
) -> tuple[list[int], list[str], PictureArea | None, PreparedDepth, Tensor, Tensor]:
    """Times, warnings, picture between bars, depth, focus [T], strength [T]; from an earlier run if any."""
    saved = store.analysis()
    times = saved.get("times") or job.clip.timestamps(partial(progress, "reading video"))
    if not times:
        raise ValueError("The clip has no frames.")
    warnings = saved.get("warnings") or job.clip.warnings(job.encoding)
    count, size = len(times), (job.clip.format.height, job.clip.format.width)
    # Before anything that takes long: a schedule may be too short.
    strength = job.strength.values(count)
    job.renderer.require_strength(strength)
    if "area" in saved:
        area = None if saved["area"] is None else PictureArea(*saved["area"])
    else:
        area = area_of(job.clip, times) if job.black_bars == LEAVE_OUT else None

    def frames(start: int) -> Iterator[Tensor]:
        return islice(pictures_of(job.clip, start, times), count - start)

    source: DepthSource | StoredMaps
    if isinstance(job.depth, EstimatedDepth):
        estimating = partial(progress, "estimating depth")
        source = job.depth.of_clip(job.clip, times, store.folder, estimating, free_bytes)
    else:
        source = job.depth
    reading = partial(progress, "reading depth")
    depth = source.prepare(count, size, saved.get("depth"), reading, area, frames)
    if job.refine is not None:
        depth = refined_depth(depth, frames, job.refine, area)
    if "focus" in saved:
        focal = torch.tensor(saved["focus"])
    else:
        tick = counting(partial(progress, "measuring focus"), count)
        shape = torch.Size((count, *size))
        maps = StreamedMaps(lambda: ticking(depth.read(0), tick), shape)
        pictures = StreamedMaps(lambda: frames(0), shape)
        focal, told = job.focus.over_clip(count, maps, pictures if job.focus.reads_frames else None)
        warnings = [*warnings, *told]
        store.save_analysis(
            {
                "times": times,
                "warnings": warnings,
                "area": area,
                "depth": depth.saved,
                "focus": focal.tolist(),
            }
        )
    return times, warnings, area, depth, focal, strength


def _rendered(
    job: RenderJob, store: PartStore, span: Span, frames: Iterator[Tensor], progress: Progress, show: Show
) -> EncodedPart:
    count = span.stop - span.start
    with store.unfinished(store.part_name(span)) as path:
        with PartWriter(path, container_of(job.output), job.encoding, job.clip.format) as writer:
            for i in range(count):
                frame = next(frames)
                show(as_picture(frame, job.clip.format.transfer))
                writer.add(frame)
                progress(i + 1, count)
        return store.finish(path, span, writer.reorder)


def _join(
    job: RenderJob,
    key: str,
    store: PartStore,
    parts: Sequence[EncodedPart],
    times: Sequence[int],
    tracks: TrackPlan,
    progress: Progress,
) -> list[str]:
    """Put the result in place; returns what was found to be damaged."""
    with store.unfinished(store.joined_name()) as path:
        with job.clip.sound(store.folder) as sound:
            container = container_of(job.output)
            metadata = {**job.origin, **metadata_of(key)}
            found = join_parts(
                parts, times, job.clip.format, sound, tracks, path, container, progress, metadata
            )
        require_still_free(job, key)
        put_in_place(path, job.output)
    store.remove()
    return found


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


def _kept_line(kept: int, total: int) -> str:
    return f"{kept} of {total} frames were kept from an earlier run." if kept else ""
