"""Whether a container takes a track: tried in memory with a header, a real packet and a trailer."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

# Packets read in search of the first ones of all tracks; a track that begins later is entered where it says.
_PACKETS_READ = 2000
# FFmpeg's way to describe channels whose places a file does not state.
_PLACES_UNKNOWN = " channels"


def first_packets(source: Any, streams: Sequence[Any]) -> dict[int, av.Packet]:
    """First packet of each track of an open file, by the stream's index; none of tracks that seem empty."""
    found: dict[int, av.Packet] = {}
    _look_for(found, source, streams)
    for stream in streams:
        if stream.index not in found and stream.start_time:
            source.seek(stream.start_time, stream=stream)
            _look_for(found, source, [stream])
    return found


def _look_for(found: dict[int, av.Packet], source: Any, streams: Sequence[Any]) -> None:
    wanted = {stream.index for stream in streams} - found.keys()
    if not wanted:
        return
    for number, packet in enumerate(source.demux()):
        if packet.size and packet.stream.index in wanted:
            found[packet.stream.index] = packet
            wanted.discard(packet.stream.index)
        if not wanted or number > _PACKETS_READ:
            return


def holds(container: str, tracks: Iterable[tuple[Any, av.Packet | None]]) -> bool:
    """Tell whether a container takes copies of tracks.

    Args:
        container: FFmpeg's name of its format.
        tracks: stream and first packet of each.
    """
    import av  # imported on first use: the pack must load fast

    try:
        with av.open(io.BytesIO(), "w", format=container) as output:
            targets = [(add_copy(output, stream), packet) for stream, packet in tracks]
            output.start_encoding()
            for target, packet in targets:
                if packet is not None:
                    output.mux(_copy(packet, target))
    except (ValueError, AttributeError, av.error.FFmpegError):
        # AttributeError: versions before 16 copy no track whose codec FFmpeg does not know.
        return False
    return True


def encodes(container: str, encoder: str, **settings: Any) -> bool:
    """Tell whether a container takes a track of an encoder with these settings."""
    import av

    try:
        with av.open(io.BytesIO(), "w", format=container) as output:
            output.add_stream(encoder, **settings)
            output.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def add_copy(output: Any, stream: Any) -> Any:
    """Add a track that takes the packets of a stream as they are, with what the file says about it.

    Raises:
        ValueError: the container cannot hold it.
    """
    target = output.add_stream_from_template(stream, opaque=True)
    if stream.type == "audio" and stream.codec_context is not None:
        target.codec_context.layout = layout_of(stream.codec_context)
    describe(target, stream)
    return target


def describe(target: Any, stream: Any) -> None:
    """Give a track the language, title, handler and roles of another."""
    target.metadata.update(stream.metadata)
    # MP4's readers and writers call the title differently.
    if "name" in stream.metadata:
        target.metadata.setdefault("title", stream.metadata["name"])
    target.disposition = stream.disposition.value


def layout_of(context: Any) -> str:
    """The layout of a sound's channels; the usual one of as many where a file does not state it."""
    layout = context.layout
    return f"{layout.nb_channels}c" if layout.name.endswith(_PLACES_UNKNOWN) else layout.name


def _copy(packet: av.Packet, target: Any) -> av.Packet:
    import av

    copy = av.Packet(bytes(packet))
    copy.time_base, copy.pts, copy.dts = packet.time_base, packet.pts, packet.dts
    copy.duration, copy.is_keyframe = packet.duration, packet.is_keyframe
    copy.stream = target
    return copy
