"""A scene that shows what a lens does: the bundled clip's garage at night, lit by lamps brighter than white.

The photograph is darkened, and lamps are hung up behind the motorcycle and laid before it, each at its own
disparity, hidden by what is nearer, and lighting what is around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bokeh_core.disparity.files import open_depth_maps
from bokeh_core.video_io import VideoFile

from .environment import PACK

CLIP = PACK / "web" / "clips" / "motorcycle.mp4"
CLIP_DEPTH = PACK / "assets" / "motorcycle" / "disparity"
GAMMA = 2.2

Rgb = tuple[float, float, float]
_WARM: tuple[Rgb, ...] = ((1.0, 0.62, 0.28), (1.0, 0.7, 0.36), (1.0, 0.55, 0.22), (1.0, 0.8, 0.5))
_NIGHT = (0.035, 0.05, 0.09)
_LAMP_RADIUS_PX = 1.3
# How far a lamp lights its surroundings, across the frame and in disparity.
_REACH_PX, _REACH_DISPARITY = 60.0, 0.11


@dataclass(frozen=True)
class _Lamp:
    x: float
    y: float
    disparity: float
    light: np.ndarray


@dataclass(frozen=True)
class _String:
    """Lamps on a cord: its ends in px, how far it sags, disparity of its ends, lamps and their light."""

    start: tuple[float, float]
    end: tuple[float, float]
    sag_px: float
    disparity: tuple[float, float]
    lamps: int
    light: float

    def hung(self, random: np.random.Generator) -> list[_Lamp]:
        """Its lamps, none quite like another."""
        found = []
        for t in np.linspace(0, 1, self.lamps):
            x, y = (a + (b - a) * t + random.normal(0, 2) for a, b in zip(self.start, self.end, strict=True))
            near = self.disparity[0] + (self.disparity[1] - self.disparity[0]) * t
            color = np.array(_WARM[random.integers(len(_WARM))])
            lamp = _Lamp(
                x, y + self.sag_px * 4 * t * (1 - t), near, self.light * random.uniform(0.7, 1.2) * color
            )
            found.append(lamp)
        return found


_STRINGS = (
    _String((-10, 14), (330, 10), 42, (0.03, 0.10), 16, 80),
    _String((322, 12), (730, 26), 36, (0.24, 0.27), 18, 80),
    _String((-10, 74), (310, 72), 40, (0.02, 0.08), 13, 60),
    _String((330, 142), (720, 130), 22, (0.27, 0.27), 14, 50),
)
# On the floor in front: x, y.
_BEFORE = ((24, 352), (42, 424), (540, 468), (652, 458), (688, 404))
# A town beyond the door: x, y, colour.
_BEYOND = ((210, 60, (0.4, 0.7, 1.0)), (176, 42, (1.0, 0.25, 0.2)), (236, 36, (0.3, 1.0, 0.6)))


def garage_at_night() -> tuple[Tensor, Tensor]:
    """The first frame of the clip with its lamps: display values [1, H, W, 3] and disparity [1, H, W]."""
    random = np.random.default_rng(3)
    lamps = [lamp for string in _STRINGS for lamp in string.hung(random)]
    for x, y in _BEFORE:
        lamps.append(_Lamp(x, y, 1.0, 30 * np.array(_WARM[random.integers(len(_WARM))])))
    lamps += [_Lamp(x, y, 0.01, 50 * np.array(color)) for x, y, color in _BEYOND]
    light = next(iter(VideoFile(CLIP).frames())).numpy().astype(np.float64) ** GAMMA
    disparity = next(iter(open_depth_maps(CLIP_DEPTH).frames())).float().numpy().copy()
    light *= _lit(lamps, disparity)
    behind = disparity.copy()
    for lamp in lamps:
        _draw(lamp, light, disparity, behind)
    return torch.from_numpy(light ** (1 / GAMMA)).float()[None], torch.from_numpy(disparity)[None]


def _lit(lamps: list[_Lamp], disparity: np.ndarray) -> np.ndarray:
    """How much light falls on each pixel, of what fell in the photograph: [H, W, 3]."""
    y, x = np.mgrid[: disparity.shape[0], : disparity.shape[1]]
    falling = np.zeros((*disparity.shape, 3)) + np.array(_NIGHT)
    for lamp in lamps:
        across = ((x - lamp.x) ** 2 + (y - lamp.y) ** 2) / _REACH_PX**2
        away = ((disparity - lamp.disparity) / _REACH_DISPARITY) ** 2
        falling += 0.0019 * lamp.light / (1 + across + away)[..., None]
    return falling


def _draw(lamp: _Lamp, light: np.ndarray, disparity: np.ndarray, behind: np.ndarray) -> None:
    """Put a lamp into light and disparity, where nothing of the photograph is nearer."""
    height, width = disparity.shape
    for row in range(max(int(lamp.y) - 4, 0), min(int(lamp.y) + 5, height)):
        for column in range(max(int(lamp.x) - 4, 0), min(int(lamp.x) + 5, width)):
            distance = math.hypot(column - lamp.x, row - lamp.y)
            share = min(max(_LAMP_RADIUS_PX + 0.5 - distance, 0.0), 1.0)
            if share == 0 or behind[row, column] > lamp.disparity + 0.02:
                continue
            light[row, column] += share * (lamp.light - light[row, column])
            if share > 0.3:
                disparity[row, column] = lamp.disparity
