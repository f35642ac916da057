"""The image of a point: spreading over an even disk, and how a radius map is cut into few radii."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.lens.aperture import ROUND, lens_kernel
from bokeh_core.lens.convolve import spread


def spread_disk(planes: Tensor, radius_px: float) -> Tensor:
    """Spread [C, H, W] planes over a disk of that radius; each pixel holds its share of the disk's area.

    Beyond the frame the border pixels are repeated. A disk of less than half a pixel's radius is a point.
    """
    return spread(planes, lens_kernel(ROUND, abs(radius_px)))


def spread_disk_within(planes: Tensor, radius_px: float) -> Tensor:
    """As `spread_disk`, with nothing beyond the frame."""
    reach = lens_kernel(ROUND, abs(radius_px)).shape[0] // 2
    if reach == 0:
        return spread_disk(planes, radius_px)
    spread_planes = spread_disk(F.pad(planes, (reach,) * 4), radius_px)
    return spread_planes[..., reach:-reach, reach:-reach]


def radius_steps(radius_px: Tensor, step_px: float) -> Iterator[tuple[float, Tensor]]:
    """Write a map of radii as a weighted sum of few: the radii and, for each, its weight map.

    Args:
        radius_px: any shape, >= 0.
        step_px: distance of neighbouring radii, > 0; a value between two is split linearly.

    Returns:
        (radius in px, weights in [0, 1] of the shape of `radius_px`); the weights of all radii sum to 1.
        One radius everywhere comes back as it is, with weight 1.
    """
    low, high = radius_px.min().item(), radius_px.max().item()
    if high - low < 1e-4:
        yield (low + high) / 2, torch.ones_like(radius_px)
        return
    position = radius_px / step_px
    for index in range(int(low / step_px), int(high / step_px) + 2):
        weight = (1 - (position - index).abs()).clamp(min=0)
        if bool((weight > 0).any()):
            yield index * step_px, weight
