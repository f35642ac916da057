"""What the renderers that treat each frame alone share: frames in light, radii in px, results in [0, 1]."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from bokeh_core.coc import signed_circle_of_confusion_px
from bokeh_core.lens.light import Scale
from bokeh_core.transfer import DISPLAY

from ..scenes.scene import LayeredFrame
from .renderer import BokehTask


@dataclass(frozen=True)
class Shot:
    """One frame and the lens that looks at it.

    Attributes:
        display: [3, H, W] display values in [0, 1].
        gamma: light = display ** gamma.
        disparity: [H, W] in [0, 1], 1 = near.
        focal_disparity: in [0, 1].
        blur_strength_px: K >= 0, blur radius in px of this frame per unit of disparity.
        layers: the true layers, where the task has them.
    """

    display: Tensor
    gamma: float
    disparity: Tensor
    focal_disparity: float
    blur_strength_px: float
    layers: LayeredFrame | None

    @property
    def light(self) -> Tensor:
        """[3, H, W] light that adds up."""
        return Scale(DISPLAY, self.gamma).to_light(self.display)

    def radius_px(self, disparity: Tensor) -> Tensor:
        """Signed blur radius K (d - d_f) in px of any disparity: positive in front of the focal plane."""
        return self.blur_strength_px * (disparity - self.focal_disparity)

    def true_layers(self) -> LayeredFrame:
        """The layers the task gives.

        Raises:
            ValueError: the task has none.
        """
        if self.layers is None:
            raise ValueError(
                "This renderer works from the true layers and the task has none; give BokehTask.layers, or "
                "choose a renderer that works from frames and disparity."
            )
        return self.layers


def by_frame(task: BokehTask, render_light: Callable[[Shot], Tensor], gamma: float | None = None) -> Tensor:
    """Render every frame on its own.

    Args:
        task: the clip.
        render_light: shot -> [3, H, W] light.
        gamma: exponent of the light to render in; None = the task's.

    Returns:
        float32 [T, H, W, 3] display values in [0, 1], on the device of the task's frames.

    Raises:
        ValueError: frames, disparity, focus, strength and layers do not belong together.
    """
    check_task(task)
    gamma = task.gamma if gamma is None else gamma
    result = torch.empty_like(task.frames, dtype=torch.float32)
    for t, frame in enumerate(task.frames):
        layers = None if task.layers is None else on_device(task.layers[t], task.device)
        shot = Shot(
            display=frame.to(task.device, torch.float32).permute(2, 0, 1),  # HWC -> CHW
            gamma=gamma,
            disparity=task.disparity[t].to(task.device, torch.float32),
            focal_disparity=task.focal_disparity[t].item(),
            blur_strength_px=task.blur_strength_px[t].item(),
            layers=layers,
        )
        result[t] = Scale(DISPLAY, gamma).to_values(render_light(shot)).permute(1, 2, 0).to(result.device)
    return result


def on_device(layers: LayeredFrame, device: torch.device) -> LayeredFrame:
    """Copy a frame's layers to where they are rendered."""
    return LayeredFrame(
        layers.color.to(device, torch.float32),
        layers.alpha.to(device, torch.float32),
        layers.disparity.to(device),
    )


def check_task(task: BokehTask) -> None:
    """Check that a task's parts belong together.

    Raises:
        ValueError: names the part and what it must be.
    """
    frames, disparity = task.frames, task.disparity
    if frames.ndim != 4 or frames.shape[-1] != 3 or 0 in frames.shape:
        raise ValueError(f"frames have shape {tuple(frames.shape)}; they must be [T, H, W, 3].")
    if disparity.shape != frames.shape[:3]:
        raise ValueError(
            f"disparity has shape {tuple(disparity.shape)}; these frames need {tuple(frames.shape[:3])}."
        )
    # Equation 1 checks the lengths and values of focus and strength.
    signed_circle_of_confusion_px(disparity[:, :1, :1], task.focal_disparity, task.blur_strength_px)
    if not task.gamma > 0:
        raise ValueError(f"gamma is {task.gamma:g}; use 1 for display values or 2.2 for linear light.")
    if task.layers is not None and len(task.layers) != len(frames):
        raise ValueError(f"{len(task.layers)} frames of layers for {len(frames)} frames; give one for each.")
