"""Checks before a run begins its work, so that no file of the user's is lost."""

from __future__ import annotations

import os
from pathlib import Path

from ..disparity.files import open_depth_maps, state_of_files
from .depth import FileDepth
from .job import RenderJob
from .output import look_at_output, require_encodable
from .parts_folder import parts_folder, require_ours
from .result import Found
from .sequence.clip import SequenceClip
from .sequence.folder import require_replaceable


def require_output_possible(job: RenderJob) -> None:
    """Check the output of a job before a source is read.

    Raises:
        ValueError: a container that does not hold the codec, no folder, or a source in the output's place.
    """
    job.encoding.require_container(job.output)
    folder = job.output.absolute().parent
    if not folder.is_dir():
        raise ValueError(f"{folder} does not exist; make the folder first.")
    if job.encoding.is_pictures:
        if job.output.is_file():
            raise ValueError(f"{job.output} is a file; name the folder of pictures to be made.")
        if job.output.is_symlink() or job.output.is_mount():
            raise ValueError(
                f"{job.output} is a link or the root of a drive, whose place no finished folder can take; "
                "name a folder inside it."
            )
    elif job.output.is_dir():
        raise ValueError(f"{job.output} is a folder; name the video file to be made.")
    for path in [*job.source_files, *job.other_files]:
        require_not_the_output(job.output, path)


def require_nothing_lost(job: RenderJob, key: str) -> None:
    """Check that what is in the place of the output and of its parts is ours.

    Raises:
        ValueError: it is somebody's.
    """
    if job.encoding.is_pictures and look_at_output(job.output, key) is Found.OTHER:
        require_replaceable(job.output)
    if look_at_output(job.output, key) is Found.OTHER and not job.overwrite:
        raise ValueError(
            f"{job.output} exists and is not the result of this job. It is only overwritten on request: "
            "name another output, move the file away, or give --overwrite."
        )
    require_ours(parts_folder(job.output))


def require_sources_fit(job: RenderJob) -> None:
    """Check output, depth, focus and sound against the clip.

    Raises:
        ValueError: no depth maps, a point outside of the frame, no mask, or pictures or sound that the output
            cannot hold.
    """
    require_encodable(job)
    if isinstance(job.depth, FileDepth):
        next(open_depth_maps(job.depth.path).frames(), None)
    job.focus.require_fits((job.clip.format.height, job.clip.format.width))
    job.clip.tracks(job.output, job.encoding)


def states_of(job: RenderJob) -> dict[Path, str]:
    """What tells whether source files change, by path."""
    states = {path: state_of_files(path) for path in job.source_files}
    if isinstance(job.clip, SequenceClip):
        # Its folder may hold, and be given, other clips.
        states[job.clip.path] = job.clip.state()
    return states


def require_unchanged(before: dict[Path, str], after: dict[Path, str]) -> None:
    """Check that sources are as they were.

    Raises:
        ValueError: one has changed.
    """
    for path, state in before.items():
        if after[path] != state:
            raise ValueError(
                f"{path} was changed while it was being rendered, so the parts do not belong together. Give "
                "the same job again once it is complete; it is rendered from the beginning."
            )


def require_not_the_output(output: Path, source: Path) -> None:
    """Check that writing a file takes nothing away from a source.

    Files are compared as the disk knows them, so that links, `..`, and names that differ in capitals on a
    disk that takes them for the same are seen through.

    Args:
        output: the file to be made.
        source: file that is read, or a folder of such files.

    Raises:
        ValueError: they are the same file, or the output is in the place of one in the folder.
    """
    if _same_name(output, source) or _same_file(output, source):
        raise ValueError(f"{output} is a source of this job ({source}); name another file for the result.")
    if source.is_dir() and os.path.lexists(output) and _same_file(output.absolute().parent, source):
        raise ValueError(
            f"{output} is a file in the source folder {source}; name another file for the result."
        )


def _same_name(one: Path, other: Path) -> bool:
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        # One of them does not exist, so they are not the same.
        return False
