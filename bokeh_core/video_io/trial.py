"""Whether a container takes a track: tried in memory with a header, a real packet and a trailer."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

# Packets read in search of the first ones of all tracks; a track that begins later is entered where it says.
_PACKETS_READ, _PACKETS_TRIED = 2000, 8
# FFmpeg's way to describe channels whose places a file does not state.
_PLACES_UNKNOWN = " channels"


def first_packets(source: Any, streams: Sequence[Any]) -> dict[int, list[av.Packet]]:
    """First packets of each track of an open file, by the stream's index; none of tracks that seem empty."""
    found: dict[int, list[av.Packet]] = {}
    _look_for(found, source, streams)
    for stream in streams:
        if stream.index not in found and stream.start_time:
            with suppress(ValueError, OSError):
                source.seek(stream.start_time, stream=stream)
                _look_for(found, source, [stream])
    return found


def _look_for(found: dict[int, list[av.Packet]], source: Any, streams: Sequence[Any]) -> None:
    wanted = {stream.index for stream in streams} - found.keys()
    if not wanted:
        return
    for number, packet in enumerate(readable(source.demux())):
        if packet.size and packet.stream.index in wanted:
            packets = found.setdefault(packet.stream.index, [])
            packets.append(packet)
            if len(packets) == _PACKETS_TRIED:
                wanted.discard(packet.stream.index)
        if not wanted or number > _PACKETS_READ:
            return


def readable(packets: Iterator[av.Packet]) -> Iterator[av.Packet]:
    """Packets of a file up to where it is too damaged to go on."""
    import av  # imported on first use: the pack must load fast

    # After the last packet, PyAV searches without success for streams that begin later than others.
    with suppress(av.error.FFmpegError, IndexError):
        yield from packets


def holds(container: str, tracks: Iterable[tuple[Any, Sequence[av.Packet]]]) -> bool:
    """Tell whether a container takes copies of tracks.

    Args:
        container: FFmpeg's name of its format.
        tracks: stream and first packets of each; a damaged one may fail where another does not.
    """
    import av

    try:
        with av.open(io.BytesIO(), "w", format=container) as output:
            targets = [(add_copy(output, stream), packets) for stream, packets in tracks]
            output.start_encoding()
            if not all(_takes_one(output, target, packets) for target, packets in targets):
                return False
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def _takes_one(output: Any, target: Any, packets: Sequence[av.Packet]) -> bool:
    import av

    for packet in packets:
        try:
            output.mux(_copy(packet, target))
        except av.error.FFmpegError:
            continue
        return True
    return not packets


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

    # A packet with its own memory: PyAV 17.0 frees the memory of packets made from bytes.
    copy = av.Packet(packet.size)
    copy.update(bytes(packet))
    copy.time_base, copy.pts, copy.dts = packet.time_base, packet.pts, packet.dts
    copy.duration, copy.is_keyframe = packet.duration, packet.is_keyframe
    copy.stream = target
    return copy
