"""What is behind a VIDEO socket, on any host and after any edit: a file to stream, or frames in memory."""

import hashlib
import io
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
from comfy_api.latest import InputImpl

from ..bokeh_core.disparity.files import DepthMaps, describe_maps, read_depth_maps
from ..bokeh_core.disparity.fit import MapFit
from ..bokeh_core.disparity.grey import grey_maps
from ..bokeh_core.disparity.meaning import DepthMeaning
from ..bokeh_core.render import ClipSource, DepthSource, FileClip, FileDepth, GivenMaps, TrimmedClip
from ..bokeh_core.render.content_hash import packets_hash
from ..bokeh_core.render.given_clip import given_clip
from ..bokeh_core.render.made_results import result_stem
from ..bokeh_core.render.source import alpha_lost
from ..bokeh_core.video_io import VideoFile
from ..bokeh_core.video_io.format import AS_TAGGED
from . import host
from .newer_host import known_fields
from .sequence_video import SequenceVideo

logger = logging.getLogger(__name__)

# Copies of equal content have one name and one time, so that a run that was stopped finds its parts again.
_COPIED_AT = 1_000_000_000
_WHOLE = (0.0, 0.0)


@dataclass(frozen=True)
class GivenClip:
    """A clip to render.

    Attributes:
        source: its frames and sound.
        name: for results, from the file's, without ending.
        notes: what people should know of how it is read, one fact each.
    """

    source: ClipSource
    name: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Streamed:
    """A file to be read from `start_s` on for `duration_s`, 0 = to the end."""

    path: Path
    name: str
    window_s: tuple[float, float] = _WHOLE
    notes: tuple[str, ...] = ()


@contextmanager
def clip_of(video: Any, keep_alpha: bool, transfer: str = AS_TAGGED) -> Iterator[GivenClip]:
    """Offer what a VIDEO shows; copies that had to be made are gone afterwards.

    Args:
        video: of any class that the host or a pack has.
        keep_alpha: whether frames shall carry alpha, if there is one.
        transfer: how its numbers mean light, one of `video_io.format.TRANSFER_CHOICES`.

    Raises:
        ValueError: it is no video, or nothing is left of it.
    """
    if isinstance(video, SequenceVideo):
        yield GivenClip(video.clip(keep_alpha, transfer), result_stem(video.path.name))
        return
    with _streamed(video, keep_alpha, trim_here=True) as streamed:
        if streamed is None:
            yield _in_memory(video, keep_alpha, transfer)
            return
        source: ClipSource
        if streamed.window_s == _WHOLE:
            source = FileClip(streamed.path, keep_alpha, transfer)
        else:
            source = TrimmedClip(streamed.path, keep_alpha, *streamed.window_s, transfer)
        yield GivenClip(source, streamed.name, streamed.notes)


@contextmanager
def depth_of(video: Any, meaning: DepthMeaning, fit: MapFit) -> Iterator[DepthSource]:
    """Offer the depth that a VIDEO shows, as `clip_of`."""
    if isinstance(video, SequenceVideo):
        yield FileDepth(video.path, meaning, fit)
        return
    with _streamed(video, keep_alpha=False, trim_here=False) as streamed:
        if streamed is not None:
            yield FileDepth(streamed.path, meaning, fit)
            return
        yield GivenMaps(grey_maps(given_clip(_parts_of(video), keep_alpha=False).images), meaning, fit)


def maps_of(video: Any, check: Callable[[], None], size: tuple[int, int] | None, fit: MapFit) -> DepthMaps:
    """Return the raw maps that a VIDEO shows; arguments and errors are those of `read_depth_maps`."""
    if isinstance(video, SequenceVideo):
        return read_depth_maps(video.path, check, size, fit)
    with _streamed(video, keep_alpha=False, trim_here=False) as streamed:
        if streamed is not None:
            return read_depth_maps(streamed.path, check, size, fit)
    values = grey_maps(given_clip(_parts_of(video), keep_alpha=False).images)
    return DepthMaps(
        values, describe_maps(len(values), values.shape[1:], "floating point", "a VIDEO in memory")
    )


@contextmanager
def _streamed(video: Any, keep_alpha: bool, trim_here: bool) -> Iterator[_Streamed | None]:
    """Offer a file to stream; None where frames must be held in memory.

    Args:
        video: the VIDEO.
        keep_alpha: whether alpha matters.
        trim_here: whether a part of a file may be streamed in place, rather than from a copy of its own.
    """
    source = _stored(video)
    name = _name_of(source)
    window = _WHOLE if source is None else _window_s(video, source)
    untouched = source is not None and not _has_edited_frames(video, source)
    if source is not None and untouched and window is not None and (trim_here or window == _WHOLE):
        with _on_disk(source) as path:
            yield _Streamed(path, name, window, _trim_notes(path.name, window))
    elif _can_be_copied(video, keep_alpha):
        width, height = video.get_dimensions()
        note = f"As edited in ComfyUI: {width} x {height} px, from a copy without loss, colour at half size."
        lost = alpha_lost(_has_alpha(video))
        for warning in lost:
            # Before anything is rendered: in time to stop and choose another codec.
            logger.warning(warning)
        with _copied(video) as path:
            yield _Streamed(path, name, notes=(note, *lost))
    else:
        yield None


def _stored(video: Any) -> str | io.BytesIO | None:
    """The file behind a VIDEO, on disk or in memory; edits are not in it."""
    if not isinstance(video, InputImpl.VideoFromFile):
        return None
    source = video.get_stream_source()
    if isinstance(source, io.BytesIO):
        return source
    path = os.fspath(source)
    # Load Video without a file in its list names the folder.
    if Path(path).is_dir():
        raise ValueError("There is no video yet; choose or upload one in Load Video.")
    if not Path(path).is_file():
        raise ValueError(f"The video {path} is gone; choose it again in Load Video.")
    return path


