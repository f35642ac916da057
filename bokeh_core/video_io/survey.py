"""What a first look through a video finds that its result cannot hold, or that makes it wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from .colour import LIMITED, Colour

if TYPE_CHECKING:
    import av

# One row in this many is looked at, as levels fill areas.
_ROWS = 4
# Overshoot of a lossy codec beside an edge is no picture: levels up to this much beyond black and white, of
# 219, in up to this share of a frame.
_OVERSHOOT, _SHARE = 6, 0.005


class Survey:
    """Looks at each decoded frame in turn, then says what it found."""

    def __init__(self, name: str) -> None:
        """Begin with no frame seen.

        Args:
            name: of the file, for the sentences.
        """
        self._name = name
        self._frames = self._interlaced = 0
        self._mended: list[int] = []
        self._clipped_share, self._clipped_frames = 0.0, 0
        self._end = ""

    def look_at(self, frame: av.VideoFrame, number: int, colour: Colour) -> None:
        """Take in a frame."""
        self._frames += 1
        self._interlaced += bool(frame.interlaced_frame)
        if frame.is_corrupt:
            self._mended.append(number)
        share = share_beyond(frame, colour)
        if share > _SHARE:
            self._clipped_frames += 1
            self._clipped_share = max(self._clipped_share, share)

    def look_at_end(self, decoding: Any, times: list[int]) -> None:
        """Take in how a file ended: a `Decoding` that was iterated, and the times of its frames."""
        self._end = missing_end(self._name, decoding, times)

    def sentences(self) -> list[str]:
        """What was found, a sentence each, for the report."""
        found = []
        if self._interlaced:
            many = "Its" if self._interlaced == self._frames else f"{self._interlaced} of its"
            found.append(
                f"Warning: {self._name} is interlaced. {many} frames hold two moments each, which are "
                "blurred as one, and the result is marked progressive; deinterlace the video first."
            )
        if self._clipped_frames:
            found.append(
                f"Warning: up to {self._clipped_share:.1%} of a frame of {self._name} is brighter than white "
                f"or darker than black (levels beyond 16 to 235, in {self._clipped_frames} frames) and is "
                "rendered as white or black; convert the video to full range first to keep it."
            )
        if self._mended:
            first, more = self._mended[0], len(self._mended) - 1
            which = f"frame {first} is" if not more else f"frame {first} and {more} more are"
            found.append(f"Warning: {which} damaged in {self._name} and shown as FFmpeg mends it.")
        if self._end:
            found.append(f"Warning: {self._end}")
        return found


def missing_end(name: str, decoding: Any, times: list[int]) -> str:
    """Say that the end of a file is missing; "" where it is there.

    Args:
        name: of the file.
        decoding: a `Decoding` that was iterated.
        times: of its frames, in units of the stream's time base.
    """
    stream, count = decoding.stream, len(times)
    found = f"{count} frame" if count == 1 else f"{count} frames"
    said = _duration_s(stream)
    if said is not None and times and not decoding.damaged_end:
        step = (times[-1] - times[0]) / (count - 1) if count > 1 else 0
        until = float((times[-1] + step) * stream.time_base)
        # Being one frame off is only a matter of how frames are counted.
        if said > until + 2 * float(step * stream.time_base) + 0.05:
            said_and_found = f"it lasts {said:.2f} s, and its {found} end at {until:.2f} s"
            return f"{name} is cut off: it says that {said_and_found}."
    if decoding.damaged_end or decoding.is_cut_short:
        read = f"{count} of {stream.frames} frames" if stream.frames > count else found
        return f"{name} is cut off or damaged at its end: {read} can be read."
    return ""


def share_beyond(frame: av.VideoFrame, colour: Colour) -> float:
    """Share of a picture whose luma lies clearly beyond black or white and is lost; 0 where it is kept."""
    name, bits = frame.format.name, frame.format.components[0].bits
    if colour.sample_range != LIMITED or bits > 8 or not name.startswith("yuv") or name.endswith("be"):
        return 0.0
    plane = frame.planes[0]
    levels = np.frombuffer(plane, np.uint8)
    rows = levels.reshape(plane.height, -1)[::_ROWS, : frame.width]
    beyond = np.count_nonzero(rows > 235 + _OVERSHOOT) + np.count_nonzero(rows < 16 - _OVERSHOOT)
    return beyond / rows.size


def _duration_s(stream: Any) -> float | None:
    """What Matroska says of a stream's length; other formats that do so count its frames too."""
    tags = {key.upper(): value for key, value in stream.metadata.items()}
    try:
        hours, minutes, seconds = tags["DURATION"].split(":")
        return timedelta(hours=int(hours), minutes=int(minutes)).total_seconds() + float(seconds)
    except (KeyError, ValueError):
        return None
