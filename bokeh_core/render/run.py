"""One clip from source to finished file: look at the depth, render part by part, join, put in place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..disk.errors import told_of_disk
from ..disk.space import free_bytes_in
from ..progress import Check, Show, no_check, no_show
from ..video_io import (
    TrackPlan,
    require_times_fit,
)
from .analysis import analysed
from .job import RenderJob
from .output import clips_light, join_output, look_at_output
from .parts import PartStore, open_parts, plan_parts
from .parts_folder import remove_left_parts
from .processes import Process
from .refusals import (
    require_nothing_lost,
    require_output_possible,
    require_sources_fit,
    require_unchanged,
    states_of,
)
from .rendering import PartsOfClip, require_space_for
from .result import Found
from .shares import leading, taken_share
from .stages import Caller, StageProgress, no_stage_progress
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
    process: Process | None = None,
) -> RenderReport:
    """Make the output file of a job, in host memory that does not grow with the clip.

    A run that is stopped leaves its finished parts; the next run of the same job checks and keeps them, and
    the result is the same. The output file appears when it is complete, and not before.

    Args:
        job: what to render.
        progress: see `StageProgress`.
        check: called several times within a frame; may raise to stop.
        free_bytes: tells how much may be written to the disk of a folder.
        show: given each rendered frame, numbers of the transfer of the clip.
        process: this one, where several make the clip together. Number 0 looks at the clip, shares out its
            parts and joins them; the others render their share. The file is that of a single process.

    Returns:
        What this process did; where the output is the finished result of this very job, nothing was.

    Raises:
        ValueError: settings or sources that do not fit, an output that is somebody's file or that another run
            makes now, sources that change meanwhile, or a disk that is too full.
    """
    key = job.key()
    done = check_job(job, key)
    if done is not None:
        return done
    process = process or Process()
    caller = Caller(progress, check, free_bytes, show)
    with told_of_disk(job.output):
        if process.rank:
            return _share(job, key, process, caller)
        tracks = job.clip.tracks(job.output, job.encoding)
        with open_parts(job.output, key) as store:
            return _whole(job, key, tracks, store, process, caller)


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
        if look_at_output(job.output, key) is Found.RESULT:
            remove_left_parts(job.output)
            return RenderReport(f"Nothing has changed since {job.output} was made.", 0, 0)
        require_nothing_lost(job, key)
    require_sources_fit(job)
    return None


def _whole(
    job: RenderJob, key: str, tracks: TrackPlan, store: PartStore, process: Process, caller: Caller
) -> RenderReport:
    """Render all parts, or see to it that others do, and join them."""
    before = states_of(job)
    clip = analysed(job, store, caller)
    warnings = [*tracks.lines, *clip.warnings]
    for warning in warnings:
        # Logged before rendering, hours before the report, in time to choose other settings.
        _log.warning("%s: %s", job.output.name, warning)
    if not job.encoding.is_pictures:
        require_times_fit(clip.times, job.clip.format, job.output, job.encoding.endings)
    spans = plan_parts(len(clip.times), job.part_frames)
    parts = {span: part for span in spans if (part := store.verified(span)) is not None}
    kept = sum(span.stop - span.start for span in parts)
    require_space_for(job, parts, spans, caller.free_bytes)
    making = PartsOfClip(job, clip, caller, store, spans, parts)
    with leading(store, key, process, caller.check) as leader:
        for turn in leader.turns([span for span in spans if span not in parts], making.tell):
            making.render(turn)
    require_unchanged(before, states_of(job))
    joined = [parts.get(span) or store.verified(span) for span in spans]
    if None in joined:
        raise ValueError(f"A part in {store.folder} has changed meanwhile; start again, to make it anew.")
    whole = [part for part in joined if part is not None]
    joining = partial(caller.progress, "joining")
    damage = join_output(job, key, store, whole, clip.times, tracks, joining)
    lines = [
        *warnings,
        *damage,
        "" if clip.area is None else clip.area.report((job.clip.format.height, job.clip.format.width)),
        clip.depth.report,
        clip.amount.report,
        making.described,
        making.contours.report(),
        making.light.report(clips_light(job)),
        *job.clip.findings(),
        late_keyframes(job.focus, job.strength, len(clip.times)),
        _kept_line(kept, len(clip.times)),
        f"Written to {job.output}.",
    ]
    return RenderReport("\n".join(line for line in lines if line), len(clip.times), len(clip.times) - kept)


def _share(job: RenderJob, key: str, process: Process, caller: Caller) -> RenderReport:
    """Render what process 0 leaves to this one."""
    with taken_share(job.output, key, process, caller.check) as taken:
        if taken is None:
            return RenderReport(f"Process 0 has made {job.output} without process {process.rank}.", 0, 0)
        store, share = taken
        clip = analysed(job, store, caller)
        missing = [span for span in share if store.verified(span) is None]
        spans = plan_parts(len(clip.times), job.part_frames)
        PartsOfClip(job, clip, caller, store, spans, {}).render(missing)
    count = sum(span.stop - span.start for span in missing)
    report = f"Made as share {process.rank + 1} of {process.count} of {job.output}."
    return RenderReport(report, len(clip.times), count)


def _kept_line(kept: int, total: int) -> str:
    return f"{kept} of {total} frames were kept from an earlier run." if kept else ""
