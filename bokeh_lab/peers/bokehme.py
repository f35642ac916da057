"""BokehMe's classical half: every pixel scatters over its disk, without any order of depth.

After Peng et al., "BokehMe: When Neural Rendering Meets Classical Rendering" (CVPR 2022), from its formulas.
The published system mends the bleeding at depth edges with a network, whose weights are not available here.
"""

import math

import torch
from torch import Tensor

from .by_frame import Shot, by_frame
from .offsets import add_shifted, rings
from .renderer import BokehTask, Render

PUBLISHED_GAMMA = 4.0
_SOFTNESS_PER_PX = 4.0
_LEAST_AREA_PX2 = 0.2


def bokehme(gamma: float | None = None, highlights: bool = False) -> Render:
    """Make a renderer that scatters every pixel over its own disk, without order of depth.

        out = (sum w c^g / sum w)^(1/g),
        w(p, r) = (1/2 + 1/2 tanh(4 (r - p))) / (r^2 + 0.2),  p <= floor(r) + 1,

    summed over all pixels of radius r = K |d - d_f| at distance p.

    Args:
        gamma: g; None takes the task's, which is fair where the truth averages that light. `PUBLISHED_GAMMA`
            is the published default and brightens highlights more than any such truth.
        highlights: lift bright pixels out of focus first, as the published demonstration can:
            c (1 + 0.4 m1 m2), m1 = clip(tanh(200 ((d - d_f)^2 - 0.01)), 0, 1),
            m2 = clip(tanh(10 (c - 220/255)), 0, 1).
    """

    def render(task: BokehTask) -> Tensor:
        return by_frame(task, lambda shot: _render_light(shot, highlights), gamma)

    return render


def scatter_weight(distance_px: float, radius_px: Tensor) -> Tensor:
    """Weight that a pixel of `radius_px` has at `distance_px` from itself, zero beyond floor(r) + 1 px."""
    soft = 0.5 + 0.5 * torch.tanh(_SOFTNESS_PER_PX * (radius_px - distance_px))
    weight = soft / (radius_px.square() + _LEAST_AREA_PX2)
    return torch.where(distance_px <= radius_px.floor() + 1, weight, 0)


def lift_highlights(display: Tensor, defocus: Tensor) -> Tensor:
    """Brighten pixels [3, H, W] that are bright and whose defocus d - d_f [H, W] is large."""
    out_of_focus = torch.tanh(200 * (defocus.square() - 0.01)).clamp(0, 1)
    bright = torch.tanh(10 * (display - 220 / 255)).clamp(0, 1)
    return display * (1 + 0.4 * out_of_focus * bright)


def _render_light(shot: Shot, highlights: bool) -> Tensor:
    light = shot.light
    if highlights:
        light = lift_highlights(shot.display, shot.disparity - shot.focal_disparity) ** shot.gamma
    radius_px = shot.radius_px(shot.disparity).abs()
    lit = torch.cat([light, torch.ones_like(light[:1])])
    total = torch.zeros_like(lit)
    for distance_px, offsets in rings(math.floor(radius_px.max().item()) + 1):
        scattered = lit * scatter_weight(distance_px, radius_px)
        for offset in offsets:
            add_shifted(total, scattered, offset)
    return total[:3] / total[3:]
