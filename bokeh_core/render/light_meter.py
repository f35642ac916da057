"""How much light a clip has beyond white, measured on the way to the renderer."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from ..lens.light_counts import LightCounts
from ..video_io import VideoFormat


class LightMeter:
    """Looks at the frames of a clip as they pass, each once."""

    def __init__(self, video: VideoFormat) -> None:
        self._video = video
        self._counts = LightCounts(video.transfer)
        self._next = 0

    def watch(self, frames: Iterator[Tensor], start: int) -> Iterator[Tensor]:
        """Hand on frames [H, W, C] from number `start` on."""
        for t, frame in enumerate(frames, start):
            # Renderers may read some frames twice; 8 bits for displays end at white.
            if t >= self._next and self._video.holds_light_beyond_white:
                self._next = t + 1
                self._counts.look_at(frame)
            yield frame

    def report(self, clipped_by: str = "") -> str:
        """What was found, see `LightCounts.report`."""
        stated = self._video.hdr.light_level[:1] if self._video.hdr is not None else ()
        return self._counts.report(clipped_by, stated[0] if stated else 0)
