"""Text subtitles from one way of storing them to another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .trial import describe, encodes

if TYPE_CHECKING:
    import av

_TEXT_ENCODERS = ("mov_text", "subrip")


def text_encoder(stream: Any, container: str) -> str | None:
    """An encoder that stores the text of subtitles in a container; None where there is none.

    Args:
        stream: of subtitles.
        container: FFmpeg's name of its format.
    """
    context = stream.codec_context
    if context is None or not context.codec.text_sub:
        return None
    header = _header_of(context)
    for encoder in _TEXT_ENCODERS:
        if encodes(container, encoder, subtitle_header=header):
            return encoder
    return None


def add_text(output: Any, stream: Any, encoder: str) -> Any:
    """Add a track for the text of subtitles, with what the file says about it."""
    target = output.add_stream(encoder)
    target.codec_context.subtitle_header = _header_of(stream.codec_context)
    describe(target, stream)
    return target


def converted(packet: av.Packet, target: Any) -> Iterator[av.Packet]:
    """A packet of subtitles in the encoding of another track, at its time."""
    import av  # imported on first use: the pack must load fast

    shown = None
    # Only the damaged text is lost.
    with suppress(av.error.InvalidDataError):
        shown = packet.stream.codec_context.decode2(packet)
    if shown is not None:
        text = target.codec_context.encode_subtitle(shown)
        text.time_base, text.pts, text.dts = packet.time_base, packet.pts, packet.pts
        text.duration, text.is_keyframe = packet.duration, True
        yield text


def _header_of(context: Any) -> bytes:
    # The decoder writes it when it is opened.
    if not context.is_open:
        context.open()
    return bytes(context.subtitle_header or b"")
