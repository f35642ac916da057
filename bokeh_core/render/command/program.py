"""The command `bokeh IN ...`, which is `python -m bokeh_core.render` too: video files of any length."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...console import write_what_the_stream_can_show
from ...libraries import missing_library, missing_library_message
from ..estimated import EstimatedDepth
from ..parts_folder import parts_folder
from ..processes import Process, this_process
from ..renderers import LensRenderer
from ..run import RenderReport, check_job, run_job
from .arguments import parser
from .clips import ClipPaths, clips_at
from .depth_arguments import ESTIMATE, estimated_depth
from .devices import chosen_device
from .failures import Failure, message_of, told
from .idle_options import require_none_idle
from .progress import ProgressLine
from .settings import Settings, chosen_renderer, input_path, job_of, output_path, settings_of, source_path
from .termination import stopping_on_termination

if TYPE_CHECKING:
    from ..model_files import FileModel

FAILED, STOPPED = 1, 130


def main(argv: Sequence[str] | None = None, called: str = "python -m bokeh_core.render") -> int:
    """The command; 0 when every clip is made, 1 with the reasons on stderr otherwise, 130 when stopped."""
    write_what_the_stream_can_show()
    command = parser(called)
    arguments = command.parse_args(argv)
    with stopping_on_termination():
        try:
            return _run(arguments, command.get_default)
        except KeyboardInterrupt:
            sys.stderr.write("Stopped. The same command goes on where it was.\n")
            return STOPPED


def _run(arguments: argparse.Namespace, default_of: Callable[[str], object]) -> int:
    try:
        process = this_process(os.environ)
        device = chosen_device(arguments.device, process)
        settings = settings_of(arguments)
        require_none_idle(arguments, default_of)
        source = source_path(arguments.source)
        disparity = None if arguments.disparity == ESTIMATE else input_path(arguments.disparity)
        clips = clips_at(source, disparity, output_path(arguments.output), settings.encoding.ending)
        # Where there are fewer clips than processes, all of them make one after another.
        together = process if len(clips) < process.count else None
        clips = clips if together else process.share_of(clips)
        estimated = estimated_depth(arguments, device)
        renderer = chosen_renderer(arguments, device)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{message_of(error)}\n")
        return FAILED
    failures = []
    for clip in clips:
        started = time.monotonic()
        try:
            report = _rendered(settings, clip, renderer, estimated, together)
        except _CannotLoad as error:
            sys.stderr.write(f"{message_of(error)}\n")
            return FAILED
        except Exception as error:  # noqa: BLE001
            # Any error: one bad clip must not keep the others of a night's work from being rendered.
            failures.append(Failure(str(clip.video), error))
        except KeyboardInterrupt:
            sys.stderr.write(_stopped_at(clip.output))
            return STOPPED
        else:
            # The reader may have left, as `head` does; the clips are made anyway.
            with suppress(BrokenPipeError):
                _tell(clip, report, time.monotonic() - started)
    if failures:
        sys.stderr.write(f"{told(failures, len(clips))}\n")
    return FAILED if failures else 0


def _tell(clip: ClipPaths, report: RenderReport, seconds: float) -> None:
    """Write what was read and decided on stderr, and one line of result on stdout."""
    details, _, result = report.text.rpartition("\n")
    if details:
        sys.stderr.write(f"{details}\n")
    took = f"{report.rendered_frames} frames in {seconds:.1f} s. " if report.rendered_frames else ""
    sys.stdout.write(f"{clip.video.name}: {took}{result}\n")
    sys.stdout.flush()


def _stopped_at(output: Path) -> str:
    folder = parts_folder(output)
    kept = f"Finished parts are kept in {folder}. " if folder.is_dir() else ""
    return f"Stopped. {kept}The same command goes on where it was.\n"


class _CannotLoad(ValueError):
    """The model, which every clip needs."""


def _rendered(
    settings: Settings,
    clip: ClipPaths,
    renderer: LensRenderer | FileModel,
    estimated: EstimatedDepth | None,
    process: Process | None,
) -> RenderReport:
    if clip.by_name:
        clip.output.parent.mkdir(parents=True, exist_ok=True)
    job = job_of(settings, clip, renderer, estimated)
    done = check_job(job)
    if done is not None:
        return done
    if not isinstance(renderer, LensRenderer):
        try:
            renderer.load()
        except ValueError as error:
            raise _CannotLoad(str(error)) from error
        except ImportError as error:
            # Lens Blur does not need diffusers, so it is only looked for here.
            message = missing_library_message(missing_library(error) or "diffusers", str(error))
            raise _CannotLoad(f"The model cannot be loaded: {message}") from error
    with ProgressLine(clip.video.name) as progress:
        return run_job(job, progress, process=process)
