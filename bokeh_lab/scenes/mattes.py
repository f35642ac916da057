"""Procedural cut-outs whose alpha is hard to get right: hair, wires, twigs, soft blobs.

Every cut-out is a function (size_px, draws) -> float32 [4, h, w] in [0, 1], RGB and straight alpha, with
max(h, w) = size_px. The widths of strands and wires are in pixels.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .canvas import Rgb, Sketch
from .draws import Draws
from .textures import SURFACES, random_color, scaled

Matte = Callable[[int, Draws], Tensor]

STRAND_WIDTH_PX = (0.6, 2.0)
"""Width of a strand of hair at its root."""

_TIP_WIDTH_PX = 0.3
_STRAND_POINTS = 12


def strand_widths(root_width_px: float, num_points: int) -> np.ndarray:
    """Width of a strand at evenly spaced points: w(s) = tip + (root - tip) (1 - s)^0.7, s from 0 to 1."""
    s = np.linspace(0, 1, num_points)
    return _TIP_WIDTH_PX + (root_width_px - _TIP_WIDTH_PX) * (1 - s) ** 0.7


def strand_path(
    root: tuple[float, float], angle: float, length: float, curl: float, fall: float, num_points: int
) -> np.ndarray:
    """Points [N, 2] of a strand of the given length, starting at its root in direction `angle` (radians).

    Args:
        curl: how far the direction turns along the strand, in radians.
        fall: 0 to 1, how much of the direction gives way to "down" at the tip.
    """
    s = np.linspace(0, 1, num_points - 1)
    direction = angle + curl * s
    step = np.stack([np.cos(direction), np.sin(direction)], axis=1)
    step = (1 - fall * s[:, None]) * step + fall * s[:, None] * np.array([0.0, 1.0])
    step /= np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-6)
    return np.concatenate([[root], root + np.cumsum(step, axis=0) * length / (num_points - 1)])


def fur(size_px: int, draws: Draws) -> Tensor:
    """A furry or long-haired body: hundreds of tapering strands around a core."""
    sketch = Sketch()
    color = random_color(draws, value=(0.2, 0.9))
    radii = np.array([draws.uniform(0.2, 0.3), draws.uniform(0.2, 0.3)])
    centre = np.array([0.5, 0.5])
    long_hair = draws.chance(0.5)
    length = draws.uniform(0.2, 0.3) if long_hair else draws.uniform(0.09, 0.16)
    fall = draws.uniform(0.5, 0.9) if long_hair else draws.uniform(0, 0.3)
    if long_hair:
        centre[1] = 0.4
    swirl = draws.uniform(-0.6, 0.6)
    angles = np.linspace(0, 2 * math.pi, 60, endpoint=False)
    outline = centre + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    sketch.polygon(centre + 0.85 * (outline - centre), scaled(color, 0.7))
    # From the middle outwards: outer strands lie in front, as on an animal seen from the side.
    for reach in (0.0, 0.3, 0.55, 0.75, 0.9):
        for _ in range(draws.integer(150, 220)):
            angle = draws.uniform(0, 2 * math.pi)
            at = centre + radii * math.sqrt(reach**2 + draws.uniform(0, 0.15)) * [
                math.cos(angle),
                math.sin(angle),
            ]
            _strand(sketch, draws, color, at, angle + swirl, length, fall)
    return sketch.picture(size_px)


def grass(size_px: int, draws: Draws) -> Tensor:
    """A tuft of blades that spread upwards from the ground."""
    sketch = Sketch()
    color = random_color(draws, value=(0.3, 0.9)) if draws.chance(0.4) else (0.35, 0.55, 0.15)
    spread, lean = draws.uniform(0.3, 0.9), draws.uniform(-0.3, 0.3)
    for _ in range(draws.integer(200, 320)):
        offset = draws.uniform(-1, 1)
        root = np.array([0.5 + 0.3 * offset, draws.uniform(0.9, 0.97)])
        angle = -math.pi / 2 + spread * offset + lean
        _strand(sketch, draws, color, root, angle, draws.uniform(0.35, 0.75), 0.35)
    return sketch.picture(size_px)


def dandelion(size_px: int, draws: Draws) -> Tensor:
    """A seed head on a stalk: straight thin rays with a tuft at each end."""
    sketch = Sketch()
    color = random_color(draws, value=(0.75, 1.0))
    centre = np.array([0.5, 0.38])
    stalk = strand_path((0.5, 0.38), math.pi / 2, 0.58, draws.uniform(-0.3, 0.3), 0.0, 12)
    sketch.ribbon(stalk, np.full(12, draws.uniform(2, 4)), (0.35, 0.45, 0.2))
    for _ in range(draws.integer(70, 130)):
        angle, reach = draws.uniform(0, 2 * math.pi), draws.uniform(0.15, 0.3)
        end = centre + reach * np.array([math.cos(angle), math.sin(angle)])
        shade = scaled(color, draws.uniform(0.8, 1.1))
        sketch.ribbon(np.stack([centre, end]), np.array([0.7, 0.7]), shade)
        for tuft in np.linspace(-1.1, 1.1, 7):
            tip = end + 0.045 * np.array([math.cos(angle + tuft), math.sin(angle + tuft)])
            sketch.ribbon(np.stack([end, tip]), np.array([0.7, 0.45]), shade)
    sketch.disk(centre[0], centre[1], 0.03, (0.35, 0.28, 0.15))
    return sketch.picture(size_px)


def wheel(size_px: int, draws: Draws) -> Tensor:
    """A rim with thin spokes and a hub."""
    sketch = Sketch()
    rim_color, metal = random_color(draws, value=(0.1, 0.9)), random_color(draws, value=(0.5, 0.95))
    middle = np.array([0.5, 0.5])
    angles = np.linspace(0, 2 * math.pi, 97)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    spokes, crossing = draws.integer(14, 40), draws.uniform(0, 0.5)
    for i in range(spokes):
        at_rim = 2 * math.pi * i / spokes
        at_hub = at_rim + crossing * (-1) ** i
        ends = [[0.05 * math.cos(at_hub), 0.05 * math.sin(at_hub)]]
        ends.append([0.44 * math.cos(at_rim), 0.44 * math.sin(at_rim)])
        sketch.ribbon(middle + ends, _even(draws), scaled(metal, draws.uniform(0.6, 1.1)))
    rim_px = draws.uniform(0.012, 0.035) * size_px
    sketch.ribbon(middle + 0.45 * circle, np.full(97, rim_px), rim_color)
    sketch.ribbon(middle + 0.425 * circle, np.full(97, 1.5), scaled(rim_color, 1.5))
    sketch.disk(middle[0], middle[1], 0.06, scaled(metal, 0.7))
    return sketch.picture(size_px)


def lattice(size_px: int, draws: Draws) -> Tensor:
    """A wire fence: two crossing families of slightly bent wires in a frame."""
    sketch = Sketch()
    metal = random_color(draws, value=(0.3, 0.95))
    spacing, turn = draws.uniform(0.05, 0.12), draws.choice((0.0, math.pi / 4, draws.uniform(0, 1.5)))
    low, high = 0.05, 0.95
    s = np.linspace(-0.7, 0.7, 40)
    for direction in (turn, turn + math.pi / 2):
        along = np.array([math.cos(direction), math.sin(direction)])
        across = np.array([-along[1], along[0]])
        for offset in np.arange(-0.7, 0.7, spacing):
            bend = (
                0.15 * spacing * np.sin(2 * math.pi * s / (2 * spacing) + math.pi * round(offset / spacing))
            )
            path = 0.5 + s[:, None] * along + (offset + bend)[:, None] * across
            inside = ((path > low) & (path < high)).all(axis=1)
            width = draws.uniform(0.8, 2.2)
            sketch.ribbon(path[inside], np.full(inside.sum(), width), scaled(metal, draws.uniform(0.7, 1.2)))
    corners = np.array([[low, low], [high, low], [high, high], [low, high], [low, low]])
    for start, end in pairwise(corners):
        sketch.ribbon(np.stack([start, end]), np.full(2, 0.025 * size_px), scaled(metal, 0.6))
    return sketch.picture(size_px)


def web(size_px: int, draws: Draws) -> Tensor:
    """Threads of a spider's web between its anchors."""
    sketch = Sketch()
    color = random_color(draws, value=(0.8, 1.0))
    rays = draws.integer(10, 18)
    directions = 2 * math.pi * (np.arange(rays) + 0.5 * draws.numbers(rays).numpy()) / rays
    reach = 0.36 + 0.12 * draws.numbers(rays).numpy()
    unit = np.stack([np.cos(directions), np.sin(directions)], axis=1)
    for end in 0.5 + reach[:, None] * unit:
        sketch.ribbon(np.stack([[0.5, 0.5], end]), np.array([1.4, 1.4]), color)
    for ring in np.linspace(0.12, 0.95, draws.integer(7, 14)):
        knots = 0.5 + ring * reach[:, None] * unit
        for start, end in zip(knots, np.roll(knots, -1, axis=0), strict=True):
            sagging = 0.5 * (start + end) + 0.15 * ring * (0.5 - 0.5 * (start + end)) * 0.6
            path = np.stack([start, sagging, end])
            sketch.ribbon(path, np.full(3, draws.uniform(0.7, 1.2)), color)
    return sketch.picture(size_px)


