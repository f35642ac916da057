"""The frames of a file, decoded one by one; a file that is cut off ends, one that is damaged is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .cut_short import is_cut_short
from .opening import A_VIDEO, MAX_PIXELS, open_video, picture_stream

if TYPE_CHECKING:
    import av

# Frames that threads may work on, and each of which may fail.
_MOST_IN_FLIGHT = 256
# Codecs whose FFmpeg decoders leave out alpha.
_DECODERS_OF_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


class CannotSeek(ValueError):
    """A file that cannot be entered in its middle."""


class Decoding:
    """Frames of a file's picture stream in the order of showing; a context manager that can be iterated once.

    Attributes:
        stream: as PyAV has it.
        damaged_end: once iterated, whether the last of what is there is damaged, as where a file was cut off.
    """

    def __init__(self, path: Path, seek_to: int | None = None, wanted: str = A_VIDEO) -> None:
        """Open a file.

        Args:
            path: of the file.
            seek_to: time near which to begin, in units of the stream's time base; None = the beginning.
            wanted: what to give in its place, for errors.

        Raises:
            ValueError: no video in the file, or one that cannot be entered there (`CannotSeek`).
        """
        self._path, self._seek_to, self._wanted = path, seek_to, wanted
        self.damaged_end = False
        self._decoder: Any = None
        self._open()

    def _open(self) -> None:
        self._container = open_video(self._path, self._wanted)
        try:
            self.stream: Any = picture_stream(self._container, self._path.name)
            if self._seek_to is not None:
                self._seek(self._seek_to)
        except BaseException:
            self._container.close()
            raise

    def _seek(self, time: int) -> None:
        import av

        try:
            self._container.seek(time, stream=self.stream)
        except av.error.FFmpegError as error:
            raise CannotSeek(f"{self._path.name} can only be read from its beginning.") from error

    def __enter__(self) -> Decoding:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        import av

        # Where PyAV's logging is on, a thread that tells of a damaged frame waits for Python, and freeing its
        # decoder, which holds Python, waits for the thread.
        decoder, self._decoder = self._decoder, None
        for _ in range(_MOST_IN_FLIGHT if decoder is not None else 0):
            try:
                decoder.decode(None)
            except av.error.EOFError:
                break
            except av.error.FFmpegError:
                continue
        self._container.close()

    def __iter__(self) -> Iterator[av.VideoFrame]:
        """Decode and yield each frame, in the order of showing.

        Raises:
            ValueError: a frame that is damaged, and others follow.
        """
        import av  # imported on first use: the pack must load fast

        done = 0
        try:
            for frame in self._threaded():
                done += 1
                yield frame
        except av.error.FFmpegError:
            self.damaged_end = True
        if self.damaged_end:
            # Threads work ahead, and PyAV drops what comes after an error: one of them tells which packet it
            # was, and gives what else can be had.
            self._close()
            self._open()
            yield from islice(self._careful(), done, None)

    @property
    def format_name(self) -> str:
        """FFmpeg's name of the file's format."""
        return str(self._container.format.name)

    @property
    def is_cut_short(self) -> bool:
        """Whether the file ends before what it says that it holds."""
        return is_cut_short(self._path, self.format_name)

    def stamps(self) -> list[int]:
        """Times of showing of all packets that can be read, ascending; in place of iterating."""
        import av

        found: list[int] = []
        # What cannot be read is not decoded either.
        with suppress(av.error.FFmpegError):
            for packet in self._packets():
                if packet is not None and packet.pts is not None:
                    found.append(packet.pts)
        return sorted(found)

    def _packets(self) -> Iterator[av.Packet | None]:
        """Packets of the stream, then None."""
        # Streams that begin later than others, as sound may in transport streams, PyAV looks for in vain.
        with suppress(IndexError):
            for packet in self._container.demux(self.stream):
                if packet.size:
                    yield packet
        yield None

    def _threaded(self) -> Iterator[av.VideoFrame]:
        self._decoder = decoder = decoder_of(self.stream)
        decoder.thread_type = "AUTO"
        for packet in self._packets():
            self.damaged_end = self.damaged_end if packet is None else packet.is_corrupt
            yield from decoder.decode(packet)

    def _careful(self) -> Iterator[av.VideoFrame]:
        import av

        decoder = decoder_of(self.stream)
        decoder.thread_count = 1
        count = 0
        failure: av.error.FFmpegError | None = None
        packets = self._packets()
        while True:
            try:
                packet = next(packets)
            except av.error.FFmpegError:
                # The rest cannot be read.
                packet, self.damaged_end = None, True
            if failure is not None and packet is not None:
                late = _reorder_frames(decoder)
                where = f"one of the frames {count} to {count + late}" if late else f"frame {count}"
                if self._seek_to is not None:
                    where = "a frame"
                raise ValueError(
                    f"{self._path.name}: {where} is damaged ({failure.strerror}); export the video again, or "
                    "cut the damaged part out."
                ) from failure
            try:
                for frame in decoder.decode(packet):
                    count += 1
                    yield frame
            except av.error.FFmpegError as error:
                failure, self.damaged_end = error, True
            if packet is None:
                return


def decoder_of(stream: Any) -> Any:
    """The decoder of a stream, one that reads alpha if the stream says that it has it beside its picture."""
    import av

    decoder = stream.codec_context
    if has_side_alpha(stream):
        with suppress(av.codec.codec.UnknownCodecError):
            decoder = av.CodecContext.create(_DECODERS_OF_ALPHA[stream.codec_context.name], "r")
    # For what the stream itself says of its size, whatever the container says; decoders count their margins.
    decoder.options = {**decoder.options, "max_pixels": str(2 * MAX_PIXELS)}
    return decoder


def has_side_alpha(stream: Any) -> bool:
    """Whether a stream says that it has alpha beside its picture, as VP8 and VP9 in WebM do."""
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    return tags.get("alpha_mode") == "1" and stream.codec_context.name in _DECODERS_OF_ALPHA


def _reorder_frames(decoder: Any) -> int:
    """By how many places at most a frame comes late; an estimate where PyAV does not tell."""
    depth = getattr(decoder, "reorder_depth", None)
    return int(depth) if depth is not None else 4 * bool(decoder.has_b_frames)
