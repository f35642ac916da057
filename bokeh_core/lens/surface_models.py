"""The two surfaces beside a depth edge: Gaussian models of their colours from the pixels around."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .areas import Area, areas_of, grown_area, inside, part_of
from .backend import backend_of
from .convolve import gaussian, gaussian_reach_px
from .fill import push_pull
from .neighbourhood import Extremes
from .portions import in_bands

_MIN_COLOR_VARIANCE = 2e-4


def continued_beside(around: Extremes, zone: Tensor) -> Tensor:
    """Radii [2, ..., H, W] of the near and the far surface in a zone along edges, continued beyond it."""
    return push_pull(torch.stack([around.top, around.bottom]), zone[None].float())


@dataclass(frozen=True)
class Surface:
    """Gaussian model of one side of the closest edge, from the clean samples around each of M pixels.

    Attributes:
        share: [M] weight of clean samples around the pixel, in [0, 1].
        color: [C, M] mean linear light.
        variance: [M] of the colour, mean of the three channels.
        radius_px: [M] mean signed blur radius.
    """

    share: Tensor
    color: Tensor
    variance: Tensor
    radius_px: Tensor

    @classmethod
    def of(cls, sums: Tensor) -> "Surface":
        """From weighted sums [C + 3, M]: of colour, its square, radius, and the weights themselves."""
        means = sums[:-1] / sums[-1].clamp(min=1e-6)
        mean = means[:-2]
        # Over three channels, so that an opaque alpha as a fourth changes nothing.
        variance = (means[-2] - mean.square().sum(0)).clamp(min=0) / 3
        return cls(sums[-1], mean, variance + _MIN_COLOR_VARIANCE, means[-1])

    def misfit(self, color: Tensor) -> Tensor:
        """Negative log-likelihood of the colours [C, M] of the pixels, up to a constant."""
        return (color - self.color).square().sum(0) / (3 * self.variance) + self.variance.log()


def along_axis(color: Tensor, near: Surface, far: Surface) -> Tensor:
    """Where colours [C, M] lie on the line from the far surface's colour, 0, to the near one's, 1."""
    axis = near.color - far.color
    return ((color - far.color) * axis).sum(0) / axis.square().sum(0).clamp(min=1e-8)


def surfaces_beside(
    color: Tensor,
    radius_px: Tensor,
    near_far: Tensor,
    zone: Tensor,
    reach_px: int,
    trust: Tensor | None = None,
) -> tuple[Surface, Surface, Tensor]:
    """Near and far surface of the closest edge for each pixel of the zone, whose flat positions come third.

    Args:
        color: [C, ..., H, W] linear light.
        radius_px: [..., H, W] signed blur radius.
        near_far: [2, ..., H, W] radii of the two surfaces, see `continued_beside`.
        zone: bool [..., H, W].
        reach_px: how far a contour of the map may be off.
        trust: [..., H, W], how much a pixel counts as a sample; None = 1 outside the zone and 0 in it.
    """
    trust = (~zone).float() if trust is None else trust
    sigma_px = (reach_px + 5) / 2.5
    margin_px = gaussian_reach_px(sigma_px)
    height, width = zone.shape[-2:]
    whole = (slice(0, height), slice(0, width))
    sums, indices = [], []
    backend = backend_of(zone.device)
    frames = zone.numel() // (height * width)
    pieces = areas_of(zone, margin_px, backend.piece_cost_px)
    for area in (band for piece in pieces for band in in_bands(piece, backend.band_pixels // frames)):
        source = grown_area(area, margin_px, whole)
        *frame, row, column = part_of(zone, area).nonzero(as_tuple=True)
        rows, columns = inside(area, source)
        # Every plane is blurred on its own anyway; what a border beyond the source would add is out of reach.
        blurred = gaussian(_samples(color, radius_px, near_far, trust, source), sigma_px)
        index = torch.add(column, row, alpha=width).add_(area[0].start * width + area[1].start)
        here = torch.add(column, row, alpha=blurred.shape[-1])
        here.add_(rows.start * blurred.shape[-1] + columns.start)
        if frame:
            index.add_(frame[0], alpha=height * width)
            here.add_(frame[0], alpha=blurred[0, 0].numel())
        sums.append(blurred.flatten(1).index_select(1, here))
        indices.append(index)
    by_side = torch.cat(sums, dim=1).chunk(2)
    return Surface.of(by_side[0]), Surface.of(by_side[1]), torch.cat(indices)


def _samples(color: Tensor, radius_px: Tensor, near_far: Tensor, trust: Tensor, area: Area) -> Tensor:
    """[2 (C + 3), ..., h, w]: of the near and the far samples colour, its square, radius and weight."""
    radius_px, color = part_of(radius_px, area), part_of(color, area)
    near_px, far_px = part_of(near_far, area)
    trust, middle = part_of(trust, area), (near_px + far_px) / 2
    tolerance = torch.clamp(0.3 * (near_px - far_px), min=1)
    beyond_middle = radius_px > middle
    is_near = beyond_middle & ((radius_px - near_px).abs() < tolerance)
    is_far = ~beyond_middle & ((radius_px - far_px).abs() < tolerance)
    square = color.square().sum(0)
    values = torch.cat([color, torch.stack([square, radius_px, torch.ones_like(radius_px)])])
    return (values * (torch.stack([is_near, is_far]) * trust)[:, None]).flatten(0, 1)
