"""Packets of everything besides the picture, on their way from a source into the file that is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .opening import open_video
from .restarts import Restarts, is_restart
from .subtitles import add_text, converted
from .time_code import without_time_code
from .tracks import TrackPlan
from .trial import add_copy, describe, layout_of, readable

if TYPE_CHECKING:
    import av

# Seconds at which a packet has to be decoded, order among equals, the packet.
Timed = tuple[float, int, "av.Packet"]
# What a file says of itself, of how it was made, or of its picture's codec, rather than of the film.
_NOT_OF_THE_FILM = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "rotate",
    "duration",
    "vendor_id",
}


def copy_metadata(source: Any, output: Any, plan: TrackPlan) -> None:
    """Copy metadata and chapters from one open file to another, which keeps what it has."""
    taken = {name.lower() for name in output.metadata}
    metadata = without_time_code(of_the_film(source.metadata))
    output.metadata.update({name: value for name, value in metadata.items() if name.lower() not in taken})
    if plan.chapters:
        output.set_chapters(source.chapters())


def of_the_film(metadata: dict[str, str]) -> dict[str, str]:
    """Metadata that is true of every file with the same film."""
    return {key: value for key, value in metadata.items() if key.lower() not in _NOT_OF_THE_FILM}


def add_tracks(
    source: Path, plan: TrackPlan, output: Any, stack: ExitStack, offset: Fraction, restarts: Restarts
) -> list[Callable[[], Iterator[Timed]]]:
    """Add the tracks of a plan to a file.

    Args:
        source: file that has them.
        plan: of its tracks.
        output: open file, before its header is written.
        stack: keeps the source open.
        offset: seconds to be taken from all times.
        restarts: of the source's clock.

    Returns:
        What gives the packets of each track in order, to be called after the header is written.
    """
    flows = []
    for order, index in enumerate(sorted({*plan.copied, *plan.encoded}), 1):
        # One reader per track, as the tracks of a file need not be interleaved.
        container = stack.enter_context(open_video(source))
        stream = container.streams[index]
        _read_only(container, index)
        target, convert = _added(output, stream, plan.encoded.get(index))
        flows.append(_Flow(container, stream, target, convert, order, offset, restarts).packets)
    return flows


def _read_only(container: Any, index: int) -> None:
    # PyAV 17 and later can leave the other tracks unread.
    if hasattr(container.streams[index], "discard"):
        from av.stream import Discard

        for stream in container.streams:
            stream.discard = Discard.default if stream.index == index else Discard.all


Convert = Callable[["av.Packet"], Iterator["av.Packet"]]


def _added(output: Any, stream: Any, encoder: str | None) -> tuple[Any, Convert | None]:
    """The track in the output, and what makes its packets of those of the source; None if they are copied."""
    if encoder is None:
        return add_copy(output, stream), None
    if stream.type == "subtitle":
        text = add_text(output, stream, encoder)
        return text, lambda packet: converted(packet, text) if packet.size else iter(())
    context = stream.codec_context
    sound = output.add_stream(encoder, rate=context.sample_rate, layout=layout_of(context))
    describe(sound, stream)

    import av  # imported on first use: the pack must load fast

    def encoded(packet: av.Packet) -> Iterator[av.Packet]:
        with suppress(av.error.InvalidDataError):
            for frame in packet.decode():
                yield from sound.encode(frame)
        if not packet.size:
            yield from sound.encode(None)

    return sound, encoded


class _Flow:
    """One track from its source to the output."""

    def __init__(
        self,
        container: Any,
        stream: Any,
        target: Any,
        convert: Convert | None,
        order: int,
        offset: Fraction,
        restarts: Restarts,
    ) -> None:
        self._container, self._stream, self._target, self._convert = container, stream, target, convert
        self._order, self._offset, self._restarts = order, offset, restarts
        matroska = target.container.format.name == "matroska"
        # Matroska takes packets of one time; others need ascending ones.
        self._least_step = 0 if matroska else 1
        self._hides_packets = not matroska

    def packets(self) -> Iterator[Timed]:
        """The packets with their times, in order."""
        base = Fraction(self._target.time_base)
        clock = _SampleClock(self._stream, base, self._restarts)
        last: int | None = None
        for packet in self._converted():
            start, length = clock.place(packet)
            ticks = round((start - self._offset) / base)
            ticks = ticks if last is None else max(ticks, last + self._least_step)
            later = (packet.pts - packet.dts) * packet.time_base if packet.pts is not None else Fraction(0)
            packet.time_base, packet.dts, packet.pts = base, ticks, ticks + max(round(later / base), 0)
            packet.duration = round(length / base)
            packet.stream = self._target
            last = ticks
            yield float(ticks * base), self._order, packet

    def _converted(self) -> Iterator[av.Packet]:
        hidden: av.Packet | None = None
        for packet in readable(self._container.demux(self._stream)):
            if self._convert is not None:
                yield from self._convert(packet)
            elif packet.is_discard and not self._hides_packets:
                # Otherwise what was trimmed off would be heard; the decoder needs the end of it to start up.
                hidden = packet
            elif packet.size:
                yield from (packet,) if hidden is None else (hidden, packet)
                hidden = None


class _SampleClock:
    """Times of packets: those of the file, or where its unit is coarse, those that its samples add up to."""

    def __init__(self, stream: Any, base: Fraction, restarts: Restarts) -> None:
        sound = stream.type == "audio"
        self._rate: int = stream.codec_context.sample_rate if sound else 0
        self._samples: int = stream.codec_context.frame_size if sound else 0
        self._unit = Fraction(stream.time_base)
        self._counts = bool(self._samples) and self._unit > base
        self._restarts, self._restarted, self._move = restarts, 0, Fraction(0)
        self._last: Fraction | None = None
        self._next: Fraction | None = None

    def place(self, packet: av.Packet) -> tuple[Fraction, Fraction]:
        """Start and length of a packet in seconds; without a stamp it follows the one before."""
        stamp = packet.dts if packet.dts is not None else packet.pts
        length = (packet.duration or 0) * packet.time_base
        if stamp is None:
            start = self._next or Fraction(0)
            packet.dts = packet.pts = 0
        else:
            packet.dts = stamp
            start = self._moved(stamp * packet.time_base)
        if self._counts:
            length = Fraction(self._samples, self._rate)
            if self._next is not None and abs(start - self._next) <= self._unit:
                start = self._next
        self._next = start + length
        return start, length

    def _moved(self, stamp_s: Fraction) -> Fraction:
        """A stamp as a time of the clip."""
        if is_restart(self._last, stamp_s):
            self._restarted += 1
            move = self._restarts.move(self._restarted)
            follows = (self._next or Fraction(0)) - stamp_s
            self._move = follows if move is None else move
        self._last = stamp_s
        return stamp_s + self._move
