"""Maps of a clip in order: a tensor, or a stream that holds one at a time."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ..clip.checks import checked_map, checked_maps


@runtime_checkable
class FrameMaps(Protocol):
    """Maps [T, H, W] that are looked at once, in order: a tensor, or a stream that holds one at a time."""

    @property
    def shape(self) -> torch.Size:
        """(T, H, W) of all maps together."""

    def __iter__(self) -> Iterator[Tensor]:
        """Each map [H, W]."""


def checked_stream(disparity: Tensor | FrameMaps) -> FrameMaps:
    """Return maps checked to be disparity: those in memory as a whole, those of a stream as they come.

    Raises:
        ValueError: see `clip.checks.checked_maps`.
    """
    if isinstance(disparity, FrameMaps) and not isinstance(disparity, Tensor):
        return _CheckedStream(disparity)
    return checked_maps(disparity)


def require_frames_fit(frames: FrameMaps | None, num_maps: int) -> None:
    """Check that pictures, where there are any, are as many as the maps.

    Raises:
        ValueError: they are not.
    """
    if frames is not None and frames.shape[0] != num_maps:
        raise ValueError(
            f"There are {frames.shape[0]} frames and {num_maps} maps; connect the frames that the disparity "
            "was made for."
        )


class _CheckedStream:
    def __init__(self, maps: FrameMaps) -> None:
        self._maps = maps
        self.shape = maps.shape

    def __iter__(self) -> Iterator[Tensor]:
        for t, frame in enumerate(self._maps):
            yield checked_map(frame, t)
