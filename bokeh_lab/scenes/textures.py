"""Procedural surfaces: noise, tiles, cloth, writing, lights at night, and specular highlights.

Every surface is a function (height, width, draws) -> float32 [3, h, w] in [0, 1]. Patterns are laid out in
fractions of the width, so that the same draws give the same surface in another size.
"""

import colorsys
import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .canvas import Canvas, Rgb
from .draws import Draws

Surface = Callable[[int, int, Draws], Tensor]

_SAMPLES_ACROSS = 3
_FINEST_NOISE_CELLS = 512
# Finer periodic patterns beat against the pixel grid as soon as they move.
_SMALLEST_PERIOD_PX = 5


def random_color(draws: Draws, *, value: tuple[float, float] = (0.15, 0.95)) -> Rgb:
    """A colour of any hue, with the given range of brightness (HSV value)."""
    return colorsys.hsv_to_rgb(draws.uniform(0, 1), draws.uniform(0.05, 0.8), draws.uniform(*value))


def noise(height: int, width: int, draws: Draws, *, coarsest: int = 4, falloff: float = 0.6) -> Tensor:
    """Band-limited noise [h, w] in [0, 1]: octaves from `coarsest` cells across to two pixels a cell.

    Args:
        falloff: amplitude of an octave relative to the one before.
    """
    total = torch.zeros(height, width)
    amplitude, cells = 1.0, coarsest
    while cells <= _FINEST_NOISE_CELLS:
        rows = max(round(cells * height / width), 2)
        grid = draws.numbers(rows, cells).float()[None, None] - 0.5
        # Drawn even when too fine for this size, so that what follows does not depend on the size.
        if cells <= width // 2:
            octave = F.interpolate(grid, (height, width), mode="bicubic", align_corners=True)
            total += amplitude * octave[0, 0]
        amplitude *= falloff
        cells *= 2
    spread = total.std().clamp(min=1e-6)
    return (0.5 + 0.22 * total / spread).clamp(0, 1)


def marble(height: int, width: int, draws: Draws) -> Tensor:
    """Noise that runs through three colours."""
    level = noise(height, width, draws, coarsest=draws.integer(3, 8), falloff=draws.uniform(0.55, 0.8))
    dark, middle, light = (
        torch.tensor(random_color(draws, value=value))[:, None, None]
        for value in ((0.05, 0.3), (0.3, 0.7), (0.7, 1.0))
    )
    return torch.where(
        level < 0.5, torch.lerp(dark, middle, 2 * level), torch.lerp(middle, light, 2 * level - 1)
    )


def tiles(height: int, width: int, draws: Draws) -> Tensor:
    """Bricks or tiles with joints, every one in a shade of its own."""
    across = _repeats(draws.uniform(6, 24), width)
    aspect, shift, joint = draws.choice((1.0, 2.0, 3.0)), draws.choice((0.0, 0.5)), draws.uniform(0.04, 0.1)
    base, joint_color = random_color(draws), random_color(draws, value=(0.1, 0.9))
    shades = 0.6 + 0.6 * draws.numbers(64, 64).float()
    x, y = _sample_grid(height, width)
    v = y * across * aspect
    row = v.floor()
    u = x * across + shift * (row % 2)
    column = u.floor()
    inside = ((u - column) > joint) & ((v - row) > joint * aspect)
    shade = shades[row.long() % 64, column.long() % 64]
    surface = torch.where(inside, shade * _column(base), _column(joint_color).expand(3, *shade.shape))
    return _with_grain(_averaged(surface), draws, 0.12)


def weave(height: int, width: int, draws: Draws) -> Tensor:
    """Plain-woven cloth: threads over and under each other, some of another colour."""
    across = _repeats(draws.uniform(24, 70), width)
    warp_color, weft_color, stripe_color = (random_color(draws) for _ in range(3))
    stripe = draws.integer(4, 9)
    x, y = _sample_grid(height, width)
    u, v = x * across, y * across
    column, row = u.floor(), v.floor()
    warp_on_top = (column + row) % 2 == 0
    # A thread is a cylinder: dark where it dives below its neighbours.
    round_warp = torch.sin(math.pi * (u - column)) * (0.6 + 0.4 * torch.sin(math.pi * (v - row)))
    round_weft = torch.sin(math.pi * (v - row)) * (0.6 + 0.4 * torch.sin(math.pi * (u - column)))
    warp = torch.where(column % stripe == 0, _column(stripe_color), _column(warp_color))
    weft = torch.where(row % stripe == 0, _column(stripe_color), _column(weft_color))
    surface = torch.where(warp_on_top, warp * (0.35 + 0.65 * round_warp), weft * (0.35 + 0.65 * round_weft))
    return _with_grain(_averaged(surface), draws, 0.1)


