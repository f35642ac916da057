"""Lens Blur, the pack's own renderer without weights, under the common interface."""

from torch import Tensor

from bokeh_core.lens import contour_reach_px, lens_blur

from .renderer import BokehTask, Render

# The default of the node, in px on a frame 1024 px wide.
NODE_TOLERANCE_PX = 4.0


def lens_blur_renderer(contour_tolerance_px: float = NODE_TOLERANCE_PX) -> Render:
    """Make the renderer: the node's defaults, and light of the task's gamma.

    Args:
        contour_tolerance_px: how far the disparity's contours may be off the picture's, in px on a frame
            1024 px wide; 0 trusts the maps to the pixel.
    """

    def render(task: BokehTask) -> Tensor:
        return lens_blur(
            task.frames,
            task.disparity,
            task.focal_disparity,
            task.blur_strength,
            gamma=task.gamma,
            contour_reach_px=contour_reach_px(contour_tolerance_px, task.frames.shape[2]),
            device=task.device,
        )

    return render
