"""A stream of frames and maps in stretches that are rendered together, with those around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor


@dataclass(frozen=True)
class Stretch:
    """Frames that are rendered together, and those around them.

    Attributes:
        frames: [N, H, W, C].
        disparity: [N, H, W].
        first: the first of them that is rendered.
        count: how many are.
    """

    frames: Tensor
    disparity: Tensor
    first: int
    count: int

    @property
    def part(self) -> slice:
        """Those that are rendered."""
        return slice(self.first, self.first + self.count)


def stretches(
    pairs: Iterator[tuple[Tensor, Tensor]], before: int, length: int, around: int
) -> Iterator[Stretch]:
    """Cut a stream into stretches; no more than `length` + 2 * `around` frames are held.

    Args:
        pairs: frame [H, W, C] and map [H, W] each.
        before: how many of them come before the first that is rendered, at most `around`.
        length: frames that are rendered together, fewer at the end.
        around: how many on either side come with them, where the stream has them.
    """
    held = list(islice(pairs, before))
    first = before
    while True:
        held += islice(pairs, max(first + length + around - len(held), 0))
        count = min(length, len(held) - first)
        if count <= 0:
            return
        frames, disparity = (torch.stack(values) for values in zip(*held, strict=True))
        yield Stretch(frames, disparity, first, count)
        past = max(first + count - around, 0)
        held, first = held[past:], first + count - past