def twigs(size_px: int, draws: Draws) -> Tensor:
    """A branching plant, with leaves or bare."""
    sketch = Sketch()
    bark = scaled((0.45, 0.33, 0.22), draws.uniform(0.5, 1.3))
    leaf = random_color(draws, value=(0.4, 0.9)) if draws.chance(0.4) else (0.3, 0.55, 0.18)
    leafy = draws.chance(0.65)

    def grow(root: np.ndarray, angle: float, length: float, width_px: float, level: int) -> None:
        path = strand_path((root[0], root[1]), angle, length, draws.uniform(-0.7, 0.7), 0.0, 8)
        sketch.ribbon(path, np.linspace(width_px, 0.7 * width_px, 8), bark)
        if leafy and level >= 2:
            for _ in range(draws.integer(2, 4)):
                _leaf(sketch, draws, path[draws.integer(2, 7)], angle + draws.uniform(-1.4, 1.4), leaf)
        if level < 4:
            for _ in range(draws.integer(2, 3)):
                turned = angle + draws.uniform(-0.8, 0.8)
                grow(
                    path[draws.integer(4, 7)],
                    turned,
                    length * draws.uniform(0.6, 0.85),
                    max(0.6 * width_px, 0.8),
                    level + 1,
                )

    for _ in range(draws.integer(1, 3)):
        start = np.array([draws.uniform(0.4, 0.6), 0.97])
        grow(start, -math.pi / 2 + draws.uniform(-0.5, 0.5), draws.uniform(0.25, 0.33), 0.016 * size_px, 0)
    return sketch.picture(size_px)


