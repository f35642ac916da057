"""No blur at all: what every renderer has to beat."""

import torch
from torch import Tensor

from .renderer import BokehTask


def render(task: BokehTask) -> Tensor:
    """Return the frames as they are, float32 [T, H, W, 3]."""
    return task.frames.to(torch.float32).clone()
