"""A progress bar that carries a picture of the frame in work."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from torch import Tensor

from ..bokeh_core.thumbnail import thumbnail
from ..bokeh_core.transfer import DISPLAY

# What the host sends to its front end: format, picture and the longest side in px.
Picture = tuple[str, Any, int]
# Sampling previews come about as often; each is a JPEG over what may be a slow line.
INTERVAL_S = 0.25


def picture_of_frame(longest_side_px: int, transfer: str = DISPLAY) -> Callable[[Tensor], Picture]:
    """Return what makes a picture of a frame [H, W, C] whose numbers mean light by `transfer`."""

    def picture(frame: Tensor) -> Picture:
        from PIL import Image

        small = thumbnail(frame, longest_side_px, transfer)
        return "JPEG", Image.fromarray(small.numpy()), longest_side_px

    return picture


class FrameOnBar:
    """The `progress` and the `show` of a node's work: the frame shown last goes out with the next tick."""

    def __init__(
        self,
        update: Callable[[int, int, Picture | None], None],
        picture_of: Callable[[Tensor], Picture] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is shown yet.

        Args:
            update: moves the bar: (done, total, picture or None).
            picture_of: makes a picture of what is shown; None where nobody wants to see any, and nothing is
                kept then.
            clock: seconds.
        """
        self._update = update
        self._picture_of = picture_of
        self._clock = clock
        self._frame: Tensor | None = None
        self._next_at_s = -math.inf

    def show(self, frame: Tensor) -> None:
        """Keep a frame until the next tick, where one is wanted by then."""
        if self._picture_of is not None and self._clock() >= self._next_at_s:
            self._frame = frame

    @property
    def has_picture(self) -> bool:
        """Whether one will go out with the next tick."""
        return self._frame is not None

    def progress(self, done: int, total: int) -> None:
        """Move the bar; see `progress.Progress`."""
        picture = None
        if self._frame is not None and self._picture_of is not None:
            picture = self._picture_of(self._frame)
            self._frame = None
            self._next_at_s = self._clock() + INTERVAL_S
        self._update(done, total, picture)
