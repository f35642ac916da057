"""Share of each pixel that a shape covers, computed exactly only where its outline passes, and weighted."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

# Narrower grids are sampled everywhere, and more finely.
_SPARSE_FROM_PX = 33
# Rounding of a distance of about 1 is a millionth of this.
_SURE = 1e-9
_CELLS_AT_A_TIME = 2**18

Weight = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(x, y) -> how much light passes there, a polynomial of third degree or less."""
# A mean over a pixel from these points, in pixels from its middle, is exact for such a polynomial.
_GAUSS_PX = (-0.5 / math.sqrt(3), 0.5 / math.sqrt(3))


@dataclass(frozen=True)
class Shape:
    """A shape in the plane, given by the distance of its outline from its middle in every direction.

    Attributes:
        margin: (x, y) -> distance of the outline in that direction less the distance of the point; 0 or more
            inside.
        middle: (x, y) from which distances count.
        inner_radius: a disk of this radius fits into it; nothing of it is farther from the middle than 1.
        steepness: how much the margin changes at most over a distance of 1, from half the inner radius on.
    """

    margin: Callable[[np.ndarray, np.ndarray], np.ndarray]
    middle: tuple[float, float] = (0.0, 0.0)
    inner_radius: float = 1.0
    steepness: float = 1.0


def coverage_of(
    shapes: Sequence[Shape], half_px: int, unit_px: tuple[float, float], weight: Weight | None = None
) -> np.ndarray:
    """Share of every pixel that lies in all of the shapes, or what passes of it.

    Args:
        shapes: around (0, 0).
        half_px: the grid reaches this far from its middle.
        unit_px: px that a distance of 1 along x and along y takes.
        weight: of each point; None = 1.

    Returns:
        float64 [n, n] with n = 2 half + 1, without a weight multiples of one over the samples a pixel.
    """
    width = 2 * half_px + 1
    samples = 2 * math.ceil(max(1.0, 64 / width) / 2) + 2
    axis = (np.arange(width * samples) + 0.5) / samples - width / 2
    x, y = axis / unit_px[0], axis / unit_px[1]
    half_diagonal = math.hypot(0.5 / unit_px[0], 0.5 / unit_px[1])
    if width < _SPARSE_FROM_PX or half_diagonal > 0.25 * min(shape.inner_radius for shape in shapes):
        inside = passed(shapes, *np.meshgrid(x, y), weight)
        return np.asarray(inside.reshape(width, samples, width, samples).mean(axis=(1, 3)))

    coverage = np.zeros((width, width))
    by_pixel = np.arange(samples)
    rows_at_a_time = max(1, _CELLS_AT_A_TIME // width)
    for top in range(0, width, rows_at_a_time):
        rows = np.arange(top, min(top + rows_at_a_time, width))
        centre_y = ((rows - half_px) / unit_px[1])[:, None]
        centre_x = ((np.arange(width) - half_px) / unit_px[0])[None, :]
        full, crossed = _classified(shapes, centre_x, centre_y, half_diagonal)
        coverage[rows] = full if weight is None else full * _mean_of(weight, centre_x, centre_y, unit_px)
        row, column = crossed.nonzero()
        here_y = y[(row[:, None] + top) * samples + by_pixel][:, :, None]
        here_x = x[column[:, None] * samples + by_pixel][:, None, :]
        here_x, here_y = (np.ascontiguousarray(values) for values in np.broadcast_arrays(here_x, here_y))
        coverage[row + top, column] = passed(shapes, here_x, here_y, weight).mean(axis=(1, 2))
    return coverage


def passed(shapes: Sequence[Shape], x: np.ndarray, y: np.ndarray, weight: Weight | None) -> np.ndarray:
    """Light at points: 0 outside of any of the shapes, inside of all the weight, or 1."""
    inside = _inside(shapes, x, y)
    return inside if weight is None else inside * weight(x, y)


def _mean_of(weight: Weight, x: np.ndarray, y: np.ndarray, unit_px: tuple[float, float]) -> np.ndarray:
    """Mean of a weight over the pixels around (x, y)."""
    x, y = np.broadcast_arrays(x, y)
    points = [weight(x + dx / unit_px[0], y + dy / unit_px[1]) for dy in _GAUSS_PX for dx in _GAUSS_PX]
    return np.asarray(sum(points) / len(points))


def _inside(shapes: Sequence[Shape], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    inside = np.ones(np.broadcast_shapes(x.shape, y.shape), bool)
    for shape in shapes:
        inside &= shape.margin(x, y) >= 0
    return inside


def _classified(
    shapes: Sequence[Shape], x: np.ndarray, y: np.ndarray, half_diagonal: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels around (x, y) that surely lie inside, and those that may; the rest is outside."""
    full = np.ones(np.broadcast_shapes(x.shape, y.shape), bool)
    touched = full.copy()
    for shape in shapes:
        distance = np.hypot(x - shape.middle[0], y - shape.middle[1])
        sure = distance <= shape.inner_radius - half_diagonal - _SURE
        close = ~sure & (distance <= 1 + half_diagonal + _SURE)
        touched &= sure | close
        here = (touched & close).nonzero()
        margin = shape.margin(*(np.broadcast_to(values, close.shape)[here] for values in (x, y)))
        reach = shape.steepness * half_diagonal + _SURE
        touched[here] = margin >= -reach
        sure[here] = margin > reach
        full &= sure
    return full & touched, touched & ~full
