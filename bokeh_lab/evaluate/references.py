"""Rows that say how far the ground truth itself can be trusted."""

import torch
from torch import Tensor

from ..peers.renderer import BokehTask, Renderer
from ..raytrace import greatest_radius_px, ray_trace, sufficient_rays_across

GROUND_TRUTH = "ground_truth"
ANOTHER_GRID = "another_grid"

# In two dimensions, 0.7 a side is half the rays.
_SHARE_OF_RAYS_ACROSS = 0.7


def render_ground_truth(task: BokehTask) -> Tensor:
    """Stand in for the truth, which no task holds: the run hands out the clip's own.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"A task of {len(task.frames)} frames does not hold its own ground truth.")


def render_with_another_grid(task: BokehTask) -> Tensor:
    """Trace the scene again, with about half the rays that its blur needs (Eq. 6).

    What separates it from the truth is the choice of rays: closer than that, renderers cannot be told apart.

    Raises:
        ValueError: the task has no layers.
    """
    if task.layers is None:
        raise ValueError(
            "This renderer works from the true layers and the task has none; give BokehTask.layers."
        )
    rendered = torch.empty_like(task.frames)
    for t, layered in enumerate(task.layers):
        focal, strength = float(task.focal_disparity[t]), float(task.blur_strength_px[t])
        rays_across = sufficient_rays_across(greatest_radius_px(layered, focal, strength))
        fewer = int(_SHARE_OF_RAYS_ACROSS * rays_across) | 1
        frame = ray_trace(layered, focal, strength, gamma=task.gamma, rays_across=fewer)
        rendered[t] = frame.permute(1, 2, 0).to(rendered)  # CHW -> HWC
    return rendered


REFERENCES = (
    Renderer(GROUND_TRUTH, "Ground truth itself", render_ground_truth, given_layers=True),
    Renderer(ANOTHER_GRID, "Ray tracing, another grid", render_with_another_grid, given_layers=True),
)
