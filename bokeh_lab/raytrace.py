"""Ray-traced lens blur of layered scenes: the ground truth (paper appendix A, Eq. 6)."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .scenes.scene import TRANSPARENT, LayeredFrame

OPAQUE = 0.99
"""A ray ends at a layer of more alpha (Eq. 6)."""

PUBLISHED_RAYS_ACROSS = 51
"""Lens grid of the paper's training data; its test set has 101. Rounding left it 1,957 and 7,841 points, four
fewer than lie in the disk."""

_RAY_SPACING_PX = 0.5
_MOST_RAYS_ACROSS = 101
# Slopes below this move a hit by less than a thousandth of a pixel anywhere in a frame.
_FLAT = 1e-9


def lens_points(rays_across: int) -> Tensor:
    """Points of an n x n grid over [-1, 1]^2 in the closed unit disk: float64 [R, 2], column by column.

    Args:
        rays_across: n >= 1; 51 gives 1,961 points. 1 is the pinhole in the middle.

    Raises:
        ValueError: n is below 1.
    """
    if rays_across < 1:
        raise ValueError(
            f"rays_across is {rays_across}; it must be 1 (a pinhole) or more, {PUBLISHED_RAYS_ACROSS} as "
            "published."
        )
    # Whole numbers decide what lies inside: the grid's outermost points are on the circle.
    steps = 2 * torch.arange(rays_across) - (rays_across - 1)
    points = torch.cartesian_prod(steps, steps)
    inside = points[points.square().sum(1) <= max(rays_across - 1, 1) ** 2]
    return inside.double() / max(rays_across - 1, 1)


def sufficient_rays_across(greatest_radius_px: float) -> int:
    """The published 51, or more where rays would hit over half a pixel apart: odd, at most 101."""
    needed = math.ceil(2 * greatest_radius_px / _RAY_SPACING_PX) + 1
    return min(max(needed | 1, PUBLISHED_RAYS_ACROSS), _MOST_RAYS_ACROSS)


def greatest_radius_px(layered: LayeredFrame, focal_disparity: float, blur_strength_px: float) -> float:
    """Greatest blur radius K |d - d_f| of anything in the frame, hidden or not, in px."""
    seen = layered.alpha >= TRANSPARENT
    distance = (layered.disparity_maps() - focal_disparity).abs() * seen
    return blur_strength_px * float(distance.max())


def ray_trace(
    layered: LayeredFrame,
    focal_disparity: float,
    blur_strength_px: float,
    *,
    gamma: float = 1.0,
    rays_across: int | None = None,
) -> Tensor:
    """What a thin lens records of one frame, averaged over rays through its opening (Eq. 6).

    A ray through pixel p and lens point u, both in px, meets a plane of disparity d(q) = d(p) + g (q - p) at
    q = p + u (d(p) - d_f) / (1 - g u). Along a ray layers add up from near to far. Rays that leave the frame
    count for nothing, so borders are means of what is inside.

    Args:
        layered: all layers of the frame, nearest first.
        focal_disparity: d_f in [0, 1].
        blur_strength_px: K >= 0 in px of this frame; a point at d spreads over a disk of radius K |d - d_f|.
        gamma: light = display ** gamma is averaged; 1 as the authors do, 2.2 as a sensor does.
        rays_across: lens grid; None = as many as the greatest radius needs, see `sufficient_rays_across`.

    Returns:
        float32 [3, H, W], display values in [0, 1], on the device of the layers.

    Raises:
        ValueError: a strength, gamma or grid out of range, or a plane so steep that rays run along it.
    """
    if not 0 <= blur_strength_px < math.inf:
        raise ValueError(f"blur_strength_px is {blur_strength_px:g}; it must be 0 (a pinhole) or more px.")
    if not 0 < gamma < math.inf:
        raise ValueError(f"gamma is {gamma:g}; use 1 for display values or 2.2 for linear light.")
    if rays_across is None:
        radius_px = greatest_radius_px(layered, focal_disparity, blur_strength_px)
        rays_across = sufficient_rays_across(radius_px)
    points = lens_points(1 if blur_strength_px == 0 else rays_across) * blur_strength_px
    planes = _planes(layered, focal_disparity, blur_strength_px, gamma)

    height, width = layered.alpha.shape[-2:]
    through = torch.empty(height, width, device=layered.alpha.device)
    # Light [3] and coverage [1]; float32 only within a column, as thousands of rays add up its rounding.
    seen = torch.zeros(4, height, width, dtype=torch.float64, device=through.device)
    for u in points[:, 0].unique().tolist():
        columns = [plane.displaced_in_x(u) for plane in planes]
        seen_in_column = torch.zeros(4, height, width, device=through.device)
        for v in points[points[:, 0] == u, 1].tolist():
            through.fill_(1)
            for plane, column in zip(planes, columns, strict=True):
                hit, area = plane.seen_from(u, v, column)
                if hit is None:
                    continue
                passing = through[area]
                seen_in_column[:3, area[0], area[1]] += passing * hit[:3]
                passing *= 1 - hit[3]
            seen_in_column[3] += 1 - through
        seen += seen_in_column
    light = (seen[:3] / seen[3].clamp(min=1e-6)).float()
    return light.clamp(0, 1) ** (1 / gamma)


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
    for alpha, values in zip(_snapped(layered.alpha), disparity, strict=True):
        through = through * (1 - alpha)
        here = ~found & (through <= 0.5)
        visible[here] = values[here]
        found |= here
    return visible


def _snapped(alpha: Tensor) -> Tensor:
    """Alpha as rays see it: below 0.01 they pass, above 0.99 they end (Eq. 6)."""
    return torch.where(alpha < TRANSPARENT, 0.0, torch.where(alpha > OPAQUE, 1.0, alpha))


def _planes(
    layered: LayeredFrame, focal_disparity: float, blur_strength_px: float, gamma: float
) -> list["_FlatPlane | _SlantedPlane"]:
    planes: list[_FlatPlane | _SlantedPlane] = []
    alpha = _snapped(layered.alpha)
    for color, cover, disparity in zip(layered.color, alpha, layered.disparity.tolist(), strict=True):
        light = torch.cat([color.clamp(0, 1) ** gamma * cover, cover[None]])
        defocus, slope_x, slope_y = disparity[0] - focal_disparity, disparity[1], disparity[2]
        if abs(slope_x) < _FLAT and abs(slope_y) < _FLAT:
            planes.append(_FlatPlane.of(light, defocus))
        else:
            planes.append(_SlantedPlane.of(light, defocus, slope_x, slope_y, blur_strength_px))
    return planes


def _extent(alpha: Tensor) -> tuple[slice, slice]:
    """The fewest rows and columns of [H, W] that hold all that is not transparent."""
    rows, columns = (alpha > 0).any(1).nonzero(), (alpha > 0).any(0).nonzero()
    if len(rows) == 0:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _split(shift_px: float) -> tuple[int, float]:
    whole = math.floor(shift_px)
    return whole, shift_px - whole


@dataclass
class _FlatPlane:
    """A plane that faces the camera: every ray of a lens point meets it displaced by the same vector.

    Attributes:
        light: [4, h + 2, w + 2] premultiplied light and alpha of the part that is not transparent, with a
            transparent border of one pixel.
        top, left: where that part lies in the frame, border included.
        size: (H, W) of the frame.
        defocus: d - d_f.
    """

    light: Tensor
    top: int
    left: int
    size: tuple[int, int]
    defocus: float

    @classmethod
    def of(cls, light: Tensor, defocus: float) -> "_FlatPlane":
        """Keep the part of a plane [4, H, W] that is not transparent."""
        size = (light.shape[1], light.shape[2])
        rows, columns = _extent(light[3])
        part = F.pad(light[:, rows, columns], (1, 1, 1, 1)) if rows.stop else light[:, :0, :0]
        return cls(part.contiguous(), rows.start - 1, columns.start - 1, size, defocus)

    def displaced_in_x(self, u: float) -> tuple[Tensor, int] | None:
        """The plane seen from lens column u, [4, h + 2, w + 1], and the frame column where it begins."""
        if self.light.numel() == 0:
            return None
        # Seen at p is what lies at p + shift, so the picture moves against the shift.
        whole, fraction = _split(u * self.defocus)
        moved = (
            torch.lerp(self.light[:, :, :-1], self.light[:, :, 1:], fraction)
            if fraction
            else self.light[:, :, :-1]
        )
        return moved, self.left - whole

    def seen_from(
        self, u: float, v: float, column: tuple[Tensor, int] | None
    ) -> tuple[Tensor | None, tuple[slice, slice]]:
        """Light and alpha [4, h, w] that rays from lens point (u, v) meet, and the part of the frame."""
        nothing = (slice(0, 0), slice(0, 0))
        if column is None:
            return None, nothing
        moved, left = column
        whole, fraction = _split(v * self.defocus)
        top = self.top - whole
        height, width = self.size
        first_row, last_row = max(0, -top), min(moved.shape[1] - 1, height - top)
        first_column, last_column = max(0, -left), min(moved.shape[2], width - left)
        if first_row >= last_row or first_column >= last_column:
            return None, nothing
        part = moved[:, :, first_column:last_column]
        upper, lower = part[:, first_row:last_row], part[:, first_row + 1 : last_row + 1]
        hit = torch.lerp(upper, lower, fraction) if fraction else upper
        return hit, (
            slice(top + first_row, top + last_row),
            slice(left + first_column, left + last_column),
        )


@dataclass
class _SlantedPlane:
    """A plane at an angle: the displacement of a lens point changes linearly over the frame.

    Attributes:
        light: [4, h, w] premultiplied light and alpha of the part that is not transparent.
        area: the rows and columns of the frame from where rays may meet that part.
        grid: float64 [h', w', 2], where each pixel of the area lies in the part, as `grid_sample` counts.
        defocus: float64 [h', w', 1], d - d_f at each pixel of the area.
        slope: change of the disparity per px to the right and downwards.
    """

    light: Tensor
    area: tuple[slice, slice]
    grid: Tensor
    defocus: Tensor
    slope: tuple[float, float]

    @classmethod
    def of(
        cls, light: Tensor, defocus: float, slope_x: float, slope_y: float, blur_strength_px: float
    ) -> "_SlantedPlane":
        """Keep the part of a plane [4, H, W] that is not transparent.

        Raises:
            ValueError: the plane is so steep that rays through the lens run along it.
        """
        steepness = blur_strength_px * math.hypot(slope_x, slope_y)
        if steepness >= 1:
            raise ValueError(
                f"A plane's disparity changes by {math.hypot(slope_x, slope_y):g} per px, and the blur "
                f"strength is {blur_strength_px:g} px; their product is {steepness:g} and must be below 1."
            )
        height, width = light.shape[1:]
        rows, columns = _extent(light[3])
        x, y = torch.arange(width, dtype=torch.float64), torch.arange(height, dtype=torch.float64)[:, None]
        everywhere = defocus + slope_x * x + slope_y * y
        # The part's picture moves by the defocus at what is hit, times the lens point.
        part = everywhere[rows, columns]
        reach = math.ceil(blur_strength_px * float(part.abs().max())) + 1 if part.numel() else 0
        area = (
            slice(max(rows.start - reach, 0), min(rows.stop + reach, height)),
            slice(max(columns.start - reach, 0), min(columns.stop + reach, width)),
        )
        light = light[:, rows, columns].contiguous()
        grid_x = (2 * (x[area[1]] - columns.start) + 1) / max(light.shape[2], 1) - 1
        grid_y = (2 * (y[area[0]] - rows.start) + 1) / max(light.shape[1], 1) - 1
        grid = torch.stack(torch.broadcast_tensors(grid_x, grid_y), -1).to(light.device)
        return cls(light, area, grid, everywhere[area][..., None].to(light.device), (slope_x, slope_y))

    def displaced_in_x(self, u: float) -> None:
        """Nothing can be shared between the rays of a lens column."""

    def seen_from(
        self, u: float, v: float, column: tuple[Tensor, int] | None
    ) -> tuple[Tensor | None, tuple[slice, slice]]:
        """Light and alpha [4, h', w'] that rays from lens point (u, v) meet, and the part of the frame."""
        if self.light.numel() == 0:
            return None, self.area
        height, width = self.light.shape[1:]
        scale = 2 / (1 - self.slope[0] * u - self.slope[1] * v)
        toward = torch.tensor([u * scale / width, v * scale / height], dtype=torch.float64)
        grid = (self.grid + self.defocus * toward.to(self.grid.device)).float()
        hit = F.grid_sample(
            self.light[None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=False
        )
        return hit[0], self.area
