"""Layered disk blur: what can be reached when every layer is known, hidden parts included."""

import torch
from torch import Tensor

from .by_frame import Shot, by_frame
from .disk import radius_steps, spread_disk_within
from .renderer import BokehTask

STEP_PX = 0.25


def render(task: BokehTask) -> Tensor:
    """Blur each true layer by its own disk and put them over each other: a ceiling for the other renderers.

    Per layer, premultiplied light and alpha are spread by the disk of radius K |d - d_f|; a slanted layer is
    cut into slabs of a quarter px of radius, linear between them, and divided by what a full layer of the
    same slant would have given. Layers are put over each other near to far; beyond the frame there is
    nothing, and the result is divided by its coverage, as the ray-traced truth does. What differs from the
    truth: light that passes two blurred layers is taken to meet them independently.

    Raises:
        ValueError: the task has no layers.
    """
    return by_frame(task, _render_light)


def _render_light(shot: Shot) -> Tensor:
    layers = shot.true_layers()
    disparity = layers.disparity_maps()
    result = torch.zeros_like(torch.cat([layers.color[0], layers.alpha[:1]]))
    through = torch.ones_like(layers.alpha[:1])
    for color, alpha, plane_disparity in zip(layers.color, layers.alpha, disparity, strict=True):
        premultiplied = torch.cat([color**shot.gamma * alpha, alpha[None]])
        blurred = _spread_plane(premultiplied, shot.radius_px(plane_disparity).abs())
        result += through * blurred
        through = through * (1 - blurred[3:])
    return result[:3] / result[3:].clamp(min=1e-6)


def _spread_plane(premultiplied: Tensor, radius_px: Tensor) -> Tensor:
    """Spread [4, H, W] of a plane whose radius [H, W] changes linearly over the frame."""
    total = torch.zeros_like(premultiplied)
    coverage, full = torch.zeros_like(radius_px)[None], torch.zeros_like(radius_px)[None]
    for radius, weight in radius_steps(radius_px, STEP_PX):
        inside = spread_disk_within(torch.cat([premultiplied * weight, weight[None]]), radius)
        total += inside[:4]
        coverage += inside[4:]
        full += spread_disk_within(torch.ones_like(weight)[None], radius) * weight
    # `full` is how much of its own disk a pixel sees inside the frame; `coverage` departs from it by the
    # slant.
    return (total * full / coverage.clamp(min=1e-6)).clamp(max=1)
