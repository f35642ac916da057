"""The grid of lens points that rays are traced through, and how fine it has to be."""

import math

import torch
from torch import Tensor

from ..scenes.scene import TRANSPARENT, LayeredFrame

PUBLISHED_RAYS_ACROSS = 51
"""Lens grid of the paper's training data; its test set has 101. Rounding left it 1,957 and 7,841 points, four
fewer than lie in the disk."""

_RAY_SPACING_PX = 0.5
_MOST_RAYS_ACROSS = 101


def lens_points(rays_across: int) -> Tensor:
    """Points of an n x n grid over [-1, 1]^2 in the closed unit disk: float64 [R, 2], column by column.

    Args:
        rays_across: n >= 1; 51 gives 1,961 points. 1 is the pinhole in the middle.

    Raises:
        ValueError: n is below 1.
    """
    if rays_across < 1:
        raise ValueError(
            f"rays_across is {rays_across}; it must be 1 (a pinhole) or more, {PUBLISHED_RAYS_ACROSS} as "
            "published."
        )
    # Whole numbers decide what lies inside: the grid's outermost points are on the circle.
    steps = 2 * torch.arange(rays_across) - (rays_across - 1)
    points = torch.cartesian_prod(steps, steps)
    inside = points[points.square().sum(1) <= max(rays_across - 1, 1) ** 2]
    return inside.double() / max(rays_across - 1, 1)


def sufficient_rays_across(greatest_radius_px: float) -> int:
    """The published 51, or more where rays would hit over half a pixel apart: odd, at most 101."""
    needed = math.ceil(2 * greatest_radius_px / _RAY_SPACING_PX) + 1
    return min(max(needed | 1, PUBLISHED_RAYS_ACROSS), _MOST_RAYS_ACROSS)


def greatest_radius_px(layered: LayeredFrame, focal_disparity: float, blur_strength_px: float) -> float:
    """Greatest blur radius K |d - d_f| of anything in the frame, hidden or not, in px."""
    seen = layered.alpha >= TRANSPARENT
    distance = (layered.disparity_maps() - focal_disparity).abs() * seen
    return blur_strength_px * float(distance.max())