def blob(size_px: int, draws: Draws) -> Tensor:
    """A round shape with a procedural surface and an edge that is soft over several pixels."""
    angles = np.linspace(0, 2 * math.pi, 180, endpoint=False)
    radius = np.ones(180)
    for harmonic in range(2, 6):
        radius += draws.uniform(0, 0.3 / harmonic) * np.cos(harmonic * angles + draws.uniform(0, 2 * math.pi))
    softness_px = draws.log_uniform(0.6, 0.02 * size_px + 1)
    sketch = Sketch()
    sketch.polygon(radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1), (1.0, 1.0, 1.0))
    # Room for the soft edge, so that it fades out before the texture ends.
    room = math.ceil(3 * softness_px)
    hard = F.pad(sketch.picture(size_px - 2 * room)[3], (room, room, room, room))
    alpha = cv2.GaussianBlur(hard.numpy(), (0, 0), softness_px)
    surface = draws.choice(SURFACES)(alpha.shape[0], alpha.shape[1], draws)
    return torch.cat([surface, torch.from_numpy(alpha)[None].clamp(0, 1)])


HAIR: tuple[Matte, ...] = (fur, fur, grass, dandelion)
THIN: tuple[Matte, ...] = (wheel, lattice, web, twigs, twigs)


def _strand(
    sketch: Sketch,
    draws: Draws,
    color: Rgb,
    root: np.ndarray,
    angle: float,
    length: float,
    fall: float,
) -> None:
    path = strand_path(
        (root[0], root[1]),
        angle + draws.uniform(-0.35, 0.35),
        length * draws.uniform(0.6, 1.2),
        draws.uniform(-0.9, 0.9),
        fall,
        _STRAND_POINTS,
    )
    widths = strand_widths(draws.uniform(*STRAND_WIDTH_PX), _STRAND_POINTS)
    sketch.ribbon(path, widths, scaled(color, draws.uniform(0.55, 1.35)))


def _leaf(sketch: Sketch, draws: Draws, stem: np.ndarray, angle: float, color: Rgb) -> None:
    length, width = draws.uniform(0.025, 0.06), draws.uniform(0.3, 0.6)
    s = np.linspace(0, 1, 9)
    half = 0.5 * width * np.sin(math.pi * s) * length
    along, across = (
        np.array([math.cos(angle), math.sin(angle)]),
        np.array([-math.sin(angle), math.cos(angle)]),
    )
    middle = stem + (s * length)[:, None] * along
    outline = np.concatenate([middle + half[:, None] * across, (middle - half[:, None] * across)[::-1]])
    sketch.polygon(outline, scaled(color, draws.uniform(0.6, 1.3)))


def _even(draws: Draws) -> np.ndarray:
    return np.full(2, draws.uniform(0.8, 1.8))
