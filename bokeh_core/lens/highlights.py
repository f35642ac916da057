"""Highlights: clipped lamps get back some of the light that a display cannot show; large white things do not.

A lamp and white cloth have the same numbers, but lamps are small. How large a bright area is, is measured on
a small map: the share of a window that is bright, where in the area it is greatest. That changes steadily
while an area grows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .light import LUMA_WEIGHTS
from .neighbourhood import local_max, local_min
from .small_map import enlarged, mean_around, shrunk, step_px

# Highlights are lifted in full once they are this much out of focus; in focus nothing changes.
_GLOW_FROM_PX, _GLOW_FULL_PX = 0.5, 2.0
# Of a small map: lamps less than 3 px across do not make one large area with others beside them.
_CROWD_REACH_PX = 1
# Of a window around: a disk of 6 px, a fortieth of the frame, has 0.1, and one of 12 px 0.4.
_LAMP_SHARE, _LARGE_SHARE = 0.1, 0.35
# How far from its widest part an area is known to be large, in px of the map.
_REACH_PX = 24


def highlight_of(display: Tensor, threshold: float) -> Tensor:
    """How much pixels of display values [3, ...] are highlights, above a threshold: [...] in [0, 1]."""
    luma = sum(weight * channel for weight, channel in zip(LUMA_WEIGHTS, display, strict=True))
    return ((torch.as_tensor(luma) - threshold) / (1 - threshold)).clamp(0, 1)


def share_of_lamps(highlight: Tensor) -> Tensor:
    """How much highlights are lamps and not the outlines or insides of large bright things.

    Args:
        highlight: [..., H, W] in [0, 1], see `highlight_of`.

    Returns:
        [..., H, W] in [0, 1]; 1 where no highlight is.
    """
    height, width = highlight.shape[-2:]
    frames = highlight.reshape(-1, 1, height, width)
    step = step_px(height, width)
    small = shrunk(frames, step)
    apart = local_max(local_min(small, _CROWD_REACH_PX), _CROWD_REACH_PX)
    share = mean_around(apart)
    bright = F.max_pool2d(frames, step, ceil_mode=True)
    share = torch.minimum(share, bright)
    for _ in range(_REACH_PX):
        share = torch.minimum(local_max(share), bright)
    large = ((local_max(share) - _LAMP_SHARE) / (_LARGE_SHARE - _LAMP_SHARE)).clamp_(0, 1)
    return enlarged(1 - large, step, (height, width)).view_as(highlight)


def lift_highlights(
    light: Tensor,
    display: Tensor,
    radius_px: Tensor,
    gain: float | Tensor,
    threshold: float,
    lamps: Tensor | None = None,
) -> Tensor:
    """Give clipped lamps back some of the light a display cannot show.

    Args:
        light: [3, ..., H, W] linear light.
        display: [3, ..., H, W] display values.
        radius_px: [..., H, W] signed blur radius.
        gain: extra light of a white pixel, 0 = none, 1 = twice as bright; or [T, 1, 1], one for each frame.
        threshold: display luma in [0, 1) above which pixels are highlights.
        lamps: [..., H, W] in [0, 1], how much of them are lamps; None = see `share_of_lamps`.

    Returns:
        [3, ..., H, W] linear light, unchanged in focus, below the threshold and in large bright areas.
    """
    if not isinstance(gain, Tensor) and gain == 0:
        return light
    highlight = highlight_of(display, threshold)
    lamps = share_of_lamps(highlight) if lamps is None else lamps
    out_of_focus = ((radius_px.abs() - _GLOW_FROM_PX) / (_GLOW_FULL_PX - _GLOW_FROM_PX)).clamp(0, 1)
    return light * (1 + gain * highlight.square() * lamps * out_of_focus)
