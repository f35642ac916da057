"""Static HDR metadata of codecs whose pictures cannot carry it: in the header of the file.

A muxer writes what the parameters of a stream hold, and a demuxer puts it there; PyAV itself cannot. So a
video of one packet is written in memory, gets the metadata, and is opened again: its stream is the template
of the one to be written.
"""

from __future__ import annotations

import io
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .hdr import HdrMetadata
from .hdr_boxes import boxes_of, with_boxes
from .hdr_elements import elements_of, with_elements
from .opening import address_of

_PICTURES_CARRY_IT = ("h264",)
_QUICKTIME = ("prores",)


def template_with(hdr: HdrMetadata, part: Path, stack: ExitStack) -> Any:
    """A stream like the picture of a file, whose parameters hold static HDR metadata if its pictures cannot.

    Args:
        hdr: the metadata.
        part: a file with a picture.
        stack: keeps what the stream is read from open.
    """
    import av  # imported on first use: the pack must load fast

    given = stack.enter_context(av.open(address_of(part)))
    stream = given.streams.video[0]
    codec = stream.codec_context.name
    if codec in _PICTURES_CARRY_IT:
        return stream
    memory = io.BytesIO()
    with av.open(memory, "w", format="mov" if codec in _QUICKTIME else "matroska") as output:
        target = output.add_stream_from_template(stream, opaque=True)
        output.start_encoding()
        packet = next(packet for packet in given.demux(stream) if packet.size)
        packet.stream = target
        output.mux(packet)
    video = memory.getvalue()
    described = (
        with_boxes(video, boxes_of(hdr)) if codec in _QUICKTIME else with_elements(video, elements_of(hdr))
    )
    return stack.enter_context(av.open(io.BytesIO(described))).streams.video[0]
