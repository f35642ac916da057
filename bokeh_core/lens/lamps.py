"""Light beyond white beside the outlines of things: it belongs to a lamp, which has a colour of its own."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .small_map import enlarged, mean_around, shrunk, step_px

LIT = 1.1
"""Greatest light of what does not shine itself: white, and as much more as a codec may add beside an edge."""

LEAST_SHARE = 0.03
"""Less of a surface in a pixel is not told from none."""

# How large a bright surface is, is told by its share of a window of a small map.
_LAMP_SHARE, _LARGE_SHARE = 0.45, 0.75
_LEAST_SHOWN = 1e-3
# A lamp that shares a pixel with something else is seen within so many px of it, squared.
_REACH_SQUARED = 2 * 2**2
# A lamp shines from where it has this much of its greatest light.
_GLOW_SHARE = 0.25
# An outline cuts a lamp of what lies behind it more often than one ends on the rim of what is in front: of
# the nearer surface around, so many times the share has to shine that shines of the farther one.
_MORE_OF_NEAR = 3.0
# What little is seen of a lamp may be the rim of one that is so many times as bright.
_MOST_HIDDEN = 4.0


def lamps_in(color: Tensor) -> Tensor:
    """Where light [C, ..., H, W] is brighter than what is lit: bool [..., H, W]."""
    return (color[:3] > LIT).any(0)


def without_lamps(light: Tensor, weight: Tensor) -> Tensor:
    """Cut lamps to what is lit; large bright surfaces, as a sky, keep their light.

    Args:
        light: [C, ..., H, W] linear light of a surface.
        weight: [..., H, W] in [0, 1], how much of it shows.

    Returns:
        [C, ..., H, W], no brighter than white or, where that is more, than the mean of the surface around.
    """
    height, width = weight.shape[-2:]
    step = step_px(height, width)
    planes = torch.cat([light * weight, (weight * lamps_in(light))[None], weight[None]])
    small = mean_around(shrunk(planes.view(1, -1, height, width), step))
    around = enlarged(small, step, (height, width)).view(-1, *weight.shape)
    *_, share = means = around[:-1] / around[-1:].clamp(min=_LEAST_SHOWN)
    large = ((share - _LAMP_SHARE) / (_LARGE_SHARE - _LAMP_SHARE)).clamp(0, 1)
    most = torch.lerp(torch.full_like(light, LIT), means[:-1].clamp(min=LIT), large)
    return torch.minimum(light, most)


@dataclass(frozen=True)
class SplitLamps:
    """Pixels along outlines, as far as they shine, split between the near and the far surface.

    Attributes:
        is_near: bool [M], whether the lamp is on the near surface.
        alpha: [M], share of the near surface: if the lamp is there, at least what its light takes.
        near_color, far_color: [C, M] linear light.
        radius_px: [M] signed blur radius of the lamp.
    """

    is_near: Tensor
    alpha: Tensor
    near_color: Tensor
    far_color: Tensor
    radius_px: Tensor


def split_lamps(
    pixel: Tensor,
    window: Tensor,
    nearer: Tensor,
    tolerance_px: Tensor,
    distance_squared: Tensor,
    alpha: Tensor,
    surfaces: tuple[Tensor, Tensor],
) -> SplitLamps:
    """Split pixels with light beyond white between the near and the far surface along an outline.

    All of a lamp is on one side; the other side has the colour of what is lit. So a lamp that is half hidden
    keeps the light that is seen of it, and the blurred edge in front of it does not shine.

    Args:
        pixel: [C, M] linear light.
        window: [C + 1, M, k*k], light and signed blur radius around the pixels.
        nearer: [M, k*k] in {0, 1}, which pixels of a window are nearer than the middle of the outline.
        tolerance_px: [M], within which radii are of one surface.
        distance_squared: [k*k] from the pixel in the middle.
        alpha: [M], share of the near surface.
        surfaces: mean colours [C, M] of the near and the far surface without lamps.
    """
    colors, radii = window[:-1], window[-1]
    close = distance_squared <= _REACH_SQUARED
    brightness = colors.sum(0).masked_fill(~close, -torch.inf)
    seen = _picked(window, brightness)
    own_px = (radii - seen[-1][:, None]).abs() <= tolerance_px[:, None]
    is_near = _picked(nearer[None], brightness)[0] > 0
    is_near &= _shine_more(colors, nearer * own_px, 1 - nearer, close)
    radius_px = _picked(radii[None], brightness.masked_fill((nearer > 0) ^ is_near[:, None], -torch.inf))[0]
    seen = torch.maximum(seen[:-1], pixel)

    near, far = surfaces
    taken = ((pixel - far).sum(0) / (seen - far).sum(0).clamp(min=1e-6)).clamp(0, 1)
    alpha = torch.where(is_near, torch.maximum(alpha, taken), alpha)
    most = _MOST_HIDDEN * seen
    near_lamp = ((pixel - (1 - alpha) * far) / alpha.clamp(min=LEAST_SHARE)).minimum(most).maximum(near)
    far_lamp = ((pixel - alpha * near) / (1 - alpha).clamp(min=LEAST_SHARE)).minimum(most).maximum(far)
    return SplitLamps(
        is_near,
        alpha,
        torch.where(is_near, near_lamp, near),
        torch.where(is_near, far, far_lamp),
        radius_px,
    )


def _picked(values: Tensor, score: Tensor) -> Tensor:
    """Of windows [C, M, k*k] the values [C, M] where the score [M, k*k] is greatest."""
    best = score.argmax(1, keepdim=True)
    return values.gather(2, best.expand(values.shape[0], -1, -1))[..., 0]


def _shine_more(colors: Tensor, near: Tensor, far: Tensor, close: Tensor) -> Tensor:
    """Whether the lamp in each window is on the near surface, if its brightest pixel is: bool [M].

    It is on the surface that shines within, away from the outline; where neither does, or both as much, on
    the one of which more shines.

    Args:
        colors: [C, M, k*k] linear light.
        near, far: [M, k*k] in {0, 1}, the pixels of the two surfaces.
        close: bool [k*k], where shares are counted.
    """
    brightness = colors[:3].amax(0)
    glow = _GLOW_SHARE * brightness.amax(1)
    shines = (brightness > glow[:, None]).to(brightness)
    within, share = [], []
    for side in (near, far):
        within.append((brightness * _eroded(side)).amax(1))
        counted = side * close
        share.append((counted * shines).sum(1) / counted.sum(1).clamp(min=1))
    near_within = (within[0] > within[1]) & (within[0] > glow)
    far_within = (within[1] > within[0]) & (within[1] > glow)
    return near_within | ~far_within & (share[0] > _MORE_OF_NEAR * share[1])


def _eroded(mask: Tensor) -> Tensor:
    """Where the 3 x 3 pixels around are all in a mask [M, k*k] in {0, 1}, as far as the window shows them."""
    side = math.isqrt(mask.shape[1])
    return 1 - F.max_pool2d(1 - mask.view(-1, 1, side, side), 3, stride=1, padding=1).view_as(mask)
