"""Lamps in a scene: what shows most of a lens."""

from dataclasses import replace

import torch
from torch import Tensor

from ..scenes.canvas import Canvas
from ..scenes.draws import Draws
from ..scenes.scene import Plane, Scene
from ..scenes.textures import random_color

# On the part of the background that a frame shows, and on a cut-out of the size of the frame.
_LAMPS = 40
_RADIUS_PX = (0.7, 1.8)


def with_lamps(scene: Scene, seed: int, light: float, gamma: float) -> Scene:
    """Put lamps of a linear light, 1 = white, on every plane of a scene, as dense on each of them."""
    planes = []
    for number, plane in enumerate(scene.planes):
        draws = Draws.named("lamps", seed, number)
        planes.append(replace(plane, texture=_lit(plane, draws, scene.height * scene.width, light, gamma)))
    return replace(scene, planes=tuple(planes))


def _lit(plane: Plane, draws: Draws, frame_px: int, light: float, gamma: float) -> Tensor:
    """A texture [4, h, w] with lamps where it is opaque."""
    height, width = plane.texture.shape[1:]
    # Texture px that a px of the frame spans.
    scale = float(torch.linalg.det(plane.placement[0, :, :2]).abs().sqrt())
    canvas = Canvas(height, width)
    for _ in range(round(_LAMPS * height * width / (frame_px * scale**2))):
        x, y = (draws.numbers(2) * torch.tensor([width, height])).tolist()
        canvas.disk(x, y, scale * draws.uniform(*_RADIUS_PX), random_color(draws, value=(1.0, 1.0)))
    lamps = canvas.picture()
    share = lamps[3] * (plane.texture[3] > 0.99)
    # Light adds up at the rim of a lamp too.
    behind, before = plane.texture[:3].clamp(min=0) ** gamma, light * lamps[:3].clamp(min=0) ** gamma
    return torch.cat([torch.lerp(behind, before, share) ** (1 / gamma), plane.texture[3:]])
