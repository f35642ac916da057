"""Encoded parts and the sound of the source -> one file, packet by packet, without encoding again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..progress import Progress, no_progress
from .carry import Timed, add_tracks, copy_metadata, of_the_film
from .codecs import CONTAINERS
from .format import VideoFormat
from .hdr_template import template_with
from .opening import address_of, open_video, picture_stream
from .restarts import Restarts
from .time_code import TIME_CODE, without_time_code
from .timing import require_no_gap, tick_of, times_in_ticks
from .tracks import TrackPlan
from .writer import PART_RATE

_MP4_OPTIONS = {"movflags": "use_metadata_tags+faststart"}
# Transport and program streams, whose clocks may read anything when a recording or chapter begins.
_BEGIN_ANYWHERE = ("mpegts", "mpeg")
# Facts of the stream that the picture had in the source, not of the one it becomes.
_OF_THE_OLD_STREAM = ("bps", "number_of_", "_statistics")


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


def require_times_fit(times: Sequence[int], video: VideoFormat, output: Path, endings: Sequence[str]) -> None:
    """Check before anything is rendered that a file can say when each frame is shown.

    Args:
        times: of every frame, in units of the video's time base.
        video: format of the clip.
        output: file to be written.
        endings: of files that the picture could be stored in.

    Raises:
        ValueError: it cannot.
    """
    others = [ending for ending in endings if ending != ".mkv"]
    advice = f"Name a file that ends in {' or '.join(others)}" if others else "Choose h264 or prores"
    tick = tick_of(CONTAINERS[output.suffix.lower()], video.time_base)
    try:
        require_no_gap(times, video.time_base, tick)
    except ValueError as error:
        raise ValueError(f"{output.name} cannot hold the times of the frames. {error}") from error
    try:
        times_in_ticks(times, video.time_base, tick)
    except ValueError as error:
        raise ValueError(f"{output.name} cannot hold the times of the frames: {error}. {advice}.") from error


def join_parts(
    parts: Sequence[EncodedPart],
    times: Sequence[int],
    video: VideoFormat,
    source: Path | None,
    plan: TrackPlan,
    destination: Path,
    container: str,
    progress: Progress = no_progress,
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Write one file from parts that follow each other, each frame at its time, with the tracks of a file.

    Args:
        parts: all of the same encoding, covering the clip in order.
        times: of every frame, in units of the video's time base.
        video: format of the clip.
        source: file with the other tracks and the metadata, or None.
        plan: of the tracks of that file.
        destination: what to write.
        container: FFmpeg's name of its format.
        progress: told of every frame; may raise to stop.
        metadata: of the file itself, with names in small letters; the source's of the same names give way.

    Returns:
        What people should know of the result that could not be known before.

    Raises:
        ValueError: the parts are of different encodings, or the times do not fit the container.
    """
    import av  # imported on first use: the pack must load fast

    tick = tick_of(container, video.time_base)
    options = {}
    if container in ("mp4", "mov"):
        # Otherwise a clip that does not begin at 0 would begin at the nearest millisecond.
        options = {**_MP4_OPTIONS, "movie_timescale": str(tick.denominator)}
    with ExitStack() as stack:
        output = stack.enter_context(av.open(address_of(destination), "w", format=container, options=options))
        if video.hdr is None:
            template = stack.enter_context(av.open(address_of(parts[0].path))).streams.video[0]
        else:
            template = template_with(video.hdr, parts[0].path, stack)
        pictures = output.add_stream_from_template(template, opaque=True)
        pictures.time_base = tick
        output.metadata.update(metadata)
        offset, flows = Fraction(0), []
        if source is not None:
            given = stack.enter_context(open_video(source))
            copy_metadata(given, output, plan)
            if given.streams.video:
                _copy_metadata_of_picture(given, source.name, pictures)
            if plan.time_code:
                pictures.metadata[TIME_CODE] = plan.time_code
            offset = _offset(given, times[0] * video.time_base)
            restarts = Restarts(source, times, video.time_base)
            flows = add_tracks(source, plan, output, stack, offset, restarts)
        output.start_encoding()
        shown = times_in_ticks([t - round(offset / video.time_base) for t in times], video.time_base, tick)
        tracks = [_pictures(parts, shown, tick, video, pictures, progress), *(flow() for flow in flows)]
        damaged = 0
        for _, order, packet in heapq.merge(*tracks, key=lambda item: item[:2]):
            try:
                output.mux(packet)
            except av.error.FFmpegError as error:
                # A damaged packet of sound is left out; a full disk or a damaged picture ends the file.
                if order == 0 or isinstance(error, OSError):
                    raise
                damaged += 1
    if source is None or not damaged:
        return []
    packets = "a packet" if damaged == 1 else f"{damaged} packets"
    return [f"Warning: {packets} of sound or other tracks of {source.name} left out, being damaged."]


def _copy_metadata_of_picture(source: Any, name: str, target: Any) -> None:
    metadata = without_time_code(of_the_film(picture_stream(source, name).metadata))
    target.metadata.update(
        {k: v for k, v in metadata.items() if not k.lower().startswith(_OF_THE_OLD_STREAM)}
    )


def _offset(source: Any, first_frame: Fraction) -> Fraction:
    """Seconds to be taken from all times: where an MPEG stream begins; other files say when they do."""
    if source.format.name not in _BEGIN_ANYWHERE:
        return Fraction(0)
    starts = [s.start_time * s.time_base for s in source.streams.audio if s.start_time is not None]
    return min([first_frame, *starts])


def _pictures(
    parts: Sequence[EncodedPart],
    times: Sequence[int],
    tick: Fraction,
    video: VideoFormat,
    target: Any,
    progress: Progress,
) -> Iterator[Timed]:
    """Packets of all parts in the order of storing, with the times of the clip in ticks."""
    import av

    # A packet must be decoded before its picture is shown, and in ascending order: the times of the pictures,
    # late by as many places as pictures are stored out of turn.
    delay = max(part.reorder for part in parts)
    usual_step = max(round(1 / (video.frame_rate * tick)), 1)
    last_step = times[-1] - times[-2] if len(times) > 1 else usual_step
    first_step = times[1] - times[0] if len(times) > 1 else usual_step
    stored = 0
    extradata: bytes | None = None
    for part in parts:
        with av.open(address_of(part.path)) as container:
            stream = container.streams.video[0]
            own = bytes(stream.codec_context.extradata or b"")
            extradata = own if extradata is None else extradata
            if own != extradata:
                raise ValueError(
                    f"{part.path.name} was encoded differently from the parts before it; delete the "
                    f"folder {part.path.parent} and render again."
                )
            for packet in container.demux(stream):
                if packet.pts is None or packet.size == 0:
                    continue
                number = part.start + round(packet.pts * packet.time_base * PART_RATE)
                early = delay - stored
                decode = times[stored - delay] if early <= 0 else times[0] - early * first_step
                following = times[number + 1] if number + 1 < len(times) else times[number] + last_step
                packet.time_base = tick
                packet.pts, packet.dts = times[number], decode
                packet.duration = following - times[number]
                packet.stream = target
                stored += 1
                progress(stored, len(times))
                yield float(decode * tick), 0, packet
