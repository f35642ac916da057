"""Pixels that are no light: NaN, infinite, or beyond any lamp."""

from __future__ import annotations

import torch
from torch import Tensor

from ..setting_checks import require_choice
from ..transfer import MOST_LIGHT
from .fill import push_pull

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


def mended_frames(frames: Tensor, choice: str) -> tuple[Tensor, str]:
    """Frames [T, H, W, C] without bad pixels, if they shall be replaced, and a line that says so.

    Args:
        frames: of any values; what is no dense tensor of floating point with four axes comes back as it is.
        choice: one of `BAD_PIXELS`; what is to be refused is left to who checks the frames.

    Raises:
        ValueError: another choice.
    """
    require_choice("bad_pixels", choice, BAD_PIXELS)
    plain = (
        isinstance(frames, Tensor) and frames.ndim == 4 and frames.is_floating_point() and frames.numel() > 0
    )
    if choice == REFUSE or not plain:
        return frames, ""
    found = {t: bad for t, frame in enumerate(frames) if (bad := bad_pixels_in(frame)) is not None}
    if not found:
        return frames, ""
    frames = frames.float().clone()
    for t, bad in found.items():
        frames[t] = without_bad_pixels(frames[t], bad)
    return frames, mended_line({t: int(bad.sum()) for t, bad in found.items()}, f"frame {min(found)}")


def mended_line(counts: dict[int, int], first: str) -> str:
    """Say how many pixels of which frames were replaced.

    Args:
        counts: number of the frame -> its bad pixels.
        first: what the first of those frames is called.
    """
    return (
        f"Warning: {sum(counts.values())} pixels of {len(counts)} frames were NaN, infinite or beyond 1e6, "
        f"the first in {first}; they were replaced from around them."
    )
