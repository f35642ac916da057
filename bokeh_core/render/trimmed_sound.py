"""The sound of a part of a video, packet by packet, without encoding again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..video_io.opening import address_of, open_video
from ..video_io.tracks import is_known_sound
from ..video_io.trial import readable

# A name that no part has; the format keeps times exactly and holds every codec.
_NAME, _CONTAINER = "joined_sound.nut", "nut"


@contextmanager
def written_sound(
    source: Path, folder: Path, start_s: Fraction, stop_s: Fraction | None
) -> Iterator[Path | None]:
    """Offer a file with the sound of a part of a video, its times counted from the start of the part.

    Packets are taken whole: sound begins at most one packet (about 0.02 s) after the start, at the time it
    has in the video, and ends at most one after the stop.

    Args:
        source: the video.
        folder: where the file is kept meanwhile.
        start_s: seconds from the file's zero.
        stop_s: likewise; None goes on to the end.

    Returns:
        The file; None if the video has no sound.
    """
    path = folder / _NAME
    try:
        yield path if _copy_sound(source, path, start_s, stop_s) else None
    finally:
        path.unlink(missing_ok=True)


def _copy_sound(source: Path, path: Path, start_s: Fraction, stop_s: Fraction | None) -> bool:
    import av  # imported on first use: the pack must load fast

    with open_video(source) as given:
        streams = [stream for stream in given.streams.audio if is_known_sound(stream)]
        if not streams:
            return False
        with av.open(address_of(path), "w", format=_CONTAINER) as output:
            for key, value in given.metadata.items():
                output.metadata[key] = value
            targets: dict[int, Any] = {}
            for stream in streams:
                targets[stream.index] = output.add_stream_from_template(stream, opaque=True)
                targets[stream.index].metadata.update(stream.metadata)
            output.start_encoding()
            for packet in readable(given.demux(*streams)):
                if packet.pts is None or packet.dts is None:
                    continue
                time_s = packet.pts * packet.time_base
                if time_s < start_s or (stop_s is not None and time_s >= stop_s):
                    continue
                shift = round(start_s / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = targets[packet.stream.index]
                output.mux(packet)
    return True
