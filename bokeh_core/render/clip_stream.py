"""A clip with its disparity, focus and strength, read frame by frame: what a renderer is given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..transfer import DISPLAY


@dataclass(frozen=True)
class StreamedMaps:
    """Maps [T, H, W] of which one at a time is in memory; see `focus.FrameMaps`.

    Attributes:
        read: begins to read the maps, each [H, W].
        shape: (T, H, W).
    """

    read: Callable[[], Iterator[Tensor]]
    shape: torch.Size

    def __iter__(self) -> Iterator[Tensor]:
        return self.read()


@dataclass(frozen=True)
class ClipStream:
    """A clip ready to be rendered.

    Attributes:
        num_frames: T.
        size: (height, width) in px.
        frames: given the first frame wanted, yields [H, W, C] from there on, white 1.
        disparity: likewise [H, W] in [0, 1], near = 1, of the size of the frames.
        focal_disparity: [T] in [0, 1].
        blur_strength: [T], K >= 0 in px of blur radius per unit of disparity on a frame 1024 px wide.
        transfer: how the numbers of the frames mean light, one of `transfer.TRANSFERS`.
    """

    num_frames: int
    size: tuple[int, int]
    frames: Callable[[int], Iterator[Tensor]]
    disparity: Callable[[int], Iterator[Tensor]]
    focal_disparity: Tensor
    blur_strength: Tensor
    transfer: str = DISPLAY


class SlidingFrames:
    """A stream of frames that can be sliced like the tensor [T, ...] by whoever only moves forward.

    The first slice decides where reading begins. A few frames behind the furthest one stay available.
    """

    def __init__(self, read: Callable[[int], Iterator[Tensor]], shape: torch.Size, keep: int = 24) -> None:
        """Begin to read when the first slice is asked for.

        Args:
            read: given the first frame wanted, yields the frames from there on.
            shape: of the tensor that it stands for.
            keep: how many frames to hold.
        """
        self.shape = shape
        self.device = torch.device("cpu")
        self._read = read
        self._frames: Iterator[Tensor] | None = None
        self._held: deque[Tensor] = deque(maxlen=keep)
        self._next = 0

    def __getitem__(self, index: Any) -> Tensor:
        """Frames of a slice; further indices apply to the tensor of them.

        Raises:
            ValueError: frames that are no longer held, or the stream ended early.
        """
        frames, *rest = index if isinstance(index, tuple) else (index,)
        start, stop, _ = frames.indices(self.shape[0])
        if self._frames is None:
            self._frames, self._next = self._read(start), start
        while self._next < stop:
            frame = next(self._frames, None)
            if frame is None:
                raise ValueError(f"The clip ends after {self._next} frames; {self.shape[0]} were counted.")
            self._held.append(frame)
            self._next += 1
        first_held = self._next - len(self._held)
        if start < first_held:
            raise ValueError(f"Frame {start} was asked for; those before {first_held} are gone.")
        picked = torch.stack([self._held[frame - first_held] for frame in range(start, stop)])
        # In one layout whatever that of the single frames: layouts are computed with different rounding.
        whole: Any = (slice(None), *rest)
        return picked.contiguous()[whole]
