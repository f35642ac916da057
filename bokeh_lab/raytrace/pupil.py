"""The opening of a lens as rays: where they pass it, and how much light each of them carries.

A lens point u is given in units of the opening, x to the right and y downwards as in the frame. A point of
the scene in front of the focus is seen at -u times its blur radius, one behind it at +u.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bokeh_core.lens.aperture import Aperture
from bokeh_core.lens.aperture_image import ApertureImage

from .grid import lens_points

FRONT, BEHIND = 0, 1
"""Sides of the focal plane."""

Span = tuple[slice, slice]
"""Rows and columns of a frame."""

_SAMPLES_A_CELL = 8
# Through its dark parts a picture in the opening lets a thousandth of the light (docs/lenses.md).
_LEAK = 1e-3
# Length over width in the corners, less 1, at swirl 1 (docs/lenses.md).
_STRETCH = 2.0

Passing = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(x, y) in the picture of the opening, y downwards -> light that passes there."""


@dataclass(frozen=True)
class Ray:
    """A ray through the opening; what it meets in front of the focus and behind it, by side.

    Spherical aberration (`ring`) bends rays, the more so the farther from the focus they go: those of an
    evenly lit pupil land so that the light over the image of a point is as stated. No light is made.

    Attributes:
        points: lens points ((u, v), (u, v)) in units of the opening.
        light: of each side.
    """

    points: tuple[tuple[float, float], tuple[float, float]]
    light: tuple[float, float]

    @property
    def is_straight(self) -> bool:
        """Whether it is the same on both sides."""
        return self.points[FRONT] == self.points[BEHIND] and self.light[FRONT] == self.light[BEHIND]


def rays_through(aperture: Aperture, rays_across: int) -> list[Ray]:
    """Rays through the opening, as if at the middle of the frame, column by column.

    A round and even opening is sampled at the points of `lens_points`, as published. Any other is cut into
    n x n cells; the ray of a cell carries the light of all of it and passes in the middle of that light.

    Args:
        aperture: the lens; what changes over the field is not in the rays but in `Field`.
        rays_across: n.
    """
    even = aperture.ring == 0 and aperture.image is None and (aperture.blades == 0 or aperture.roundness == 1)
    if even or rays_across == 1:
        points = [(u, v) for u, v in lens_points(rays_across).tolist()]
        return [Ray((point, point), (1.0, 1.0)) for point in points]
    passing = _passing(aperture)
    front, behind = (_cells(passing, bend, rays_across) for bend in (-aperture.ring, aperture.ring))
    return [
        Ray(((a[0], a[1]), (b[0], b[1])), (a[2], b[2]))
        for a, b in zip(front.tolist(), behind.tolist(), strict=True)
        if a[2] > 0 or b[2] > 0
    ]


def _cells(passing: Passing, bend: float, rays_across: int) -> np.ndarray:
    """Rays of all cells on one side of the focus: float64 [n n, 3], lens point (u, v) and light."""
    fine = rays_across * _SAMPLES_A_CELL
    axis = (np.arange(fine) + 0.5) / fine * 2 - 1
    # [column, row], so that rays of one column follow one another.
    u, v = np.meshgrid(axis, axis, indexing="ij")
    even = (u**2 + v**2 <= 1).astype(np.float64)
    landed = _bent(np.hypot(u, v).clip(max=1.0), bend) / np.hypot(u, v)
    u, v = u * landed, v * landed
    light = even * passing(-u, -v)
    shape = (rays_across, _SAMPLES_A_CELL, rays_across, _SAMPLES_A_CELL)
    total = light.reshape(shape).sum((1, 3))
    middle = [(values * light).reshape(shape).sum((1, 3)) / np.maximum(total, 1e-300) for values in (u, v)]
    return np.stack([*middle, total / _SAMPLES_A_CELL**2], -1).reshape(-1, 3)


def _bent(radius: np.ndarray, b: float) -> np.ndarray:
    """Where light of an even pupil lands so that it is 1 + b (2 q^2 - 1) at the radius q.

    The share of it within q is (1 - b) q^2 + b q^4, in an even pupil q^2.
    """
    if b == 0:
        return radius
    share = radius**2
    return np.asarray(np.sqrt((np.sqrt((1 - b) ** 2 + 4 * b * share) - (1 - b)) / (2 * b)))


