"""How much light a clip has beyond white, measured on the way to the renderer."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from ..lens.light_counts import LightCounts
from ..video_io import VideoFormat


class LightMeter:
    """Looks at the frames of a clip as they pass, each once."""

    def __init__(self, video: VideoFormat, in_memory: bool = False) -> None:
        """Begin with no frame seen.

        Args:
            video: format of the clip.
            in_memory: whether its frames are floating point in memory, which end nowhere.
        """
        self._video = video
        # 8 bits for displays end at white.
        self._looks = in_memory or video.holds_light_beyond_white
        self._counts = LightCounts(video.transfer)
        self._next = 0

    def watch(self, frames: Iterator[Tensor], start: int) -> Iterator[Tensor]:
        """Hand on frames [H, W, C] from number `start` on."""
        for t, frame in enumerate(frames, start):
            # Renderers may read some frames twice.
            if self._looks and t >= self._next:
                self._next = t + 1
                self._counts.look_at(frame)
            yield frame

    def report(self, clipped_by: str = "") -> str:
        """What was found, see `LightCounts.report`."""
        stated = self._video.hdr.light_level[:1] if self._video.hdr is not None else ()
        return self._counts.report(clipped_by, stated[0] if stated else 0)
