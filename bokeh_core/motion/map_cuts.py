"""Where a clip cuts to another shot, told from its disparity or depth maps alone."""

import torch
from torch import Tensor
from torch.nn import functional

_THUMBNAIL_PX = 8
# A jump must last: what one torn or flashing map changes, the next one takes back.
_LASTING_FRAMES = 3
# Nearest two maps on both sides of a jump, as mean difference over the whole map ...
_LEAST_JUMP = 0.03
# ... and as a multiple of what usually changes from frame to frame around it, which flicker makes large.
_JUMP_OVER_USUAL = 2.5
_AROUND_FRAMES = 8


class MapCutFinder:
    """Finds where a clip's maps jump, seen once, frame by frame; a hundred bytes of each are kept."""

    def __init__(self) -> None:
        self._thumbnails: list[Tensor] = []

    def add(self, disparity: Tensor) -> None:
        """Look at the next map [H, W]."""
        small = functional.adaptive_avg_pool2d(disparity[None, None], _THUMBNAIL_PX)
        self._thumbnails.append(small.flatten().to("cpu", torch.float16))

    def starts(self) -> list[int]:
        """First frame of each shot; 0 alone where nothing jumps.

        A jump is where each of the next frames differs from each of the last ones, by far more than the
        frames around it differ from their neighbours.
        """
        if len(self._thumbnails) < 2:
            return [0]
        maps = torch.stack(self._thumbnails).float()
        changes = (maps[1:] - maps[:-1]).abs().mean(1)
        starts = [0]
        for t in (changes > _LEAST_JUMP).nonzero()[:, 0].add(1).tolist():
            # The larger of both sides: the start of a fast move is no jump.
            sides = changes[max(0, t - 1 - _AROUND_FRAMES) : t - 1], changes[t : t + _AROUND_FRAMES]
            usual = max((side.median().item() for side in sides if len(side)), default=0.0)
            before, after = maps[max(0, t - _LASTING_FRAMES) : t], maps[t : t + _LASTING_FRAMES]
            apart = (before[:, None] - after[None]).abs().mean(2).min().item()
            if apart > max(_LEAST_JUMP, _JUMP_OVER_USUAL * usual):
                starts.append(t)
        return starts
