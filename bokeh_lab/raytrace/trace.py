"""Eq. 6: light of a layered scene, averaged over rays through a lens."""

import math

import torch
from torch import Tensor

from bokeh_core.lens.aperture import ROUND
from bokeh_core.lens.settings import DEFAULT_LENS, LensSettings

from ..scenes.scene import LayeredFrame
from .grid import greatest_radius_px, sufficient_rays_across
from .planes import FlatPlane, SlantedPlane, planes_of, snapped
from .pupil import BEHIND, FRONT, Field, Ray, longest_stretch, rays_through


def ray_trace(
    layered: LayeredFrame,
    focal_disparity: float,
    blur_strength_px: float,
    *,
    gamma: float = 1.0,
    rays_across: int | None = None,
    lens: LensSettings = DEFAULT_LENS,
) -> Tensor:
    """What a lens records of one frame, averaged over rays through its opening (Eq. 6).

    A ray through pixel p and lens point u, both in px, meets a plane of disparity d(q) = d(p) + g (q - p) at
    q = p + u (d(p) - d_f) / (1 - g u). Along a ray layers add up from near to far. Rays that leave the frame
    count for nothing, so borders are means of what is inside.

    Args:
        layered: all layers of the frame, nearest first.
        focal_disparity: d_f in [0, 1].
        blur_strength_px: K >= 0 in px of this frame; a point at d spreads over a disk of radius K |d - d_f|.
        gamma: light = display ** gamma is averaged; 1 as the authors do, 2.2 as a sensor does.
        rays_across: lens grid; None = as many as the greatest radius needs, see `sufficient_rays_across`.
        lens: its aperture and colour fringe; all else of it is not traced.

    Returns:
        float32 [3, H, W], display values, no brighter than white or than the brightest of the layers, on the
        device of the layers.

    Raises:
        ValueError: a strength, gamma or grid out of range, or a plane so steep that rays run along it.
    """
    if not 0 <= blur_strength_px < math.inf:
        raise ValueError(f"blur_strength_px is {blur_strength_px:g}; it must be 0 (a pinhole) or more px.")
    if not 0 < gamma < math.inf:
        raise ValueError(f"gamma is {gamma:g}; use 1 for display values or 2.2 for linear light.")
    if rays_across is None:
        radius_px = greatest_radius_px(layered, focal_disparity, blur_strength_px)
        tall = math.sqrt(lens.aperture.anamorphic_ratio)
        rays_across = sufficient_rays_across(
            radius_px * max(tall, 1 / tall) * longest_stretch(lens.aperture.swirl)
        )
    if blur_strength_px == 0:
        lens, rays_across = DEFAULT_LENS, 1
    light = _traced(layered, focal_disparity, blur_strength_px, gamma, rays_across, lens)
    if lens.fringe > 0:
        # Light of each colour goes its own way: green as it is, red and blue with their own focus.
        others = _traced(layered, focal_disparity - lens.fringe, blur_strength_px, gamma, rays_across, lens)
        light[0::2] = others[0::2]
    brightest = max(1.0, float(layered.color.max())) ** gamma
    return light.clamp(0, brightest) ** (1 / gamma)


def _traced(
    layered: LayeredFrame,
    focal_disparity: float,
    blur_strength_px: float,
    gamma: float,
    rays_across: int,
    lens: LensSettings,
) -> Tensor:
    """Light float32 [3, H, W] of one focus."""
    size = (layered.alpha.shape[1], layered.alpha.shape[2])
    device = layered.alpha.device
    aperture = lens.aperture if blur_strength_px > 0 else ROUND
    tall = math.sqrt(aperture.anamorphic_ratio)
    axes_px = (blur_strength_px / tall, blur_strength_px * tall)
    field = Field.of(aperture, size, axes_px, focal_disparity, rays_across, device)
    planes = planes_of(
        layered,
        focal_disparity,
        axes_px,
        gamma,
        longest=longest_stretch(aperture.swirl),
        swirls=aperture.swirl > 0,
    )

    through = torch.empty(size, device=device)
    # Light [3] and coverage [1]; float32 only within a column, as thousands of rays add up its rounding.
    seen = torch.zeros(4, *size, dtype=torch.float64, device=device)
    for column in _columns(rays_through(aperture, rays_across)):
        seen_in_column = torch.zeros(4, *size, device=device)
        for ray in column:
            _add(seen_in_column, through, planes, ray, field)
        seen += seen_in_column
    return (seen[:3] / seen[3].clamp(min=1e-6)).float()


def _columns(rays: list[Ray]) -> list[list[Ray]]:
    columns: dict[float, list[Ray]] = {}
    for ray in rays:
        columns.setdefault(ray.points[BEHIND][0], []).append(ray)
    return list(columns.values())


def _add(
    seen: Tensor, through: Tensor, planes: "list[FlatPlane | SlantedPlane]", ray: Ray, field: Field | None
) -> None:
    """Add what one ray of each pixel sees to light and coverage [4, H, W]."""
    through.fill_(1)
    # Where a ray carries different light from the two sides, its coverage is that of what it meets.
    weighted = field is not None or not ray.is_straight or ray.light[FRONT] != 1
    for plane in planes:
        hit, area = plane.seen_from(ray, field)
        if hit is None:
            continue
        passing = through[area]
        if weighted:
            carried = passing * plane.light_of(ray, field, area)
            seen[:, area[0], area[1]] += carried * hit
        else:
            seen[:3, area[0], area[1]] += passing * hit[:3]
        passing *= 1 - hit[3]
    if not weighted:
        seen[3] += 1 - through


def sharp_frame(layered: LayeredFrame, gamma: float = 1.0) -> Tensor:
    """The frame through a pinhole, everything in focus: float32 [3, H, W] display values in [0, 1].

    Soft edges mix light as the lens does, display ** gamma, so what is in focus agrees with `ray_trace`.
    """
    return ray_trace(layered, 0.0, 0.0, gamma=gamma)


def visible_disparity(layered: LayeredFrame) -> Tensor:
    """Disparity of the nearest layer that covers at least half of the light at each pixel: float32 [H, W]."""
    disparity = layered.disparity_maps()
    through = torch.ones_like(layered.alpha[0])
    visible = disparity[-1].clone()
    found = torch.zeros_like(through, dtype=torch.bool)
    for alpha, values in zip(snapped(layered.alpha), disparity, strict=True):
        through = through * (1 - alpha)
        here = ~found & (through <= 0.5)
        visible[here] = values[here]
        found |= here
    return visible
