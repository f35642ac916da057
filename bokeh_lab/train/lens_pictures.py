"""What Lens Blur makes of a training clip: the picture that gates of a small model start at."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from bokeh_core.lens import DEFAULT_LENS, lens_blur
from bokeh_core.lens.settings import IGNORE

# Beyond the widest blur: what contours are sought in.
_MARGIN_PX = 8


def around(first: int, length: int, whole: int, blur_strength_px: Tensor) -> tuple[int, int]:
    """A stretch of a side, with all around it that blurs into it: (start, stop)."""
    reach = math.ceil(float(blur_strength_px.max())) + _MARGIN_PX
    return max(first - reach, 0), min(first + length + reach, whole)


def lens_pictures(
    frames: Tensor,
    disparity: Tensor,
    focal_disparity: Tensor,
    blur_strength_px: Tensor,
    gamma: float,
    clip_width_px: int,
) -> Tensor:
    """Frames [T, 3, H, W] through Lens Blur; light from beyond them does not count.

    Args:
        frames: part of a clip, display values.
        disparity: [T, H, W].
        focal_disparity: [T].
        blur_strength_px: [T].
        gamma: light = display ** gamma adds up.
        clip_width_px: of the whole clip, in which contours are as far off as maps of its size have them.
    """
    lens = replace(DEFAULT_LENS, gamma=gamma, border=IGNORE).at_width(clip_width_px)
    pictures = lens_blur(
        frames.permute(0, 2, 3, 1).contiguous(),  # TCHW -> THWC
        disparity.contiguous(),
        focal_disparity,
        blur_strength_px,
        lens,
        device=torch.device("cpu"),
        workers=1,
    )
    return pictures.permute(0, 3, 1, 2)
