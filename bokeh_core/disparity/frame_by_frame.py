"""Finds depth maps that were normalised each on its own, whose disparities do not compare over time."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_ONE_8BIT_STEP = 1 / 255
_THUMBNAIL_PX = 8
# Maps that only repeat, or in which somebody walks before a still scene, change less than this part ...
_CHANGED_PART = 0.25
# ... from one frame to the next, in all but this share of them: cuts.
_CHANGED_FRAMES = 0.1


class FrameByFrameFinder:
    """Looks at every raw map of a clip once."""

    def __init__(self) -> None:
        self._low: list[float] = []
        self._high: list[float] = []
        self._last: Tensor | None = None
        # The difference from the frame before that three quarters of the pixels do not exceed.
        self._changes: list[float] = []

    def add(self, frame: Tensor, low: float, high: float) -> None:
        """Look at the next map [H, W] of finite values, whose extremes are known."""
        self._low.append(low)
        self._high.append(high)
        small = functional.adaptive_avg_pool2d(frame[None, None].float(), _THUMBNAIL_PX).flatten()
        if self._last is not None:
            self._changes.append((small - self._last).abs().quantile(1 - _CHANGED_PART).item())
        self._last = small

    def warning(self) -> str:
        """What the user should know; empty where the maps share one scale, as far as can be seen."""
        if not self._found():
            return ""
        return (
            f"Warning: every frame spans the same {self._low[0]:g} to {self._high[0]:g}, as if each had been "
            "normalised on its own: the blur will flicker. Prefer a video depth model that normalises the "
            "whole clip (Video Depth Anything, DepthCrafter). With these maps measure the focus in every "
            "frame, at a point or on a mask, and set its smoothing to 0: each frame has a scale of its own."
        )

    def _found(self) -> bool:
        low, high, changes = (torch.tensor(values) for values in (self._low, self._high, self._changes))
        count = len(low)
        span = (high.max() - low.min()).item() if count else 0.0
        if count < 2 or span == 0:
            return False
        step = _ONE_8BIT_STEP * span
        full_range = (low - low.min() <= step) & (high.max() - high <= step)
        share = full_range.float().mean().item()
        differ = (changes > step / 2).float().mean().item() > _CHANGED_FRAMES
        return differ and (share == 1 or (count >= 4 and share > 0.9))
