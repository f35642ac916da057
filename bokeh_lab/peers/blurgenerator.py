"""BlurGenerator, a package that people use for this today (PyPI, MIT licence), under the common interface."""

import importlib
import importlib.util
import math

import numpy as np
import torch
from torch import Tensor

from .by_frame import check_task
from .renderer import BokehTask

PACKAGE = "blurgenerator"
# Disks that fit into a pixel; the package cannot blur by less than a pixel.
_SHARP_PX = 0.5
_DEEPEST = 255


def missing() -> str | None:
    """Say how to install the package, or None where it is."""
    if importlib.util.find_spec(PACKAGE) is None:
        return "the package is not installed: pip install BlurGenerator"
    return None


def render(task: BokehTask) -> Tensor:
    """Blur with `lens_blur_with_depth_map` of the package.

    The package has no focal plane: it blurs by the depth value, in layers of whole px of radius from
    `min_blur` >= 1, on 8-bit images. So the depth map given to it is the blur radius K |d - d_f| itself,
    rounded to whole px, one layer of the package for each; its `exposure_gamma` is the task's gamma, its
    `components` stays at the default of 5. Pixels with a radius under half a px keep the input, which the
    package could not: in its favour.

    Returns:
        float32 [T, H, W, 3] in [0, 1], in steps of 1/255 where it is blurred.

    Raises:
        ValueError: the package is not installed, or the largest radius is above 255 px.
    """
    reason = missing()
    if reason is not None:
        raise ValueError(f"BlurGenerator cannot run: {reason}.")
    check_task(task)
    result = task.frames.to(torch.float32).clone()
    for t, frame in enumerate(task.frames):
        radius_px = (
            task.blur_strength_px[t].item() * (task.disparity[t] - task.focal_disparity[t].item()).abs()
        )
        blurred = _blur(frame.float().cpu().numpy(), radius_px.cpu().numpy(), task.gamma)
        out_of_focus = (radius_px >= _SHARP_PX)[..., None].to(result.device)
        result[t] = torch.where(out_of_focus, torch.from_numpy(blurred).to(result), result[t])
    return result


def depth_layers(radius_px: np.ndarray) -> tuple[np.ndarray, int, float]:
    """Write radii so that the package reads them back as whole px.

    The package cuts depth into `n` layers of `step` = (max - min) // n and blurs the pixels of depth in
    (j step, (j + 1) step] by int(min_blur + j step / 255 (max_blur - min_blur)) px.

    Args:
        radius_px: [H, W], >= 0.

    Returns:
        Depth uint8 [H, W], the number of layers, and `max_blur` for a `min_blur` of 1: layer j then has
        radius j + 1.

    Raises:
        ValueError: a radius above 255 px.
    """
    whole = np.maximum(np.floor(radius_px + 0.5), 1).astype(int)
    layers = int(whole.max())
    if layers > _DEEPEST:
        raise ValueError(
            f"The largest blur radius is {layers} px and the package takes at most {_DEEPEST}; "
            "lower the blur strength."
        )
    step = _DEEPEST // layers
    depth = (whole - 1) * step + math.ceil(step / 2)
    # A hair above, because the package cuts off decimals.
    return depth.astype(np.uint8), layers, 1 + (_DEEPEST + 1e-6) / step


def _blur(frame: np.ndarray, radius_px: np.ndarray, gamma: float) -> np.ndarray:
    """Blur [H, W, 3] in [0, 1] by a map of radii [H, W]."""
    package = importlib.import_module(PACKAGE)
    depth, layers, max_blur = depth_layers(radius_px)
    # The package finds its steps from the map's extremes and leaves out the lowest value: both go into a row
    # of their own, which is cut off afterwards. It repeats the border, as the package does beyond the frame.
    marker = np.full((1, depth.shape[1]), layers * (_DEEPEST // layers), np.uint8)
    marker[0, 0] = 0
    depth = np.concatenate([depth, marker])
    image = np.round(np.concatenate([frame, frame[-1:]]).clip(0, 1) * 255).astype(np.uint8)
    blurred = package.lens_blur_with_depth_map(
        image,
        np.repeat(depth[..., None], 3, axis=-1),
        exposure_gamma=gamma,
        num_layers=layers,
        min_blur=1,
        max_blur=max_blur,
    )
    picture: np.ndarray = blurred[:-1].astype(np.float32) / 255
    return picture