def writing(height: int, width: int, draws: Draws) -> Tensor:
    """Lines of strokes that look like writing, in high contrast."""
    dark_on_light = draws.chance(0.7)
    paper = random_color(draws, value=(0.8, 1.0) if dark_on_light else (0.02, 0.2))
    ink = random_color(draws, value=(0.0, 0.25) if dark_on_light else (0.8, 1.0))
    line_height = draws.uniform(0.035, 0.09)
    stroke = line_height * draws.uniform(0.08, 0.14)
    canvas = Canvas(height, width)
    y = line_height
    while y < height / width:
        x = draws.uniform(0.02, 0.06)
        end = draws.uniform(0.7, 0.97)
        while x < end:
            glyph_width = line_height * draws.uniform(0.35, 0.6)
            for _ in range(draws.integer(2, 3)):
                corners = draws.numbers(3, 2).numpy() * [glyph_width, 0.7 * line_height]
                points = (corners + np.array([x, y - 0.7 * line_height])) * width
                canvas.ribbon(points, np.full(3, stroke * width), ink)
            x += glyph_width + line_height * (0.5 if draws.chance(0.18) else 0.15)
        y += line_height * 1.35
    return over(canvas.picture(), _with_grain(_column(paper).expand(3, height, width), draws, 0.06))


def night(height: int, width: int, draws: Draws) -> Tensor:
    """A dark view with small coloured lights and lit windows."""
    glow = noise(height, width, draws, coarsest=3, falloff=0.4)
    sky = _column(random_color(draws, value=(0.04, 0.16))) * (0.4 + glow)
    canvas = Canvas(height, width)
    lamp_colors = [random_color(draws, value=(0.9, 1.0)) for _ in range(4)]
    for _ in range(draws.integer(20, 60)):
        x, y = (draws.numbers(2) * torch.tensor([width, height])).tolist()
        half_width, half_height = (width * draws.uniform(0.002, 0.006) for _ in range(2))
        color = scaled(draws.choice(lamp_colors), draws.uniform(0.3, 0.7))
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.array([half_width, half_height])
        canvas.polygon(corners + np.array([x, y]), color)
    for _ in range(draws.integer(60, 160)):
        x, y = (draws.numbers(2) * torch.tensor([width, height])).tolist()
        radius = draws.uniform(0.0008, 0.003) * width
        canvas.disk(x, y, max(radius, 0.6), draws.choice(lamp_colors))
    return over(canvas.picture(), sky.clamp(0, 1))


SURFACES: tuple[Surface, ...] = (marble, tiles, weave, writing)
"""Those that suit any object."""


def with_highlights(picture: Tensor, draws: Draws, count: int) -> Tensor:
    """Add specular highlights: near-white points with a radius of 0.6 to 2 px, where the picture is opaque.

    Args:
        picture: [3, h, w] or [4, h, w] with straight alpha.
    """
    height, width = picture.shape[-2:]
    canvas = Canvas(height, width)
    for _ in range(count):
        x, y = (draws.numbers(2) * torch.tensor([width, height])).tolist()
        tint = tuple(draws.uniform(0.93, 1.0) for _ in range(3))
        canvas.disk(x, y, draws.uniform(0.6, 2.0), (tint[0], tint[1], tint[2]))
    return torch.cat([over(canvas.picture(), picture[:3]), picture[3:]])


def over(front: Tensor, back: Tensor) -> Tensor:
    """Composite [4, h, w] with straight alpha over an opaque [3, h, w]."""
    return front[:3] * front[3:] + back * (1 - front[3:])


def scaled(color: Rgb, factor: float) -> Rgb:
    """A colour made darker or lighter, within [0, 1]."""
    red, green, blue = (min(max(part * factor, 0.0), 1.0) for part in color)
    return red, green, blue


def _with_grain(surface: Tensor, draws: Draws, amount: float) -> Tensor:
    height, width = surface.shape[-2:]
    grain = noise(height, width, draws, coarsest=16, falloff=0.9)
    return (surface * (1 + amount * (2 * grain - 1))).clamp(0, 1)


def _column(color: Rgb) -> Tensor:
    return torch.tensor(color)[:, None, None]


def _repeats(across: float, width: int) -> float:
    return min(across, width / _SMALLEST_PERIOD_PX)


def _sample_grid(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Coordinates [3 h, 3 w] in fractions of the width, at 3 x 3 samples a pixel."""
    n = _SAMPLES_ACROSS
    y, x = torch.meshgrid(torch.arange(height * n), torch.arange(width * n), indexing="ij")
    return (x + 0.5) / (width * n), (y + 0.5) / (width * n)


def _averaged(samples: Tensor) -> Tensor:
    return F.avg_pool2d(samples[None], _SAMPLES_ACROSS)[0].clamp(0, 1)
