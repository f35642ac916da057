"""Refine Disparity frame by frame: a window of frames in memory, whatever the length of the clip."""

from collections import deque
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...clip.checks import checked_frames, checked_maps
from ...clip.lengths import require_clip_length
from .motion import Grey, Motion, flow_between, motion_between
from .over_time import held_still
from .settings import RefineSettings


@dataclass
class _Held:
    """A frame of the window; `flows` by distance: to the frame so many before it, and back."""

    frame: Tensor
    disparity: Tensor
    grey: Grey
    flows: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)


class DisparityRefiner:
    """Takes frames one by one and gives refined maps, `settings.reach_frames` frames later.

    A frame and a neighbour that show different scenes do not look at each other.
    """

    def __init__(self, settings: RefineSettings | None = None) -> None:
        self._settings = settings or RefineSettings()
        self._window: deque[_Held] = deque(maxlen=2 * self._settings.reach_frames + 1)
        self._waiting = 0

    def add(self, frame: Tensor, disparity: Tensor) -> list[Tensor]:
        """Take the next frame [H, W, C] and its map [H, W], both in [0, 1]; return finished maps [H, W]."""
        settings = self._settings
        if not settings.looks_around:
            return [disparity]
        held = _Held(frame, disparity, Grey(frame))
        for distance, before in enumerate(reversed(self._window), start=1):
            if distance > settings.reach_frames:
                break
            held.flows[distance] = (
                flow_between(held.grey, before.grey),
                flow_between(before.grey, held.grey),
            )
        self._window.append(held)
        self._waiting += 1
        return [self._finished()] if self._waiting > settings.reach_frames else []

    def finish(self) -> list[Tensor]:
        """Return the maps that wait for frames that do not come."""
        return [self._finished() for _ in range(self._waiting)]

    def _finished(self) -> Tensor:
        at = len(self._window) - self._waiting
        own = self._window[at]
        neighbours: list[tuple[Tensor, Motion]] = []
        for step in (-1, 1):
            for distance in range(1, self._settings.reach_frames + 1):
                place = at + step * distance
                if not 0 <= place < len(self._window):
                    break
                other = self._window[place]
                there, back = own.flows[distance] if step < 0 else other.flows[distance][::-1]
                motion = motion_between(own.frame, other.frame, there, back)
                # Beyond a cut there is another scene, even where it looks alike again.
                if not motion.same_shot:
                    break
                neighbours.append((other.disparity, motion))
        self._waiting -= 1
        return held_still(
            own.disparity, neighbours, steady=self._settings.steady, restore=self._settings.restore
        )


def refine_disparity(frames: Tensor, disparity: Tensor, settings: RefineSettings | None = None) -> Tensor:
    """Steady a clip's disparity, and restore what single frames lack from the others.

    Args:
        frames: [T, H, W, C] in [0, 1].
        disparity: [T, H, W] in [0, 1], 1 = near.
        settings: what to do; None = everything.

    Returns:
        float32 [T, H, W] in [0, 1], on the device of the disparity; with everything off the values given.

    Raises:
        ValueError: no pictures, no maps, or another number or size of them.
    """
    pictures = checked_frames(frames)
    maps = checked_maps(disparity, size=tuple(pictures.shape[1:3]))
    require_clip_length(len(maps), len(pictures), "disparity")
    if len(maps) != len(pictures):
        maps = maps.expand(len(pictures), -1, -1)
    refiner = DisparityRefiner(settings)
    refined: list[Tensor] = []
    for picture, one in zip(pictures, maps, strict=True):
        refined += refiner.add(picture.to(one.device), one)
    refined += refiner.finish()
    return torch.stack(refined)