def _has_edited_frames(video: Any, source: str | io.BytesIO) -> bool:
    """Whether the host crops or scales frames after reading them from the file."""
    pending = getattr(video, "has_pending_frame_edits", None)
    if pending is not None and pending():
        return True
    try:
        # Hosts that cannot be asked tell by the size.
        return tuple(video.get_dimensions()) != tuple(InputImpl.VideoFromFile(source).get_dimensions())
    except (av.error.FFmpegError, ValueError):
        # A file that the host cannot open; our own reader says what is wrong with it.
        return False


def _window_s(video: Any, source: str | io.BytesIO) -> tuple[float, float] | None:
    """Start and duration in seconds of the part of the file that is meant; None if that cannot be known."""
    active = getattr(video, "get_active_trim_window", None)
    if active is not None:
        start_s, duration_s = active()
        return max(float(start_s), 0.0), max(float(duration_s or 0), 0.0)
    if type(video) is InputImpl.VideoFromFile and not hasattr(video, "as_trimmed"):
        return _WHOLE
    # Hosts that cannot be asked tell by the length.
    try:
        cut_s = InputImpl.VideoFromFile(source).get_duration() - video.get_duration()
    except (av.error.FFmpegError, ValueError):
        return _WHOLE
    return _WHOLE if abs(cut_s) <= 1e-3 else None


def _can_be_copied(video: Any, keep_alpha: bool) -> bool:
    """Whether the host writes an edited video frame by frame without losing anything that matters."""
    # Only newer hosts join videos.
    kinds = [getattr(InputImpl, name, None) for name in ("VideoFromFile", "VideoFromList")]
    streaming: Any = tuple(kind for kind in kinds if kind is not None)
    if not isinstance(video, streaming):
        return False
    if not {"crf", "bit_depth"} <= signature(video.save_to).parameters.keys():
        return False
    # Odd sizes would lose a row or a column.
    if any(side % 2 for side in video.get_dimensions()):
        return False
    return not (keep_alpha and _has_alpha(video))


def _has_alpha(video: Any) -> bool:
    """Whether any file that a VIDEO is made of has alpha."""
    parts = getattr(video, "videos", None)
    if parts is not None:
        return any(_has_alpha(part) for part in parts)
    source = _stored(video)
    if source is None:
        return True
    with _on_disk(source) as path:
        return VideoFile(path).format.alpha


@contextmanager
def _on_disk(source: str | io.BytesIO) -> Iterator[Path]:
    """Offer a path to a file that may be in memory."""
    if isinstance(source, str):
        yield Path(source)
        return
    content = source.getbuffer()
    path = host.temporary_folder() / f"{hashlib.sha256(content).hexdigest()[:16]}.video"
    with _removed_afterwards(path):
        path.write_bytes(content)
        os.utime(path, (_COPIED_AT, _COPIED_AT))
        yield path


@contextmanager
def _copied(video: Any) -> Iterator[Path]:
    """Offer a copy of an edited video, written frame by frame by the host without loss."""
    folder = host.temporary_folder()
    with TemporaryDirectory(dir=folder) as place:
        # Matroska would round times to milliseconds.
        written = Path(place) / "edited.mp4"
        speed = known_fields(video.save_to, preset="veryfast")
        depth = video.get_bit_depth()
        try:
            video.save_to(str(written), format="mp4", codec="h264", crf=0, bit_depth=depth, **speed)
        except OSError as error:
            raise ValueError(
                f"The edited video cannot be copied to {folder} ({error.strerror}); make room there, or "
                "start ComfyUI with another --temp-directory."
            ) from error
        os.utime(written, (_COPIED_AT, _COPIED_AT))
        path = folder / f"{packets_hash(written)[:16]}.mp4"
        os.replace(written, path)
    with _removed_afterwards(path):
        yield path


@contextmanager
def _removed_afterwards(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _in_memory(video: Any, keep_alpha: bool, transfer: str) -> GivenClip:
    bits = video.get_bit_depth() if hasattr(video, "get_bit_depth") else 8
    space = video.get_color_space() if hasattr(video, "get_color_space") else ""
    clip = given_clip(_parts_of(video), keep_alpha, bits, space, transfer)
    source = _stored(video)
    if source is None:
        return GivenClip(clip, _name_of(None))
    height, width = clip.images.shape[1:3]
    note = f"As edited in ComfyUI: {len(clip.images)} frames of {width} x {height} px, held in memory."
    return GivenClip(clip, _name_of(source), (note,))


def _parts_of(video: Any) -> Any:
    """Frames and sound of a VIDEO in memory."""
    read = getattr(video, "get_components", None)
    if read is None:
        raise ValueError(
            f"The video input got {type(video).__name__}, which is not a video; connect Load Video, or "
            "Create Video for pictures."
        )
    return read()


def _name_of(source: str | io.BytesIO | None) -> str:
    return result_stem(Path(source).stem if isinstance(source, str) else "")


def _trim_notes(file_name: str, window_s: tuple[float, float]) -> tuple[str, ...]:
    start_s, duration_s = window_s
    if window_s == _WHOLE:
        return ()
    until = f"to {start_s + duration_s:.3f} s" if duration_s else "on"
    return (f"Of {file_name} the part from {start_s:.3f} s {until}, as trimmed in ComfyUI.",)
