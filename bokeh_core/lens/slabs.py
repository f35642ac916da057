"""Radius slabs: a fixed ladder of blur radii between which samples are shared."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .layers import Layer

_FINE_STEP_PX = 0.5
_FINE_UP_TO_PX = 4.0
_RELATIVE_STEP = 0.12


def slab_radii_px(lowest_px: float, highest_px: float) -> list[float]:
    """Signed radii, ascending, that enclose a range of blur radii.

    The ladder is anchored at radius 0 and does not depend on the range, so slabs do not swim between frames:
    steps of 0.5 px up to 4 px, then 12 % of the radius, at least 1 px.
    """
    outermost = max(abs(lowest_px), abs(highest_px))
    rungs = [0.0]
    while rungs[-1] < outermost:
        radius = rungs[-1]
        rungs.append(
            radius + (_FINE_STEP_PX if radius < _FINE_UP_TO_PX else max(1.0, _RELATIVE_STEP * radius))
        )
    ladder = [-radius for radius in reversed(rungs[1:])] + rungs
    first = max((i for i, radius in enumerate(ladder) if radius <= lowest_px), default=0)
    last = min((i for i, radius in enumerate(ladder) if radius >= highest_px), default=len(ladder) - 1)
    return ladder[first : last + 1]


@dataclass(frozen=True)
class SlabShares:
    """How each sample of a layer is shared between two neighbouring slabs.

    Attributes:
        layer: the samples.
        lower: [H, W] int64, the slab below the sample's radius.
        upper_share: [H, W] in [0, 1], what goes to the next slab up.
        rows, columns: [S, H] and [S, W] bool, where each slab has samples.
    """

    layer: Layer
    lower: Tensor
    upper_share: Tensor
    rows: Tensor
    columns: Tensor

    def weight(self, slab: int, area: tuple[slice, slice]) -> Tensor:
        """Weight of the samples of one slab inside an area of the frame."""
        lower, share = self.lower[area], self.upper_share[area]
        fraction = torch.where(lower == slab, 1 - share, torch.where(lower == slab - 1, share, 0.0))
        return fraction * self.layer.weight[area]


def share_between_slabs(layer: Layer, radii_px: list[float]) -> SlabShares:
    """Split every sample linearly between the two slabs around its radius."""
    ladder = torch.tensor(radii_px, device=layer.radius_px.device)
    radius = layer.radius_px.clamp(radii_px[0], radii_px[-1])
    lower = (torch.searchsorted(ladder, radius.contiguous(), right=True) - 1).clamp(
        0, max(len(radii_px) - 2, 0)
    )
    upper = (lower + 1).clamp(max=len(radii_px) - 1)
    step = (ladder[upper] - ladder[lower]).clamp(min=1e-6)
    share = ((radius - ladder[lower]) / step).clamp(0, 1)

    height, width = radius.shape
    rows = torch.zeros(len(radii_px), height, dtype=torch.bool, device=radius.device)
    columns = torch.zeros(len(radii_px), width, dtype=torch.bool, device=radius.device)
    used = layer.weight > 0
    for slab, present in ((lower, used & (share < 1)), (upper, used & (share > 0))):
        y, x = present.nonzero(as_tuple=True)
        which = slab[y, x]
        rows[which, y] = True
        columns[which, x] = True
    return SlabShares(layer, lower, share, rows, columns)
