"""The lens opening: the shape into which a point out of focus spreads."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_IDENTITY = np.ones((1, 1), np.float32)
# A disk that fits into one pixel does not spread.
_SHARP_RADIUS_PX = 0.5


@dataclass(frozen=True)
class Aperture:
    """Shape of the lens opening.

    Attributes:
        blades: 0 for a round opening, otherwise the number of straight edges, >= 3.
        rotation_deg: turns the polygon, degrees anticlockwise.
        roundness: 0 = straight blades, 1 = a circle, in [0, 1].
        anamorphic_ratio: height over width of the spread, in [0.25, 4]; 1 = spherical lens.
        cat_eye: how much the lens barrel cuts the opening towards the corners, in [0, 1]; 0 = never.
    """

    blades: int = 0
    rotation_deg: float = 0.0
    roundness: float = 0.0
    anamorphic_ratio: float = 1.0
    cat_eye: float = 0.0

    def __post_init__(self) -> None:
        if self.blades < 0 or self.blades in (1, 2):
            raise ValueError(f"blades is {self.blades}; use 0 for a round opening, or 3 or more.")
        if not math.isfinite(self.rotation_deg):
            raise ValueError(f"rotation_deg is {self.rotation_deg}; it must be a finite angle in degrees.")
        for name, low, high in (("roundness", 0, 1), ("anamorphic_ratio", 0.25, 4), ("cat_eye", 0, 1)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}; it must lie in [{low}, {high}].")


@lru_cache(maxsize=512)
def lens_kernel(aperture: Aperture, radius_px: float, field: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Image of a point of light, normalised to a sum of 1.

    Args:
        aperture: shape of the opening.
        radius_px: signed blur radius; in front of the focal plane (positive) the image of the opening is
            upright, behind it is upside down.
        field: position (x, y) in the frame, (0, 0) = centre, length 1 = corner; only the cat-eye uses it.

    Returns:
        [k, k] float32, k odd. Each cell holds the share of the shape's area inside that pixel.
    """
    size_px = abs(radius_px)
    if size_px < _SHARP_RADIUS_PX:
        return _IDENTITY
    reach_x = size_px / math.sqrt(aperture.anamorphic_ratio)
    reach_y = size_px * math.sqrt(aperture.anamorphic_ratio)
    half = math.ceil(max(reach_x, reach_y) - 0.5)
    if half == 0:
        return _IDENTITY
    width = 2 * half + 1
    subsamples = 2 * math.ceil(max(1.0, 64 / width) / 2) + 2
    axis = (np.arange(width * subsamples) + 0.5) / subsamples - width / 2
    flip = 1.0 if radius_px > 0 else -1.0
    x, y = np.meshgrid(axis / reach_x, axis / reach_y)
    # Image rows grow downwards; the opening is drawn with y upwards.
    inside = _inside(aperture, flip * x, -flip * y) & _inside_barrel(aperture, x, y, field)
    coverage = inside.reshape(width, subsamples, width, subsamples).mean(axis=(1, 3))
    return (coverage / coverage.sum()).astype(np.float32)


def _inside(aperture: Aperture, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    distance = np.hypot(x, y)
    if aperture.blades == 0:
        return distance <= 1
    sector = 2 * math.pi / aperture.blades
    angle = np.arctan2(y, x) - math.radians(aperture.rotation_deg) - math.pi / 2  # a corner points up
    from_edge_middle = np.mod(angle, sector) - sector / 2
    polygon = math.cos(sector / 2) / np.cos(from_edge_middle)
    return distance <= polygon + aperture.roundness * (1 - polygon)


def _inside_barrel(
    aperture: Aperture, x: np.ndarray, y: np.ndarray, field: tuple[float, float]
) -> np.ndarray:
    if aperture.cat_eye == 0:
        return np.ones_like(x, dtype=bool)
    return np.hypot(x + aperture.cat_eye * field[0], y + aperture.cat_eye * field[1]) <= 1
