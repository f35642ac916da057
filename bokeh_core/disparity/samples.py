"""Values of a clip of any length in bounded memory, for percentiles."""

from __future__ import annotations

import torch
from torch import Tensor

# Percentiles of more samples than this cost seconds and differ in the fourth digit.
_MAX_PERCENTILE_SAMPLES = 4_000_000


class Samples:
    """Values of every frame, equally many of each, in bounded memory."""

    def __init__(self, most: int = _MAX_PERCENTILE_SAMPLES) -> None:
        self._most = most
        self._per_frame = most
        self._frames: list[Tensor] = []
        self._count = 0

    def add(self, values: Tensor) -> None:
        """Take in the values of a frame."""
        self._frames.append(_some_of(values.reshape(-1), self._per_frame, len(self._frames)).clone())
        self._count += len(self._frames[-1])
        while self._count > self._most and self._per_frame > 1:
            self._per_frame = min(self._per_frame, max(map(len, self._frames))) // 2
            self._frames = [_some_of(kept, self._per_frame, t).clone() for t, kept in enumerate(self._frames)]
            self._count = sum(map(len, self._frames))

    def values(self) -> Tensor:
        """What was kept, [N]."""
        return torch.cat(self._frames)


def _some_of(values: Tensor, count: int, seed: int) -> Tensor:
    """At most `count` of values [N], at random: an even stride could see the same columns in every row."""
    if len(values) <= count:
        return values
    return values[torch.randint(len(values), (count,), generator=torch.Generator().manual_seed(seed))]
