"""Lens Blur, the pack's own renderer without weights, under the common interface."""

from dataclasses import replace

from torch import Tensor

from bokeh_core.lens import DEFAULT_LENS, LensSettings, lens_blur
from bokeh_core.lens.settings import IGNORE, REPEAT

from .renderer import BokehTask, Render


def lens_blur_renderer(lens: LensSettings = DEFAULT_LENS) -> Render:
    """Make a renderer of `lens.lens_blur` with fixed lens settings; focus, K and border are the task's.

    Args:
        lens: stated for frames 1024 px wide, with light of the task's gamma; by default that of the node.
    """

    def render(task: BokehTask) -> Tensor:
        border = REPEAT if task.beyond_frame else IGNORE
        return lens_blur(
            task.frames,
            task.disparity,
            task.focal_disparity,
            task.blur_strength_px,
            replace(lens, gamma=task.gamma, border=border).at_width(task.frames.shape[2]),
            device=task.device,
        )

    return render
