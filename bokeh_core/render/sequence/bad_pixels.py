"""Pixels that are no light: NaN, infinite, or beyond any lamp."""

from __future__ import annotations

import torch
from torch import Tensor

from ...lens.fill import push_pull
from ...transfer import MOST_LIGHT

REPLACE, REFUSE = "replace", "refuse"
BAD_PIXELS = (REPLACE, REFUSE)


def bad_pixels_in(frame: Tensor) -> Tensor | None:
    """Where a frame [H, W, C] is NaN, infinite or beyond 1e6: bool [H, W]; None if nowhere."""
    least, most = (extreme.item() for extreme in frame.aminmax())
    if -MOST_LIGHT <= least <= most <= MOST_LIGHT:
        return None
    return ~(frame.abs() <= MOST_LIGHT).all(-1)


def without_bad_pixels(frame: Tensor, bad: Tensor) -> Tensor:
    """The frame [H, W, C] with those pixels filled from around them; black where no pixel is good."""
    good = (~bad).float()[None]
    planes = torch.where(bad[..., None], 0.0, frame).movedim(-1, 0)
    return torch.where(bad[..., None], push_pull(planes, good).movedim(0, -1), frame)
