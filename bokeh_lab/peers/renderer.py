"""The one interface of all renderers that are compared: a clip and a lens in, a clip out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ..scenes.scene import LayeredFrame


@dataclass(frozen=True)
class BokehTask:
    """A clip to render.

    Attributes:
        frames: float32 [T, H, W, 3], all in focus, display values in [0, 1].
        disparity: float32 [T, H, W] in [0, 1], 1 = near.
        focal_disparity: float32 [T] in [0, 1].
        blur_strength_px: float32 [T], K >= 0: blur radius in px of these frames per unit of disparity.
        gamma: light that adds up = display ** gamma; 1 adds display values, 2.2 linear light.
        device: where to compute.
        layers: the true layers of every frame, for renderers of the kind `given layers`; else None.
        beyond_frame: whether light from beyond the frame counts; if not, rays that leave it do not (Eq. 6).
        refined: whether the disparity is mended by the frames already.
    """

    frames: Tensor
    disparity: Tensor
    focal_disparity: Tensor
    blur_strength_px: Tensor
    gamma: float = 1.0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    layers: Sequence[LayeredFrame] | None = None
    beyond_frame: bool = False
    refined: bool = False


Render = Callable[[BokehTask], Tensor]
"""Task -> float32 [T, H, W, 3] in [0, 1]."""


@dataclass(frozen=True)
class Renderer:
    """A renderer under a name.

    Attributes:
        name: short and unique, for command lines and file names, such as "lens_blur".
        title: as tables show it.
        render: the function.
        given_layers: whether it is told the scene's layers; such renderers have a table of their own.
        missing: why it cannot run here (weights, a package), or None when it can.
        weights: its files or folders of weights by name, those that are known; other weights, other results.
    """

    name: str
    title: str
    render: Render
    given_layers: bool = False
    missing: Callable[[], str | None] = lambda: None
    weights: Callable[[], Mapping[str, Path]] = dict
