"""Encoded parts and the sound of the source -> one file, packet by packet, without encoding again."""

from __future__ import annotations

import heapq
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .reader import VideoFormat

if TYPE_CHECKING:
    import av

# What a container says of itself rather than of the film.
_NOT_COPIED = {"major_brand", "minor_version", "compatible_brands", "encoder", "rotate", "duration"}
# Where a container is written whose ending does not matter.
_MP4_OPTIONS = {"movflags": "use_metadata_tags+faststart"}


@dataclass(frozen=True)
class EncodedPart:
    """Frames [start, stop) of a clip in a file of their own.

    Attributes:
        path: of the file.
        start: first frame.
        stop: the one after the last.
        reorder: places by which a frame may be stored after its turn, see `PartWriter`.
    """

    path: Path
    start: int
    stop: int
    reorder: int


def require_audio_fits(source: Path, container: str, name: str) -> None:
    """Check before anything is rendered that the sound of a file can be copied into a container.

    Raises:
        ValueError: it cannot.
    """
    import av  # imported on first use: the pack must load fast

    with av.open(str(source)) as given, av.open(io.BytesIO(), "w", format=container) as trial:
        for stream in given.streams.audio:
            codec = stream.codec_context.name
            try:
                trial.add_stream_from_template(stream, opaque=True)
                trial.start_encoding()
            except (ValueError, av.error.FFmpegError) as error:
                raise ValueError(
                    f"The sound of {source.name} is {codec}, which {name} cannot hold; write .mov or .mkv."
                ) from error


def join_parts(
    parts: Sequence[EncodedPart],
    times: Sequence[int],
    video: VideoFormat,
    audio: Path | None,
    destination: Path,
    container: str,
    on_frame: Callable[[], None] = lambda: None,
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write one file from parts that follow each other, each frame at its time, with the sound of a file.

    Args:
        parts: all of the same encoding, covering the clip in order.
        times: of every frame, in units of the video's time base.
        video: format of the clip.
        audio: file whose sound and metadata are copied as they are, or None.
        destination: what to write.
        container: FFmpeg's name of its format.
        on_frame: called for every frame; may raise to stop.
        metadata: of the file itself, with names in small letters; the source's of the same names give way.

    Raises:
        ValueError: the parts are of different encodings.
    """
    import av

    options = {}
    if container in ("mp4", "mov"):
        # Otherwise a clip that does not begin at 0 would begin at the nearest millisecond.
        options = {**_MP4_OPTIONS, "movie_timescale": str(min(video.time_base.denominator, 2**31 - 1))}
    with ExitStack() as stack:
        output = stack.enter_context(av.open(str(destination), "w", format=container, options=options))
        template = stack.enter_context(av.open(str(parts[0].path)))
        pictures = output.add_stream_from_template(template.streams.video[0], opaque=True)
        pictures.time_base = video.time_base
        output.metadata.update(metadata)
        tracks = [_pictures(parts, times, video, pictures, on_frame)]
        if audio is not None:
            source = stack.enter_context(av.open(str(audio)))
            for key, value in source.metadata.items():
                if key.lower() not in _NOT_COPIED | set(metadata):
                    output.metadata[key] = value
            sounds = {}
            for stream in source.streams.audio:
                sounds[stream.index] = output.add_stream_from_template(stream, opaque=True)
                sounds[stream.index].metadata.update(stream.metadata)
            if sounds:
                tracks.append(_sound(source, sounds))
        for _, _, packet in heapq.merge(*tracks, key=lambda item: item[:2]):
            output.mux(packet)


Timed = tuple[float, int, "av.Packet"]


def _pictures(
    parts: Sequence[EncodedPart],
    times: Sequence[int],
    video: VideoFormat,
    target: Any,
    on_frame: Callable[[], None],
) -> Iterator[Timed]:
    """Packets of all parts in the order of storing, with the times of the clip."""
    import av

    # A packet must be decoded before its picture is shown, and in ascending order: the times of the pictures,
    # late by as many places as pictures are stored out of turn.
    delay = max(part.reorder for part in parts)
    last_step = times[-1] - times[-2] if len(times) > 1 else _frame_duration(video)
    first_step = times[1] - times[0] if len(times) > 1 else _frame_duration(video)
    stored = 0
    extradata: bytes | None = None
    for part in parts:
        with av.open(str(part.path)) as container:
            stream = container.streams.video[0]
            own = bytes(stream.codec_context.extradata or b"")
            extradata = own if extradata is None else extradata
            if own != extradata:
                raise ValueError(
                    f"{part.path.name} was encoded in another way than the parts before it; delete the "
                    f"folder {part.path.parent} and render again."
                )
            for packet in container.demux(stream):
                if packet.pts is None or packet.size == 0:
                    continue
                number = part.start + round(packet.pts * packet.time_base * video.frame_rate)
                early = delay - stored
                decode = times[stored - delay] if early <= 0 else times[0] - early * first_step
                following = times[number + 1] if number + 1 < len(times) else times[number] + last_step
                packet.time_base = video.time_base
                packet.pts, packet.dts = times[number], decode
                packet.duration = following - times[number]
                packet.stream = target
                stored += 1
                on_frame()
                yield float(decode * video.time_base), 0, packet


def _sound(source: Any, targets: dict[int, Any]) -> Iterator[Timed]:
    for packet in source.demux(*(source.streams[index] for index in targets)):
        if packet.dts is not None:
            packet.stream = targets[packet.stream.index]
            yield float(packet.dts * packet.time_base), 1, packet


def _frame_duration(video: VideoFormat) -> int:
    return max(round(Fraction(1) / (video.frame_rate * video.time_base)), 1)
