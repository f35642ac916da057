"""Scenes of solid things by kind and seed, with what blur makes hard: thin, near, slanted, curved, bright."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ..scenes.draws import Draws
from ..scenes.library import AssetLibrary
from ..scenes.textures import SURFACES, marble, night, random_color
from .solids import Lamp, Panel, Solid, ball, blade, box, grid, sheet, together, tube

_SKY = 1e4
_SURFACE_PX = 384
_BARK_PX = 48


@dataclass(frozen=True)
class SolidScene:
    """What stands before the camera.

    Attributes:
        solids, lamps, panels: see there.
        field_of_view_deg: across the frame.
        focus_z: distance of the focal plane.
        strength: greatest blur radius in px of a frame 1024 px wide, of the nearest or the farthest thing.
    """

    solids: tuple[Solid, ...]
    lamps: tuple[Lamp, ...]
    field_of_view_deg: float
    focus_z: float
    strength: float
    panels: tuple[Panel, ...] = ()


STRENGTHS = (14.0, 28.0, 46.0)
"""Greatest blur radius in px of a frame 1024 px wide: 6, 12 and 20 px at 448."""


def make_solid_scene(seed: int, library: AssetLibrary, kind: str | None = None) -> SolidScene:
    """Draw a scene; kinds and strengths take turns with the seed.

    The same seed and library give the same scene on every machine. Distances are from about 1 to 10000; the
    focus lies on one of its things.

    Args:
        kind: of `KINDS` or `MORE_KINDS`; None = that of the seed.
    """
    kind = kind or tuple(KINDS)[seed % len(KINDS)]
    strength = STRENGTHS[seed // len(KINDS) % len(STRENGTHS)]
    stage = _Stage(Draws.named("mitsuba", kind, seed), library)
    focus_z = (KINDS | MORE_KINDS)[kind](stage)
    return SolidScene(
        tuple(stage.solids),
        tuple(stage.lamps),
        stage.field_of_view_deg,
        focus_z,
        strength,
        tuple(stage.panels),
    )


class _Stage:
    """A scene while it is built."""

    def __init__(self, draws: Draws, library: AssetLibrary) -> None:
        self.draws = draws
        self.library = library
        self.solids: list[Solid] = []
        self.lamps: list[Lamp] = []
        self.panels: list[Panel] = []
        self.field_of_view_deg = draws.uniform(35, 60)
        self.slope = math.tan(math.radians(self.field_of_view_deg / 2))

    def add(self, *solids: Solid) -> None:
        """Put solids on the stage."""
        self.solids.extend(solids)

    def at(self, x: float, y: float, z: float) -> np.ndarray:
        """The point at a distance that is seen at (x, y), in half widths of the frame from its middle."""
        return np.array([x * self.slope * z, y * self.slope * z, z])

    def photograph(self) -> Tensor:
        """One of the library."""
        return self.library.picture(self.draws.choice(self.library.files("background")))[:3]

    def surface(self) -> Tensor:
        """A pattern of fine detail."""
        return self.draws.choice(SURFACES)(_SURFACE_PX, _SURFACE_PX, self.draws)

    def lit(self, picture: Tensor, *, darkest: float = 0.25) -> Tensor:
        """A picture for a round body, darker to its lower border."""
        shade = torch.linspace(1, darkest, picture.shape[1])[None, :, None]
        return picture * shade

    def bark(self, *, value: tuple[float, float] = (0.05, 0.9)) -> Tensor:
        """A picture for a thin thing: one colour with a grain, darker to one side."""
        grain = marble(_BARK_PX * 4, _BARK_PX, self.draws).mean(0)
        color = torch.tensor(random_color(self.draws, value=value))[:, None, None]
        across = 0.6 + 0.4 * torch.cos(torch.linspace(-1.4, 1.4, _BARK_PX))
        return (color * (0.6 + 0.8 * grain) * across).clamp(0, 1)

    def backdrop(self, z: float, picture: Tensor) -> None:
        """A wall behind everything that fills more than the frame, or the sky."""
        half = 1.5 * self.slope * z
        width, height = 2 * half, 2 * half * picture.shape[1] / picture.shape[2]
        if height < 1.4 * half:
            width, height = width * 1.4 * half / height, 1.4 * half
        self.add(sheet((-width / 2, -height / 2, z), (width, 0, 0), (0, height, 0), picture))

    def floor(self, y: float, near: float, far: float) -> None:
        """A level surface below the camera."""
        half = 1.6 * self.slope * far
        tiles = 12
        # A picture a tile: one over the whole floor would be coarse nearby.
        picture = self.surface()
        z = np.geomspace(near, far, tiles + 1)
        rows = []
        for z0, z1 in pairwise(z.tolist()):
            side = z1 - z0
            columns = math.ceil(min(half, 1.6 * self.slope * z1) / side)
            rows += [
                sheet((column * side, y, z1), (side, 0, 0), (0, 0, z0 - z1), picture)
                for column in range(-columns, columns)
            ]
        self.add(together(rows))

    def wire(self, start: np.ndarray, end: np.ndarray, radius: float, sag: float = 0.0) -> Solid:
        """A thin tube between two points that hangs through in its middle."""
        t = np.linspace(0, 1, 24)[:, None]
        path = start + (end - start) * t
        path[:, 1] += sag * 4 * (t * (1 - t))[:, 0]
        return tube(path, np.full(24, radius), self.bark(), sides=8)


def _wires(stage: _Stage) -> float:
    draws = stage.draws
    stage.backdrop(_SKY if draws.chance(0.5) else draws.uniform(25, 60), stage.photograph())
    depths = [draws.log_uniform(1.5, 12) for _ in range(7)]
    for z in depths:
        y = draws.uniform(-0.5, 0.45)
        stage.add(
            stage.wire(
                stage.at(-1.3, y, z),
                stage.at(1.3, y + draws.uniform(-0.4, 0.4), z * draws.uniform(0.8, 1.3)),
                z * stage.slope * draws.log_uniform(0.0008, 0.006),
                draws.uniform(0, 0.15) * z * stage.slope,
            )
        )
    pole_z = draws.uniform(3, 6)
    foot, top = (
        stage.at(draws.uniform(-0.7, 0.7), 0.8, pole_z),
        stage.at(draws.uniform(-0.7, 0.7), -0.8, pole_z),
    )
    stage.add(tube(np.linspace(foot, top, 12), np.full(12, 0.02 * pole_z * stage.slope), stage.bark()))
    house = stage.at(draws.uniform(-0.9, 0.2), draws.uniform(-0.1, 0.1), draws.uniform(9, 14))
    stage.add(*box(house, house + np.array([3.0, 6.0, 3.0]), stage.surface()))
    return draws.choice([*depths, pole_z, float(house[2])])


def _blades(stage: _Stage) -> float:
    draws = stage.draws
    stage.backdrop(draws.uniform(18, 40), stage.photograph())
    ground = draws.uniform(0.5, 0.8)
    stage.floor(ground, 1.2, 18)
    for _ in range(5):
        picture, blades = stage.bark(value=(0.25, 0.9)), []
        for _ in range(30):
            z = draws.log_uniform(1.6, 9)
            root = np.array([draws.uniform(-1.2, 1.2) * stage.slope * z, ground, z])
            height, bend = draws.uniform(0.25, 0.7), draws.uniform(-0.3, 0.3)
            t = np.linspace(0, 1, 10)
            path = root + np.stack([bend * t**2, -height * t, 0.1 * bend * t], 1)
            blades.append(blade(path, draws.uniform(0.01, 0.03) * (1 - 0.9 * t), picture))
        stage.add(together(blades))
    ball_z = draws.uniform(3, 6)
    stage.add(ball(stage.at(draws.uniform(-0.5, 0.5), 0.1, ball_z), 0.5, stage.lit(stage.surface())))
    return draws.choice([ball_z, draws.uniform(2, 6)])


def _overlap(stage: _Stage) -> float:
    draws = stage.draws
    stage.backdrop(draws.uniform(12, 30), stage.photograph())
    stage.floor(1.0, 1.5, 14)
    depths = []
    for i in range(7):
        z = 2.0 + 0.7 * i + draws.uniform(-0.2, 0.2)
        depths.append(z)
        middle = stage.at(draws.uniform(-0.7, 0.7), draws.uniform(-0.25, 0.3), z)
        size = draws.uniform(0.25, 0.6)
        if draws.chance(0.5):
            stage.add(ball(middle, size, stage.lit(stage.surface())))
        else:
            stage.add(*box(middle - size, middle + size, stage.surface()))
    return draws.choice(depths)


def _floor(stage: _Stage) -> float:
    draws = stage.draws
    stage.backdrop(_SKY, stage.photograph())
    ground = draws.uniform(0.6, 1.0)
    stage.floor(ground, 1.0, 120)
    depths = []
    for _ in range(6):
        z = draws.log_uniform(2, 20)
        depths.append(z)
        height = draws.uniform(0.3, 1.2)
        x = draws.uniform(-0.9, 0.9) * stage.slope * z
        stage.add(*box((x, ground - height, z), (x + height / 2, ground, z + height / 2), stage.surface()))
    return draws.choice(depths)


def _bodies(stage: _Stage) -> float:
    draws = stage.draws
    stage.backdrop(draws.uniform(8, 16), stage.surface())
    depths = []
    for _ in range(5):
        z = draws.uniform(2.2, 6)
        depths.append(z)
        size = draws.uniform(0.4, 0.9)
        stage.add(
            ball(
                stage.at(draws.uniform(-0.8, 0.8), draws.uniform(-0.4, 0.4), z),
                size,
                stage.lit(stage.surface()),
            )
        )
    z = draws.uniform(3, 5)
    pillar = np.linspace(stage.at(0.4, -1, z), stage.at(0.6, 1, z + 1), 16)
    stage.add(tube(pillar, np.full(16, 0.35), stage.surface(), sides=48))
    t = np.linspace(-1.6, 1.6, 40)
    wall = np.stack([stage.slope * 5 * t, np.full_like(t, -1.5), 6 + np.sin(3 * t)], 1)
    stage.add(grid(np.stack([wall, wall + np.array([0.0, 2.2, 0.0])]), stage.surface()))
    return draws.choice([*depths, z])


def _fence(stage: _Stage) -> float:
    draws = stage.draws
    stage.backdrop(_SKY, stage.photograph())
    stage.floor(0.9, 1.2, 60)
    fence_z, bars = draws.uniform(1.4, 2.5), []
    spacing, radius = draws.uniform(0.09, 0.2), draws.uniform(0.004, 0.014)
    count = math.ceil(1.2 / spacing)
    picture = stage.bark()
    for i in range(-count, count + 1):
        for lean in (-0.35, 0.35):
            middle = i * spacing
            ends = stage.at(middle - lean, -0.7, fence_z), stage.at(middle + lean, 0.7, fence_z)
            bars.append(
                tube(np.linspace(*ends, 8), np.full(8, radius * fence_z * stage.slope), picture, sides=8)
            )
    stage.add(together(bars))
    depths = [fence_z]
    for _ in range(4):
        z = draws.uniform(4, 10)
        depths.append(z)
        stage.add(
            ball(
                stage.at(draws.uniform(-0.8, 0.8), draws.uniform(-0.2, 0.3), z),
                0.8,
                stage.lit(stage.surface()),
            )
        )
    return draws.choice(depths)


def _leaves(stage: _Stage) -> float:
    draws = stage.draws
    stage.backdrop(_SKY if draws.chance(0.5) else draws.uniform(15, 40), stage.photograph())
    for i in range(4):
        z = (1.3, 2.2, 4.0, 7.0)[i] * draws.uniform(0.9, 1.1)
        picture, leaves = stage.lit(stage.surface(), darkest=0.5), []
        for _ in range(14):
            middle = stage.at(draws.uniform(-1, 1), draws.uniform(-0.6, 0.6), z * draws.uniform(0.9, 1.1))
            angle, size = draws.uniform(0, 2 * math.pi), z * stage.slope * draws.uniform(0.06, 0.16)
            direction = np.array([math.cos(angle), math.sin(angle), 0.3])
            t = np.linspace(-1, 1, 14)
            leaves.append(blade(middle + size * t[:, None] * direction, 0.7 * size * (1 - t**2), picture))
            stage.add(stage.wire(middle - size * direction, middle - 2.5 * size * direction, 0.03 * size))
        stage.add(together(leaves))
    body_z = draws.uniform(2.5, 6)
    stage.add(ball(stage.at(draws.uniform(-0.5, 0.5), 0.0, body_z), 0.7, stage.lit(stage.photograph())))
    return draws.choice([body_z, 2.2, 4.0])


def _lamps(stage: _Stage) -> float:
    draws = stage.draws
    stage.backdrop(draws.uniform(20, 40), night(_SURFACE_PX, 2 * _SURFACE_PX, draws) * 0.6)
    stage.floor(0.9, 1.2, 40)
    for _ in range(24):
        z = draws.log_uniform(3, 18)
        red, green, blue = random_color(draws, value=(0.8, 1.0))
        light = draws.log_uniform(2, 80)
        middle = stage.at(draws.uniform(-1.1, 1.1), draws.uniform(-0.6, 0.2), z)
        x, y, z = (float(part) for part in middle)
        radius = z * stage.slope * draws.uniform(0.003, 0.008)
        stage.lamps.append(Lamp((x, y, z), radius, (red * light, green * light, blue * light)))
    depths = []
    for _ in range(5):
        z = draws.uniform(1.6, 6)
        depths.append(z)
        foot = stage.at(draws.uniform(-0.9, 0.9), 0.8, z)
        top = foot + np.array([0.0, -1.6 * stage.slope * z, 0.0])
        stage.add(tube(np.linspace(foot, top, 12), np.full(12, 0.012 * z), stage.bark()))
    body_z = draws.uniform(2.2, 5)
    stage.add(ball(stage.at(draws.uniform(-0.5, 0.5), 0.15, body_z), 0.5, stage.lit(stage.surface())))
    return draws.choice([*depths, body_z])


def _glossy(stage: _Stage) -> float:
    draws = stage.draws
    stage.backdrop(draws.uniform(8, 16), stage.surface() * 0.5)
    stage.floor(0.9, 1.2, 16)
    depths = []
    for _ in range(6):
        z = draws.uniform(2.2, 7)
        depths.append(z)
        middle = stage.at(draws.uniform(-0.8, 0.8), draws.uniform(-0.35, 0.3), z)
        body = ball(middle, draws.uniform(0.25, 0.6), stage.lit(stage.surface() * 0.7))
        stage.add(replace(body, roughness=draws.uniform(0.05, 0.2)))
    z = draws.uniform(3, 5)
    pillar = np.linspace(stage.at(0.4, -1, z), stage.at(0.6, 1, z + 1), 16)
    pole = tube(pillar, np.full(16, 0.2), stage.surface() * 0.7, sides=48)
    stage.add(replace(pole, roughness=draws.uniform(0.05, 0.2)))
    for _ in range(3):
        place = (draws.uniform(-4, 4), draws.uniform(-4, -2), draws.uniform(-3, 1))
        stage.panels.append(Panel(place, (0.0, 0.0, 4.0), draws.uniform(0.3, 0.8), draws.uniform(200, 600)))
    return draws.choice(depths)


KINDS: dict[str, Callable[[_Stage], float]] = {
    "wires": _wires,
    "blades": _blades,
    "overlap": _overlap,
    "floor": _floor,
    "bodies": _bodies,
    "fence": _fence,
    "leaves": _leaves,
    "lamps": _lamps,
}
"""What draws each kind of scene and says where its focus lies."""

MORE_KINDS: dict[str, Callable[[_Stage], float]] = {"glossy": _glossy}
"""Kinds that take no turn: seeds keep their scenes."""
