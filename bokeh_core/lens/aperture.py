"""The lens opening: the shape into which a point out of focus spreads."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..setting_checks import require_number, require_whole_number
from .aperture_image import ApertureImage
from .byte_cache import ByteCache
from .coverage import Shape, Weight, coverage_of, passed
from .swirl import Swirl

# A disk that fits into one pixel does not spread.
_SHARP_RADIUS_PX = 0.5
# More than twice what a clip needs at K = 100 with the cat-eye on frames 1024 px wide. What larger blurs need
# more is made anew, which takes a small part of the time of spreading light with it.
_CACHE_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Aperture:
    """Shape of the lens opening.

    Attributes:
        blades: 0 for a round opening, otherwise the number of straight edges, 3 to 64.
        rotation_deg: turns the polygon, degrees anticlockwise.
        roundness: 0 = straight blades, 1 = a circle, in [0, 1].
        anamorphic_ratio: height over width of the spread, in [0.25, 4]; 1 = spherical lens.
        cat_eye: how much the lens barrel cuts the opening towards the corners, in [0, 1]; 0 = never.
        swirl: how much the spread stretches around the middle of the frame towards its corners, in [0, 1];
            1 = three times as long as wide in the corners.
        ring: light of the rim against that of the middle behind the focus, in [-1, 1]: 1 = all on the rim, as
            a soap bubble, -1 = all in the middle, creamy; in front of the focus the other way round.
        image: light through each point of the opening, in place of blades; None = even.
    """

    blades: int = 0
    rotation_deg: float = 0.0
    roundness: float = 0.0
    anamorphic_ratio: float = 1.0
    cat_eye: float = 0.0
    swirl: float = 0.0
    ring: float = 0.0
    image: ApertureImage | None = None

    def __post_init__(self) -> None:
        require_whole_number("blades", self.blades, 0, 64, meaning="0 = a round opening")
        if self.blades in (1, 2):
            raise ValueError(f"blades is {self.blades}; use 0 for a round opening, or 3 or more.")
        require_number("rotation_deg", self.rotation_deg, -36000, 36000, "degrees")
        require_number("roundness", self.roundness, 0, 1)
        require_number("anamorphic_ratio", self.anamorphic_ratio, 0.25, 4)
        require_number("cat_eye", self.cat_eye, 0, 1)
        require_number("swirl", self.swirl, 0, 1)
        require_number("ring", self.ring, -1, 1, meaning="1 = soap bubble, -1 = creamy")

    @property
    def changes_over_field(self) -> bool:
        """Whether a point's image depends on where in the frame it lies."""
        return self.cat_eye > 0 or self.swirl > 0


ROUND = Aperture()


def _bytes_of(kernel: np.ndarray) -> int:
    return kernel.nbytes


KERNELS: ByteCache[np.ndarray] = ByteCache(_CACHE_BYTES, _bytes_of)
"""Kernels that were made last."""


def kernel_reach_px(aperture: Aperture, radius_px: float) -> int:
    """How far a kernel reaches from its middle at most, wherever in the frame: its width is 2 n + 1."""
    return _reach_px(aperture, radius_px, Swirl.in_corner(aperture.swirl))


def _reach_px(aperture: Aperture, radius_px: float, swirl: Swirl) -> int:
    size_px = abs(radius_px)
    if size_px < _SHARP_RADIUS_PX:
        return 0
    return math.ceil(max(half_axes_px(aperture, radius_px)) * swirl.length - 0.5)


def lens_kernel(aperture: Aperture, radius_px: float, field: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Image of a point of light, normalised to a sum of 1.

    Args:
        aperture: shape of the opening.
        radius_px: signed blur radius; in front of the focal plane (positive) the image of the opening is
            upright, behind it is upside down.
        field: position (x, y) in the frame, (0, 0) = centre, length 1 = corner; cat-eye and swirl use it.

    Returns:
        [k, k] float32, k odd. Each cell holds the share of the shape's area inside that pixel. Not to be
        written to: it is kept for the next call.
    """
    return KERNELS.get((aperture, radius_px, field), lambda: _made_kernel(aperture, radius_px, field))


def half_axes_px(aperture: Aperture, radius_px: float) -> tuple[float, float]:
    """How far the opening spreads along x and along y."""
    size_px = abs(radius_px)
    return size_px / math.sqrt(aperture.anamorphic_ratio), size_px * math.sqrt(aperture.anamorphic_ratio)


def _made_kernel(aperture: Aperture, radius_px: float, field: tuple[float, float]) -> np.ndarray:
    swirl = Swirl.at(aperture.swirl, field)
    half = _reach_px(aperture, radius_px, swirl)
    if half == 0:
        return np.ones((1, 1), np.float32)
    flip = 1.0 if radius_px > 0 else -1.0
    # Seen from a corner the barrel covers one side of the opening; that side is upright or upside down, too.
    cut = -flip * aperture.cat_eye
    barrels = [_barrel(cut * field[0], cut * field[1])] if aperture.cat_eye > 0 else []
    weight = None if aperture.ring == 0 else _ring(-flip * aperture.ring)
    unit_x, unit_y = half_axes_px(aperture, radius_px)
    unit_px = (unit_x * swirl.length, unit_y * swirl.length)
    shapes, turned_weight = [_opening(aperture, flip), *barrels], weight
    if swirl.squeeze > 1:
        shapes = [swirl.of_shape(shape) for shape in shapes]
        turned_weight = None if weight is None else swirl.of_weight(weight)
    coverage = coverage_of(shapes, half, unit_px, turned_weight)
    if aperture.image is not None:
        # The picture fits into the opening, so that only barrel and ring are left to take some of its light.
        passing = partial(passed, barrels, weight=weight)
        image = aperture.image.on_grid(half, unit_px, swirl.undone, passing, flip, aperture.rotation_deg)
        coverage = aperture.image.with_leak(image, coverage)
    return (coverage / coverage.sum()).astype(np.float32)


def _ring(strength: float) -> Weight:
    """1 + b (2 q^2 - 1) at the radius q; its mean over the disk is 1."""
    return lambda x, y: 1 - strength + 2 * strength * (np.square(x) + np.square(y))


def _opening(aperture: Aperture, flip: float) -> Shape:
    """The blades, turned upside down where `flip` is -1; a picture takes their place."""
    if aperture.blades == 0 or aperture.image is not None:
        return Shape(lambda x, y: 1 - np.hypot(x, y))
    sector = 2 * math.pi / aperture.blades

    def margin(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        # Image rows grow downwards; the opening is drawn with y upwards.
        x, y = flip * x, -flip * y
        angle = np.arctan2(y, x) - math.radians(aperture.rotation_deg) - math.pi / 2  # a corner points up
        from_edge_middle = np.mod(angle, sector) - sector / 2
        polygon = math.cos(sector / 2) / np.cos(from_edge_middle)
        return np.asarray(polygon + aperture.roundness * (1 - polygon) - np.hypot(x, y))

    straight = 1 - aperture.roundness
    inner_radius = 1 - straight * (1 - math.cos(sector / 2))
    # Towards a corner the outline moves away by the tangent of half a sector for each radian.
    return Shape(margin, (0.0, 0.0), inner_radius, 1 + straight * math.tan(sector / 2) / (0.5 * inner_radius))


def _barrel(x_offset: float, y_offset: float) -> Shape:
    """The lens barrel, seen from where its rim is displaced against the opening."""
    return Shape(lambda x, y: 1 - np.hypot(x + x_offset, y + y_offset), (-x_offset, -y_offset))
