"""Plain gather: every pixel is the mean over the disk of its own radius, whatever lies there."""

import torch
from torch import Tensor

from .by_frame import Shot, by_frame
from .disk import radius_steps, spread_disk
from .renderer import BokehTask

# A pixel between two radii is the weighted mean of both disks; its variance r^2 / 4 is then off by 1/256 px^2
# at most.
STEP_PX = 0.25


def render(task: BokehTask) -> Tensor:
    """Gather in light of the task's gamma: out(x) = mean of light over the disk of radius K |d(x) - d_f|.

    Disks are antialiased. Radii are cut into steps of a quarter px, linear between them, so that a frame
    costs one convolution for each step in use. It has no order of depth: what is in focus bleeds into its
    blurred surroundings, and a blurred foreground ends at its own contour.

    Returns:
        float32 [T, H, W, 3] in [0, 1].
    """
    return by_frame(task, _render_light)


def _render_light(shot: Shot) -> Tensor:
    light = shot.light
    result = torch.zeros_like(light)
    for radius_px, weight in radius_steps(shot.radius_px(shot.disparity).abs(), STEP_PX):
        result += weight * spread_disk(light, radius_px)
    return result
