"""What a job makes: a video file, or a folder of pictures; both come into place whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..disk.whole_file import put_in_place
from ..progress import Progress
from ..transfer import DISPLAY
from ..video_io import (
    CONTAINERS,
    EncodedPart,
    PartWriter,
    TrackPlan,
    container_of,
    join_parts,
    require_encodes,
)
from .job import RenderJob
from .parts import PartStore, Span
from .result import Found, look_at, metadata_of
from .sequence.clip import SequenceClip
from .sequence.folder import join_pictures, look_at_pictures, put_pictures_in_place
from .sequence.writer import PicturePartWriter, picture_ending
from .source import TensorClip

# Digits of the numbers of pictures; longer clips have longer numbers.
_DIGITS = 6


def look_at_output(output: Path, key: str) -> Found:
    """Tell what lies at the place of an output: a video by its ending, else a folder of pictures."""
    is_video = output.suffix.lower() in CONTAINERS
    return look_at(output, key) if is_video else look_at_pictures(output, key)


def require_still_free(job: RenderJob, key: str) -> None:
    """Check the place of the output once more when the result is finished, which may be hours later.

    Raises:
        ValueError: somebody's file has appeared there.
    """
    if look_at_output(job.output, key) is Found.OTHER and not job.overwrite:
        raise ValueError(
            f"{job.output} has appeared while it was being rendered. Nothing is overwritten: move the file "
            "away and give the same job again; finished parts are kept."
        )


def clips_light(job: RenderJob) -> str:
    """What clips light beyond white; "" where nothing does."""
    if not job.renderer.keeps_light:
        return "the network knows display values from black to white"
    video = job.clip.format
    floating = isinstance(job.clip, TensorClip) and video.transfer == DISPLAY
    if (video.is_light or floating) and not job.encoding.codec.startswith("exr"):
        return f"{job.encoding.codec} ends at white; exr-half keeps them"
    return ""


def part_writer(job: RenderJob, path: Path, span: Span) -> PartWriter | PicturePartWriter:
    """What stores the rendered frames of a part."""
    if not job.encoding.is_pictures:
        return PartWriter(path, container_of(job.output), job.encoding, job.clip.format)
    return PicturePartWriter(path, _names(job, span), job.encoding, job.clip.format)


def require_encodable(job: RenderJob) -> None:
    """Check that the pictures of a job can be stored.

    Raises:
        ValueError: the installed FFmpeg does not encode them, or two pictures would have one name.
    """
    if not job.encoding.is_pictures:
        require_encodes(container_of(job.output), job.encoding, job.clip.format)
    elif isinstance(job.clip, SequenceClip):
        _require_names_apart(job.clip.files, picture_ending(job.encoding))


def _require_names_apart(files: Sequence[Path], ending: str) -> None:
    """Check that pictures of a clip, which keep their names but for the ending, do not take each other's.

    Raises:
        ValueError: two of them would.
    """
    named: dict[str, Path] = {}
    for file in files:
        # Windows and macOS tell no A from a.
        other = named.setdefault(file.stem.casefold(), file)
        if other is not file:
            raise ValueError(
                f"{other.name} and {file.name} would both become {file.stem}{ending}; rename one of them, or "
                "put them into folders of their own."
            )


def join_output(
    job: RenderJob,
    key: str,
    store: PartStore,
    parts: Sequence[EncodedPart],
    times: Sequence[int],
    tracks: TrackPlan,
    progress: Progress,
) -> list[str]:
    """Put the result in place; returns what was found to be damaged.

    Raises:
        ValueError: somebody's file has appeared there.
    """
    metadata = {**job.origin, **metadata_of(key)}
    if job.encoding.is_pictures:
        joined = join_pictures(parts, store.folder, metadata, progress)
        require_still_free(job, key)
        put_pictures_in_place(joined, job.output)
        store.remove()
        return []
    with store.unfinished(store.joined_name()) as path:
        with job.clip.sound(store.folder) as sound:
            container = container_of(job.output)
            found = join_parts(
                parts, times, job.clip.format, sound, tracks, path, container, progress, metadata
            )
        require_still_free(job, key)
        put_in_place(path, job.output)
    store.remove()
    return found


def _names(job: RenderJob, span: Span) -> list[str]:
    """Names of the pictures of a part: those of the source if it is pictures too, else numbers from 1 on."""
    ending = picture_ending(job.encoding)
    if isinstance(job.clip, SequenceClip):
        return [f"{file.stem}{ending}" for file in job.clip.files[span.start : span.stop]]
    return [f"{job.output.name}.{t + 1:0{_DIGITS}d}{ending}" for t in range(span.start, span.stop)]
