"""Planes of a layered frame as rays meet them."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..scenes.scene import TRANSPARENT, LayeredFrame
from .pupil import BEHIND, FRONT, Field, Ray, Span

OPAQUE = 0.99
"""A ray ends at a layer of more alpha (Eq. 6)."""

# Slopes below this move a hit by less than a thousandth of a pixel anywhere in a frame.
_FLAT = 1e-9


def snapped(alpha: Tensor) -> Tensor:
    """Alpha as rays see it: below 0.01 they pass, above 0.99 they end (Eq. 6)."""
    return torch.where(alpha < TRANSPARENT, 0.0, torch.where(alpha > OPAQUE, 1.0, alpha))


def planes_of(
    layered: LayeredFrame,
    focal_disparity: float,
    axes_px: tuple[float, float],
    gamma: float,
    *,
    longest: float = 1.0,
    swirls: bool = False,
) -> "list[FlatPlane | SlantedPlane]":
    """The layers of a frame, nearest first.

    Args:
        axes_px: K along x and along y, px of the frame.
        longest: how much longer than its lens point the displacement of a ray may be.
        swirls: displacements are different from pixel to pixel.

    Raises:
        ValueError: a plane so steep that rays run along it.
    """
    planes: list[FlatPlane | SlantedPlane] = []
    alpha = snapped(layered.alpha)
    for color, cover, disparity in zip(layered.color, alpha, layered.disparity.tolist(), strict=True):
        light = torch.cat([color.clamp(min=0) ** gamma * cover, cover[None]])
        defocus, slope_x, slope_y = disparity[0] - focal_disparity, disparity[1], disparity[2]
        if not swirls and abs(slope_x) < _FLAT and abs(slope_y) < _FLAT:
            planes.append(FlatPlane.of(light, defocus, axes_px))
        else:
            planes.append(SlantedPlane.of(light, defocus, (slope_x, slope_y), axes_px, longest))
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
class FlatPlane:
    """A plane that faces the camera: every ray of a lens point meets it displaced by the same vector.

    Attributes:
        light: [4, h + 2, w + 2] premultiplied light and alpha of the part that is not transparent, with a
            transparent border of one pixel.
        top, left: where that part lies in the frame, border included.
        size: (H, W) of the frame.
        defocus: d - d_f.
        axes_px: K along x and along y.
    """

    light: Tensor
    top: int
    left: int
    size: tuple[int, int]
    defocus: float
    axes_px: tuple[float, float]

    @classmethod
    def of(cls, light: Tensor, defocus: float, axes_px: tuple[float, float]) -> "FlatPlane":
        """Keep the part of a plane [4, H, W] that is not transparent."""
        size = (light.shape[1], light.shape[2])
        rows, columns = _extent(light[3])
        part = F.pad(light[:, rows, columns], (1, 1, 1, 1)) if rows.stop else light[:, :0, :0]
        return cls(part.contiguous(), rows.start - 1, columns.start - 1, size, defocus, axes_px)

    def __post_init__(self) -> None:
        # Rays come column by column, and what is displaced along x is the same for all of one.
        self._column: tuple[float, Tensor, int] | None = None

    def light_of(self, ray: Ray, field: Field | None, area: Span) -> Tensor | float:
        """How much light a ray carries from the plane to each pixel of an area: one number or [h', w']."""
        side = FRONT if self.defocus > 0 else BEHIND
        passing = 1.0 if field is None else field.light(*ray.points[side], area)
        return ray.light[side] * passing

    def seen_from(self, ray: Ray, _field: Field | None) -> tuple[Tensor | None, Span]:
        """Light and alpha [4, h, w] that a ray of each pixel meets, and the part of the frame."""
        nothing = (slice(0, 0), slice(0, 0))
        if self.light.numel() == 0:
            return None, nothing
        u, v = ray.points[FRONT if self.defocus > 0 else BEHIND]
        if self._column is None or self._column[0] != u:
            self._column = (u, *self._displaced_in_x(u * self.axes_px[0]))
        _, moved, left = self._column
        whole, fraction = _split(v * self.axes_px[1] * self.defocus)
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

    def _displaced_in_x(self, u_px: float) -> tuple[Tensor, int]:
        """The plane seen from a lens column, [4, h + 2, w + 1], and the frame column where it begins."""
        # Seen at p is what lies at p + shift, so the picture moves against the shift.
        whole, fraction = _split(u_px * self.defocus)
        first, second = self.light[:, :, :-1], self.light[:, :, 1:]
        return torch.lerp(first, second, fraction) if fraction else first, self.left - whole


@dataclass
class SlantedPlane:
    """A plane at an angle, or rays displaced differently over the frame.

    Attributes:
        light: [4, h, w] premultiplied light and alpha of the part that is not transparent.
        area: the rows and columns of the frame from where rays may meet that part.
        grid: float64 [h', w', 2], where each pixel of the area lies in the part, as `grid_sample` counts.
        defocus: float64 [h', w', 1], d - d_f at each pixel of the area.
        slope: change of the disparity per px to the right and downwards.
        axes_px: K along x and along y.
    """

    light: Tensor
    area: Span
    grid: Tensor
    defocus: Tensor
    slope: tuple[float, float]
    axes_px: tuple[float, float]

    @classmethod
    def of(
        cls,
        light: Tensor,
        defocus: float,
        slope: tuple[float, float],
        axes_px: tuple[float, float],
        longest: float,
    ) -> "SlantedPlane":
        """Keep the part of a plane [4, H, W] that is not transparent.

        Raises:
            ValueError: the plane is so steep that rays through the lens run along it.
        """
        steepness = longest * math.hypot(axes_px[0] * slope[0], axes_px[1] * slope[1])
        if steepness >= 1:
            raise ValueError(
                f"A plane's disparity changes by {math.hypot(*slope):g} per px, and the blur strength is "
                f"{max(axes_px) * longest:g} px; their product is {steepness:g} and must be below 1."
            )
        height, width = light.shape[1:]
        rows, columns = _extent(light[3])
        x, y = torch.arange(width, dtype=torch.float64), torch.arange(height, dtype=torch.float64)[:, None]
        everywhere = defocus + slope[0] * x + slope[1] * y
        # The part's picture moves by the defocus at what is hit, times the lens point.
        part = everywhere[rows, columns]
        reach = math.ceil(max(axes_px) * longest * float(part.abs().max())) + 1 if part.numel() else 0
        area = (
            slice(max(rows.start - reach, 0), min(rows.stop + reach, height)),
            slice(max(columns.start - reach, 0), min(columns.stop + reach, width)),
        )
        light = light[:, rows, columns].contiguous()
        grid_x = (2 * (x[area[1]] - columns.start) + 1) / max(light.shape[2], 1) - 1
        grid_y = (2 * (y[area[0]] - rows.start) + 1) / max(light.shape[1], 1) - 1
        grid = torch.stack(torch.broadcast_tensors(grid_x, grid_y), -1).to(light.device)
        return cls(light, area, grid, everywhere[area][..., None].to(light.device), slope, axes_px)

    def light_of(self, ray: Ray, field: Field | None, area: Span) -> Tensor | float:
        """How much light a ray carries from the plane to each pixel of its area: one number or [h', w']."""
        front, behind = (
            light * (1.0 if field is None else field.light(*point, area))
            for light, point in zip(ray.light, ray.points, strict=True)
        )
        if ray.is_straight:
            return front
        near = self.defocus[..., 0] > 0
        return torch.where(near, torch.as_tensor(front).float(), torch.as_tensor(behind).float())

    def seen_from(self, ray: Ray, field: Field | None) -> tuple[Tensor | None, Span]:
        """Light and alpha [4, h', w'] that a ray of each pixel meets, and the part of the frame."""
        if self.light.numel() == 0:
            return None, self.area
        if ray.points[FRONT] == ray.points[BEHIND]:
            toward = self._toward(ray.points[FRONT], field)
        else:
            front, behind = (self._toward(point, field) for point in ray.points)
            toward = torch.where(self.defocus > 0, front, behind)
        grid = (self.grid + self.defocus * toward).float()
        hit = F.grid_sample(
            self.light[None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=False
        )
        return hit[0], self.area

    def _toward(self, point: tuple[float, float], field: Field | None) -> Tensor:
        """Displacement of a ray for a disparity of 1, as `grid_sample` counts: float64 [2] or [h', w', 2]."""
        u, v = point if field is None else field.stretched(*point, self.area)
        u, v = u * self.axes_px[0], v * self.axes_px[1]
        height, width = self.light.shape[1:]
        scale = 2 / (1 - self.slope[0] * u - self.slope[1] * v)
        parts = [torch.as_tensor(u * scale / width), torch.as_tensor(v * scale / height)]
        return torch.stack(parts, -1).to(self.grid)
