"""VIDEO of the host, and how its nodes show one."""

import json
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import comfy.cli_args
import folder_paths
from torch import Tensor

from .bar import check_interrupt
from .folders import temporary_folder


def video_components(frames: Tensor, frame_rate: Fraction) -> Any:
    """Return frames [T, H, W, C] as nodes get them from a VIDEO, without sound."""
    from comfy_api.util import VideoComponents

    return VideoComponents(images=frames, audio=None, frame_rate=frame_rate)


def video_in_memory(frames: Tensor, frames_per_second: int) -> Any:
    """Return a VIDEO without sound of frames [T, H, W, C] in memory."""
    from comfy_api.latest import InputImpl

    return InputImpl.VideoFromComponents(video_components(frames, Fraction(frames_per_second)))


def video_of(path: Path) -> Any:
    """Return a VIDEO that is read from a file when it is needed."""
    from comfy_api.latest import InputImpl

    return InputImpl.VideoFromFile(str(path))


def origin_of(hidden: Any) -> dict[str, str]:
    """Return what the host's own Save Video writes into a file: prompt and workflow, as JSON by name.

    Args:
        hidden: a node's hidden inputs `prompt` and `extra_pnginfo`.

    Returns:
        Nothing where people started the host with --disable-metadata, or where it was not told.
    """
    if comfy.cli_args.args.disable_metadata:
        return {}
    facts = {**(hidden.extra_pnginfo or {}), **({} if hidden.prompt is None else {"prompt": hidden.prompt})}
    return {name.lower(): json.dumps(fact) for name, fact in facts.items()}


def video_preview(path: Path) -> Any:
    """Return what makes a node show a video of the host's output folder or of its temporary files."""
    from comfy_api.latest import io, ui

    folder, kind = Path(folder_paths.get_output_directory()), io.FolderType.output
    if not path.is_relative_to(folder):
        folder, kind = Path(folder_paths.get_temp_directory()), io.FolderType.temp
    within = path.parent.relative_to(folder).as_posix()
    return ui.PreviewVideo([ui.SavedResult(path.name, within, kind)])


def small_video_preview(frames: Iterable[Tensor], frame_rate: Fraction, stem: str) -> Any:
    """Return what makes a node show frames [H, W, C] as a small video among the host's temporary files."""
    from ...bokeh_core.video_io.small_copy import write_small_copy

    path = temporary_folder() / f"{stem}_{uuid4().hex[:12]}.mp4"
    write_small_copy(path, frames, frame_rate, check_interrupt)
    return video_preview(path)
