"""How much light frames have beyond white."""

from __future__ import annotations

import torch
from torch import Tensor

from ..transfer import DISPLAY, TRANSFERS, light_of, values_of

# A codec's error beside an edge is no light: so much beyond white, of white's number.
_OVERSHOOT = 0.02
# Levels differ by less than this from what a file states in whole cd/m2.
_STATED_SLACK = 1.1


class LightCounts:
    """Looks at frames one by one, then says what it found."""

    def __init__(self, transfer: str) -> None:
        """Begin with no frame seen.

        Args:
            transfer: how their numbers mean light, one of `transfer.TRANSFERS`.
        """
        self._transfer = transfer
        white = values_of(torch.tensor(1.0, dtype=torch.float64), transfer).item()
        self._white = white + _OVERSHOOT
        self._frames = self._pixels = self._beyond = 0
        self._most = 0.0

    def look_at(self, frame: Tensor) -> None:
        """Take in a frame [H, W, C]."""
        brightest = frame[..., :3].amax(-1)
        most = brightest.max().item()
        self._frames += 1
        self._pixels += brightest.numel()
        self._most = max(self._most, most)
        if most > self._white:
            self._beyond += int((brightest > self._white).sum())

    def report(self, clipped_by: str = "", stated_cd_m2: float = 0) -> str:
        """What was found, in at most two lines; "" where nothing could be or was beyond white.

        Args:
            clipped_by: what clips the light beyond white; "" where nothing does.
            stated_cd_m2: of the brightest pixel, where a file says it.
        """
        if not self._frames or (not self._beyond and self._transfer == DISPLAY):
            return ""
        curve = TRANSFERS[self._transfer]
        peak = light_of(torch.tensor(self._most, dtype=torch.float64), self._transfer).item()
        times = f"{peak:.3g} times white"
        shown = times if curve.cd_m2 is None else f"{curve.cd_m2(peak):.0f} cd/m2 ({times})"
        share = self._beyond / self._pixels
        line = (
            f"Light: {curve.name}, up to {shown}; {share:.2%} of the pixels of {self._frames} frames are "
            "brighter than white."
        )
        if clipped_by and self._beyond:
            line += f" They are clipped: {clipped_by}."
        if curve.cd_m2 is None or not 0 < _STATED_SLACK * stated_cd_m2 < curve.cd_m2(peak):
            return line
        return (
            f"{line}\nWarning: the file says that its brightest pixel has {stated_cd_m2:g} cd/m2, and it has "
            f"{curve.cd_m2(peak):.0f}: one of its tags is wrong. transfer sets another curve."
        )


def light_report(frames: Tensor, transfer: str) -> str:
    """What `LightCounts` says of frames [T, H, W, C]."""
    counts = LightCounts(transfer)
    for frame in frames:
        counts.look_at(frame)
    return counts.report()