def _passing(aperture: Aperture) -> Passing:
    """What of an even light passes blades or a picture."""
    turn = math.radians(aperture.rotation_deg)
    if aperture.image is not None:
        return _through_picture(aperture.image, turn)
    if aperture.blades == 0 or aperture.roundness == 1:
        return lambda x, y: np.ones_like(x)
    # A corner points up; the middle of each edge lies half a sector beside one.
    edges = [math.pi / 2 + turn + (2 * k + 1) * math.pi / aperture.blades for k in range(aperture.blades)]
    inradius = math.cos(math.pi / aperture.blades)

    def within_blades(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        farthest = np.maximum.reduce([x * math.cos(angle) - y * math.sin(angle) for angle in edges])
        radius = np.hypot(x, y)
        straight = inradius * radius / np.maximum(farthest, 1e-300)
        return (radius <= straight + aperture.roundness * (1 - straight)).astype(np.float64)

    return within_blades


def _through_picture(image: ApertureImage, turn: float) -> Passing:
    """A picture whose light has its middle in the middle of the opening, and whose corners touch its rim."""
    light = image.light.astype(np.float64)
    rows, columns = np.mgrid[: light.shape[0], : light.shape[1]]
    middle_x, middle_y = ((light * (place + 0.5)).sum() / light.sum() for place in (columns, rows))
    lit = light > 0
    across, down = np.abs(columns + 0.5 - middle_x)[lit], np.abs(rows + 0.5 - middle_y)[lit]
    reach = float(np.hypot(across + 0.5, down + 0.5).max())
    # Of all the light, at the scale of the opening, whose area is pi.
    even = light.sum() / reach**2 / math.pi

    def through(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        turned_x = math.cos(turn) * x - math.sin(turn) * y
        turned_y = math.sin(turn) * x + math.cos(turn) * y
        column = np.floor(middle_x + turned_x * reach).astype(int)
        row = np.floor(middle_y + turned_y * reach).astype(int)
        inside = (column >= 0) & (column < light.shape[1]) & (row >= 0) & (row < light.shape[0])
        found = np.where(
            inside, light[row.clip(0, light.shape[0] - 1), column.clip(0, light.shape[1] - 1)], 0
        )
        return np.asarray((1 - _LEAK) * found + _LEAK * even)

    return through


def longest_stretch(swirl: float) -> float:
    """How much longer an image is in the corners than without swirl, and a fifth for what lies beyond."""
    return 1.2 * math.sqrt(1 + _STRETCH * swirl) if swirl > 0 else 1.0


@dataclass(frozen=True)
class Field:
    """What a lens does to a ray by its direction in front of the lens.

    A ray that passes the opening at u and the focal plane where pixel p sees it comes from p - u d_f far
    away, at disparity 0. Counted from the middle of the frame, over half a diagonal, that is its height h.

    Attributes:
        cat_eye, swirl: of the lens.
        far_px: float32 [H, W, 2], p, counted from the middle of the frame, over half a diagonal.
        to_field: (x, y), what a lens point times this takes off `far_px`.
        softness: width of the barrel's rim in units of the opening, as rays are that far apart.
    """

    cat_eye: float
    swirl: float
    far_px: Tensor
    to_field: tuple[float, float]
    softness: float

    @classmethod
    def of(
        cls,
        aperture: Aperture,
        size: tuple[int, int],
        axes_px: tuple[float, float],
        focal_disparity: float,
        rays_across: int,
        device: torch.device,
    ) -> "Field | None":
        """The field of a frame [H, W]; None where the lens is the same all over it.

        Args:
            axes_px: K along x and along y, px for a disparity of 1 and the rim of the opening.
        """
        if aperture.cat_eye == 0 and aperture.swirl == 0:
            return None
        half = math.hypot(*size) / 2
        y, x = (torch.arange(side, dtype=torch.float32) + 0.5 - side / 2 for side in size)
        far_px = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1) / half
        to_field = (axes_px[0] * focal_disparity / half, axes_px[1] * focal_disparity / half)
        return cls(aperture.cat_eye, aperture.swirl, far_px.to(device), to_field, 2 / rays_across)

    def _height(self, u: float, v: float, area: Span) -> tuple[Tensor, Tensor]:
        """Components of h, [h', w'] each."""
        far_px = self.far_px[area]
        return far_px[..., 0] - u * self.to_field[0], far_px[..., 1] - v * self.to_field[1]

    def light(self, u: float, v: float, area: Span) -> Tensor | float:
        """What the barrel lets pass of a ray through a lens point: float32 [h', w'] of an area.

        The barrel is a rim of the size of the opening in front of it, met by a ray of height h at u + c h.
        """
        if self.cat_eye == 0:
            return 1.0
        x, y = self._height(u, v, area)
        margin = 1 - torch.hypot(u + self.cat_eye * x, v + self.cat_eye * y)
        return (0.5 + margin / self.softness).clamp_(0, 1)

    def stretched(self, u: float, v: float, area: Span) -> tuple[Tensor | float, Tensor | float]:
        """The lens point whose displacement a ray has, by astigmatism: float32 [h', w'] along x and y.

        The image is 1 + 2 s h^2 times as long around the middle as towards it; its area stays.
        """
        if self.swirl == 0:
            return u, v
        x, y = self._height(u, v, area)
        square = x.square() + y.square()
        length = (1 + _STRETCH * self.swirl * square).sqrt()
        # Along the unit vector away from the middle 1 / length, across it length.
        along = (u * x + v * y) / square.clamp(min=1e-12) * (1 / length - length)
        return length * u + along * x, length * v + along * y
