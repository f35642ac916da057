"""How much light a clip has beyond white, measured on the way to the renderer."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..transfer import TRANSFERS, light_of, values_of
from ..video_io import VideoFormat

# A codec's error beside an edge is no light: so much beyond white, of white's number.
_OVERSHOOT = 0.02
# Levels differ by less than this from what a file states in whole cd/m2.
_STATED_SLACK = 1.1


class LightMeter:
    """Looks at the frames of a clip as they pass, each once."""

    def __init__(self, video: VideoFormat) -> None:
        self._video = video
        white = values_of(torch.tensor(1.0, dtype=torch.float64), video.transfer).item()
        self._white = white + _OVERSHOOT
        self._next = self._frames = self._pixels = self._beyond = 0
        self._most = 0.0

    def watch(self, frames: Iterator[Tensor], start: int) -> Iterator[Tensor]:
        """Hand on frames [H, W, C] from number `start` on."""
        if not self._video.holds_light_beyond_white:
            yield from frames
            return
        for t, frame in enumerate(frames, start):
            # Renderers may read some frames twice.
            if t >= self._next:
                self._next = t + 1
                self._look_at(frame)
            yield frame

    def _look_at(self, frame: Tensor) -> None:
        brightest = frame[..., :3].amax(-1)
        self._frames += 1
        self._pixels += brightest.numel()
        self._most = max(self._most, brightest.max().item())
        self._beyond += int((brightest > self._white).sum())

    def report(self, clipped_by: str = "") -> str:
        """What was found, in at most two lines; "" where nothing could be or was beyond white.

        Args:
            clipped_by: what clips the light beyond white; "" where nothing does.
        """
        if not self._frames or (not self._beyond and self._video.transfer == "display"):
            return ""
        curve = TRANSFERS[self._video.transfer]
        peak = light_of(torch.tensor(self._most, dtype=torch.float64), self._video.transfer).item()
        lines = [
            f"Light: {curve.name}, up to {self._shown(peak)}; {self._beyond / self._pixels:.2%} of the "
            f"pixels of {self._frames} frames are brighter than white."
        ]
        if clipped_by and self._beyond:
            lines[0] += f" They are clipped: {clipped_by}."
        stated = self._video.hdr.light_level[:1] if self._video.hdr is not None else ()
        if curve.cd_m2 is not None and stated and 0 < _STATED_SLACK * stated[0] < curve.cd_m2(peak):
            lines.append(
                f"Warning: the file says that its brightest pixel has {stated[0]} cd/m2, and it has "
                f"{curve.cd_m2(peak):.0f}: one of its tags is wrong. transfer sets another curve."
            )
        return "\n".join(lines)

    def _shown(self, light: float) -> str:
        cd_m2 = TRANSFERS[self._video.transfer].cd_m2
        times = f"{light:.3g} times white"
        return times if cd_m2 is None else f"{cd_m2(light):.0f} cd/m2 ({times})"
