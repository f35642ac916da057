"""A run of frames -> a video file that can be joined with others of its kind without encoding again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from torch import Tensor

from .codecs import CODECS, CONTAINERS, Encoding, set_colour_tags
from .colour import BT709, LIMITED, Colour
from .opening import address_of
from .pixels import to_frame
from .reader import VideoFormat

# The code of RGB among the matrices; such a video is stored as Y'CbCr of BT.709.
_RGB_MATRIX = 0


def stored_format(video: VideoFormat, codec: str) -> VideoFormat:
    """The format of what is written for a video: the same, as far as the codec can say it."""
    tags = video.colour
    if tags.matrix == _RGB_MATRIX:
        return replace(video, colour=Colour(BT709, LIMITED, tags.primaries, tags.transfer))
    if codec == "prores":
        # It has neither a full range nor an unspecified matrix.
        matrix = tags.known_matrix(video.height)
        return replace(video, colour=replace(tags, matrix=matrix, sample_range=LIMITED))
    return video


class PartWriter:
    """Encodes frames into one file; a context manager that finishes or abandons it.

    Timestamps in the file count frames. Codecs store some frames after others that are shown later; by how
    many places at most is found in `reorder` once the file is finished.
    """

    def __init__(self, path: Path, container: str, encoding: Encoding, video: VideoFormat) -> None:
        """Begin a file.

        Args:
            path: where to write; any ending.
            container: FFmpeg's name of its format.
            encoding: codec and quality.
            video: size, rate, colour.
        """
        import av  # imported on first use: the pack must load fast

        self._video = stored_format(video, encoding.codec)
        self._pixel_format, self._bits = encoding.pixel_format(self._video)
        self._container = av.open(address_of(path), "w", format=container)
        self._stream: Any = self._container.add_stream(
            CODECS[encoding.codec].encoder,
            rate=video.frame_rate,
            options=encoding.options(self._pixel_format),
        )
        self._stream.width, self._stream.height = video.width, video.height
        self._stream.pix_fmt = self._pixel_format
        set_colour_tags(self._stream.codec_context, self._video)
        self._time_base = 1 / video.frame_rate
        self._stream.codec_context.time_base = self._time_base
        self._written = self._packets = 0
        self.reorder = 0

    def add(self, frame: Tensor) -> None:
        """Encode the next frame: [H, W, C] in [0, 1] with C = 1, 3 or 4."""
        pixels = frame.detach().float().cpu()
        pixels = pixels.expand(-1, -1, 3) if pixels.shape[-1] == 1 else pixels
        picture = to_frame(pixels.numpy(), self._pixel_format, self._bits, self._video.colour)
        picture.pts, picture.time_base = self._written, self._time_base
        self._written += 1
        self._mux(self._stream.encode(picture))

    def _mux(self, packets: Any) -> None:
        for packet in packets:
            number = round(packet.pts * packet.time_base / self._time_base)
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


def container_of(path: Path) -> str:
    """FFmpeg's name of the container that a file's ending stands for."""
    return CONTAINERS[path.suffix.lower()]
