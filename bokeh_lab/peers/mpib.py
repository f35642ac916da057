"""MPIB's renderer: a stack of 32 disparity planes, blurred one by one and laid over each other.

After Peng et al., "MPIB: An MPI-Based Bokeh Rendering Framework for Realistic Partial Occlusion Effects"
(ECCV 2022), from its formulas. The published system paints hidden areas with a network, whose weights are not
available here; ours is `hidden_background`: push-pull behind depth edges, the best filler without weights
that we know.
"""

import torch
from torch import Tensor

from bokeh_core.lens.convolve import spread
from bokeh_core.lens.fill import push_pull
from bokeh_core.lens.neighbourhood import Extremes, dilate, local_max

from .by_frame import Shot, by_frame
from .disk import spread_disk
from .renderer import BokehTask, Render

NUM_PLANES = 32
# An edge occludes where the two sides are a pixel apart in blur; less cannot be seen.
_EDGE_PX = 1.0


def mpib(dilate_px: int = 0, exact_disks: bool = False) -> Render:
    """Make the renderer for frames and disparity, with hidden areas filled by push-pull.

    Args:
        dilate_px: grow near disparity by so many px first: mixed pixels of a contour then belong to the
            foreground.
        exact_disks: blur by antialiased disks of the exact radius of each plane instead of the published soft
            disk of whole px, whose rounding costs most where frames are small. Ours, in the peer's favour.
    """

    def render_light(shot: Shot) -> Tensor:
        disparity = local_max(shot.disparity, dilate_px)
        light, reach_px = shot.light, int(shot.radius_px(disparity).abs().max().item()) + 2
        hidden, far_light, far_disparity = hidden_background(
            light, disparity, edge=_EDGE_PX / max(shot.blur_strength_px, 1e-6), reach_px=reach_px
        )
        ones = torch.ones_like(disparity)
        sheets = [(far_light, hidden.float(), far_disparity), (light, ones, disparity)]
        return composite_planes(sheets, shot, exact_disks)

    return lambda task: by_frame(task, render_light)


def render_layers(task: BokehTask) -> Tensor:
    """Render from the true layers: each goes into the planes with its alpha and its own disparity.

    Raises:
        ValueError: the task has no layers.
    """

    def render_light(shot: Shot) -> Tensor:
        layers = shot.true_layers()
        far_to_near = zip(
            layers.color.flip(0) ** shot.gamma,
            layers.alpha.flip(0),
            layers.disparity_maps().flip(0),
            strict=True,
        )
        return composite_planes(list(far_to_near), shot)

    return by_frame(task, render_light)


def soft_disk(radius_px: int) -> Tensor:
    """Kernel [2R+1, 2R+1] of sum 1, as 1/2 + 1/2 tanh(0.25 (R^2 - p^2) + 0.5) at p px; R = 0: a point."""
    axis = torch.arange(-radius_px, radius_px + 1, dtype=torch.float32)
    distance2 = axis[:, None].square() + axis.square()
    disk = 0.5 + 0.5 * torch.tanh(0.25 * (radius_px**2 - distance2) + 0.5)
    return disk / disk.sum()


def composite_planes(
    sheets: list[tuple[Tensor, Tensor, Tensor]], shot: Shot, exact_disks: bool = False
) -> Tensor:
    """Cut sheets into 32 planes of equal disparity steps, blur each and lay them over each other.

    Back to front B = B (1 - k*a_i) + k*(a_i c_i) with the soft disk k of radius round(K |d_i - d_f|), borders
    replicated; a channel of ones goes through the same and is divided out.

    Args:
        sheets: (light [3, H, W], alpha [H, W], disparity [H, W]), far to near where they share a plane.
        shot: focus and strength.
        exact_disks: see `mpib`.

    Returns:
        [3, H, W] light.
    """
    planes = [(disparity * NUM_PLANES).long().clamp(0, NUM_PLANES - 1) for _, _, disparity in sheets]
    result = torch.zeros_like(torch.cat([sheets[0][0], sheets[0][1][None]]))
    for index in range(NUM_PLANES):
        drawn = torch.zeros_like(result)
        for (light, alpha, _), plane in zip(sheets, planes, strict=True):
            here = alpha * (plane == index)
            drawn = drawn * (1 - here) + torch.cat([light, torch.ones_like(light[:1])]) * here
        if not bool(drawn[3].any()):
            continue
        middle = (index + 0.5) / NUM_PLANES
        radius_px = abs(shot.blur_strength_px * (middle - shot.focal_disparity))
        if exact_disks:
            blurred = spread_disk(drawn, radius_px)
        else:
            blurred = spread(drawn, soft_disk(round(radius_px)).numpy())
        result = result * (1 - blurred[3:]) + blurred
    return result[:3] / result[3:].clamp(min=1e-6)


def hidden_background(
    light: Tensor, disparity: Tensor, edge: float, reach_px: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Guess what the near side of depth edges hides.

    Args:
        light: [3, H, W].
        disparity: [H, W], 1 = near.
        edge: least range of disparity within 3 x 3 px that counts as an edge.
        reach_px: how far from an edge hidden background can come into sight.

    Returns:
        Where there is hidden background, bool [H, W]; its light [3, H, W] and its disparity [H, W]: push-pull
        of everything that is farther than the middle between the two sides of the nearest edges.
    """
    around = Extremes.of(disparity)
    at_edge = around.step() > edge
    if not bool(at_edge.any()):
        return at_edge, light, disparity
    sides = push_pull(torch.stack([around.top, around.bottom]), at_edge[None].float())
    middle = sides.mean(0)
    near = (disparity > middle) & (disparity - sides[1] > edge / 2)
    hidden = near & dilate(at_edge, reach_px)
    # Pixels at an edge mix both sides: they are neither shown as background nor asked what it looks like.
    known = ~near & ~at_edge
    if not bool(known.any()):
        return torch.zeros_like(hidden), light, disparity
    filled = push_pull(torch.cat([light, disparity[None]]), known[None].float())
    return hidden, filled[:3], torch.minimum(filled[3], disparity)
