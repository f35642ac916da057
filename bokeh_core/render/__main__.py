"""Lens blur or the paper's model on video files of any length, without a host.

python -m bokeh_core.render IN.mp4 --disparity DEPTH --focus point:512,288 --strength 16 -o OUT.mp4
python -m bokeh_core.render IN.mp4 --disparity estimate -o OUT.mp4
accelerate launch -m bokeh_core.render CLIPS/ --disparity DEPTHS/ -o RENDERED/
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..console import write_what_the_stream_can_show
from .command.arguments import (
    Settings,
    chosen_renderer,
    input_path,
    job_of,
    output_path,
    parser,
    settings_of,
)
from .command.clips import ClipPaths, clips_at
from .command.depth_arguments import ESTIMATE, estimated_depth
from .command.devices import chosen_device
from .command.failures import Failure, line_to_type, message_of, missing_library, told
from .command.processes import this_process
from .command.progress import ProgressLine
from .command.termination import stopping_on_termination
from .estimated import EstimatedDepth
from .parts import parts_folder
from .renderers import LensRenderer
from .run import RenderReport, check_job, run_job

if TYPE_CHECKING:
    from .model_files import FileModel

FAILED, STOPPED = 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; 0 when every clip is made, 1 with the reasons on stderr otherwise, 130 when stopped."""
    write_what_the_stream_can_show()
    arguments = parser().parse_args(argv)
    with stopping_on_termination():
        try:
            return _run(arguments)
        except KeyboardInterrupt:
            sys.stderr.write("Stopped. The same command goes on where it was.\n")
            return STOPPED


def _run(arguments: argparse.Namespace) -> int:
    try:
        process = this_process(os.environ)
        device = chosen_device(arguments.device, process)
        settings = settings_of(arguments)
        source = input_path(arguments.source)
        disparity = None if arguments.disparity == ESTIMATE else input_path(arguments.disparity)
        clips = clips_at(source, disparity, output_path(arguments.output), settings.encoding.ending)
        clips = process.share_of(clips)
        estimated = estimated_depth(arguments, device)
        renderer = chosen_renderer(arguments, device)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{message_of(error)}\n")
        return FAILED
    failures = []
    for clip in clips:
        try:
            report = _rendered(settings, clip, renderer, estimated)
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
                sys.stdout.write(f"{clip.video.name}\n{report.text}\n")
                sys.stdout.flush()
    if failures:
        sys.stderr.write(f"{told(failures, len(clips))}\n")
    return FAILED if failures else 0


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
            library = missing_library(error) or "a library"
            raise _CannotLoad(
                f"The model needs {library}, which cannot be loaded ({error}). {line_to_type()}"
            ) from error
    with ProgressLine(clip.video.name) as progress:
        return run_job(job, progress)


if __name__ == "__main__":
    sys.exit(main())
