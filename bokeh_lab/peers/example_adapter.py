"""How to add a renderer: copy this file, change `render`, and name it as `example_adapter.py:render`.

The example runs a network of yours that was saved with `torch.export.save`, at the path that the environment
variable BOKEH_NETWORK names. It is called once for each frame as

    bokeh = network(image, disparity, focal_disparity, blur_strength_px)

with image float32 [1, 3, H, W] in [0, 1], disparity float32 [1, 1, H, W] in [0, 1] (1 = near),
focal_disparity and blur_strength_px float32 [1] (K, px of blur radius per unit of disparity), and returns the
blurred image [1, 3, H, W] in [0, 1]. Export it for H and W of the clip, or with both dynamic.
"""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from bokeh_lab.peers.renderer import BokehTask

NETWORK = "BOKEH_NETWORK"


@torch.no_grad()
def render(task: BokehTask) -> Tensor:
    """Blur a clip frame by frame; returns float32 [T, H, W, 3] in [0, 1].

    Raises:
        ValueError: BOKEH_NETWORK names no file.
    """
    path = os.environ.get(NETWORK, "")
    if not pathlib.Path(path).is_file():
        raise ValueError(
            f"{NETWORK} is {path!r}; set it to the path of a network saved with torch.export.save."
        )
    network = torch.export.load(path).module().to(task.device)
    frames = task.frames.to(task.device).permute(0, 3, 1, 2)  # THWC -> TCHW
    disparity = task.disparity.to(task.device)[:, None]
    focal_disparity, blur_strength_px = (
        task.focal_disparity.to(task.device),
        task.blur_strength_px.to(task.device),
    )
    blurred = [
        network(
            frames[t : t + 1], disparity[t : t + 1], focal_disparity[t : t + 1], blur_strength_px[t : t + 1]
        )
        for t in range(len(frames))
    ]
    return torch.cat(blurred).permute(0, 2, 3, 1).clamp(0, 1)  # TCHW -> THWC
