"""A run of frames -> a video file that can be joined with others of its kind without encoding again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from ..transfer import DISPLAY, converted
from .codecs import CODECS, CONTAINERS, Encoding, set_colour_tags
from .colour import BT601, BT709, LIMITED, RGB, Colour
from .format import VideoFormat
from .losses import require_size_fits
from .opening import address_of
from .pixels import to_frame

# What the header of a ProRes picture can say (SMPTE RDD 36, tables 5 to 7), and stand-ins that mean the same.
_PRORES_MATRICES = (BT709, BT601, 9)
_PRORES_PRIMARIES = (1, 5, 6, 9, 11, 12)
_PRORES_TRANSFERS = (1, 16, 18)
_SAME_MATRIX = {5: BT601}
_SAME_CURVE = {6: 1, 14: 1, 15: 1}
# Frames a second by the stamps of a part: any container can say them, and frames are only counted by them.
PART_RATE = 100


def stored_format(video: VideoFormat, codec: str) -> VideoFormat:
    """The format of what is written for a video: the same, as far as the codec can say it."""
    tags = video.colour
    if video.is_light:
        tags = Colour(BT709, LIMITED, tags.primaries, BT709)
    if tags.matrix == RGB:
        # Stored as Y'CbCr of BT.709.
        tags = replace(tags, matrix=BT709, sample_range=LIMITED)
    if codec == "prores":
        # It has neither a full range nor an unspecified matrix.
        matrix = tags.known_matrix(video.height)
        matrix = _SAME_MATRIX.get(matrix, matrix)
        tags = replace(
            tags,
            matrix=matrix if matrix in _PRORES_MATRICES else BT709,
            sample_range=LIMITED,
            transfer=_SAME_CURVE.get(tags.transfer, tags.transfer),
        )
    return replace(video, colour=tags)


class PartWriter:
    """Encodes frames into one file; a context manager that finishes or abandons it.

    Timestamps in the file count frames, in hundredths of a second. Codecs store some frames after others that
    are shown later; by how many places at most is found in `reorder` once the file is finished.
    """

    def __init__(
        self, path: Path | io.BytesIO, container: str, encoding: Encoding, video: VideoFormat
    ) -> None:
        """Begin a file.

        Args:
            path: where to write; any ending, or memory.
            container: FFmpeg's name of its format.
            encoding: codec and quality.
            video: size, rate, colour.
        """
        import av  # imported on first use: the pack must load fast

        # Linear, unless a user says that the floating point means something else.
        self._light_as = video.transfer if video.is_light else None
        self._video = stored_format(video, encoding.codec)
        self._pixel_format, self._bits = encoding.pixel_format(self._video)
        target = address_of(path) if isinstance(path, Path) else path
        self._container = av.open(target, "w", format=container)
        self._stream: Any = self._container.add_stream(
            CODECS[encoding.codec].encoder,
            rate=video.frame_rate,
            options=encoding.options(self._pixel_format, video.hdr),
        )
        self._stream.width, self._stream.height = video.width, video.height
        self._stream.pix_fmt = self._pixel_format
        set_colour_tags(self._stream.codec_context, self._video)
        self._time_base = 1 / video.frame_rate
        self._stream.codec_context.time_base = self._time_base
        self._tagging: Any = None
        if encoding.codec == "prores":
            self._container.start_encoding()
            self._tagging = _prores_tagging(self._video.colour, self._stream)
        self._written = self._packets = 0
        self.reorder = 0

    def add(self, frame: Tensor) -> None:
        """Encode the next frame: [H, W, C], black 0 and white 1, with C = 1, 3 or 4."""
        pixels = frame.detach().float().cpu()
        pixels = pixels.expand(-1, -1, 3) if pixels.shape[-1] == 1 else pixels
        if self._light_as is not None:
            pixels = converted(pixels, self._light_as, DISPLAY).clamp(0, 1)
        picture = to_frame(pixels.numpy(), self._pixel_format, self._bits, self._video.colour)
        picture.pts, picture.time_base = self._written, self._time_base
        self._written += 1
        self._mux(self._stream.encode(picture))

    def _tagged(self, packets: Any) -> Iterator[Any]:
        if self._tagging is None:
            yield from packets
            return
        for packet in packets:
            time_base = packet.time_base
            for tagged in self._tagging.filter(packet):
                tagged.stream, tagged.time_base = self._stream, time_base
                yield tagged

    def _mux(self, packets: Any) -> None:
        for packet in self._tagged(packets):
            frame_time = packet.time_base / self._time_base
            number, decoded = round(packet.pts * frame_time), round(packet.dts * frame_time)
            packet.time_base, packet.pts, packet.dts = Fraction(1, PART_RATE), number, decoded
            packet.duration = 1
            self.reorder = max(self.reorder, self._packets - number)
            self._packets += 1
            self._container.mux(packet)

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._mux(self._stream.encode(None))
        finally:
            self._container.close()


def _prores_tagging(colour: Colour, stream: Any) -> Any:
    """A filter that writes colour tags into the header of every picture.

    The encoder does so only for frames that carry the tags, and frames of older PyAV do not.
    """
    from av.bitstream import BitStreamFilterContext

    # Where a picture cannot say it, the encoder has written that it is not specified.
    primaries = colour.primaries if colour.primaries in _PRORES_PRIMARIES else "auto"
    transfer = colour.transfer if colour.transfer in _PRORES_TRANSFERS else "auto"
    tags = f"color_primaries={primaries}:color_trc={transfer}:colorspace={colour.matrix}"
    return BitStreamFilterContext(f"prores_metadata={tags}", stream)


def require_encodes(container: str, encoding: Encoding, video: VideoFormat) -> None:
    """Check that the installed FFmpeg encodes such a video, by a grey frame written to memory.

    Raises:
        ValueError: it does not.
    """
    import av

    require_size_fits(video, encoding)
    try:
        with PartWriter(io.BytesIO(), container, encoding, video) as writer:
            writer.add(torch.full((video.height, video.width, 4 if video.alpha else 3), 0.5))
    except (av.error.FFmpegError, av.codec.codec.UnknownCodecError) as error:
        encoder = CODECS[encoding.codec].encoder
        others = ", ".join(name for name in CODECS if CODECS[name].encoder != encoder)
        raise ValueError(
            f"{encoding.codec} (FFmpeg's {encoder}) does not encode {video.width} x {video.height} px at "
            f"{float(video.frame_rate):g} frames a second here ({error}); choose {others}."
        ) from error


def container_of(path: Path) -> str:
    """FFmpeg's name of the container that a file's ending stands for."""
    return CONTAINERS[path.suffix.lower()]
