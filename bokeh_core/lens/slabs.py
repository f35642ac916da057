"""Radius slabs: a fixed ladder of blur radii between which samples are shared."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .areas import Area, occupied_blocks_by_slab
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
        lower: [H, W] float32, the slab below the sample's radius.
        lower_weight, upper_weight: [H, W] in [0, 1], the sample's weight there and in the next slab up.
        blocks: bool [S, blocks down, blocks across], where each slab has samples.
    """

    layer: Layer
    lower: Tensor
    lower_weight: Tensor
    upper_weight: Tensor
    blocks: Tensor

    def weight(self, slab: int, area: Area, out: Tensor | None = None) -> Tensor:
        """Weight of the samples of one slab inside an area of the frame."""
        lower = self.lower[area]
        # Masks of the maps' own type: bool ones take several times as long on a CPU.
        weight = torch.eq(lower, slab, out=torch.empty_like(lower) if out is None else out)
        weight *= self.lower_weight[area]
        one_below = torch.eq(lower, slab - 1, out=torch.empty_like(lower))
        return weight.addcmul_(one_below, self.upper_weight[area])


def share_between_slabs(layer: Layer, radii_px: list[float]) -> SlabShares:
    """Split every sample linearly between the two slabs around its radius."""
    ladder = torch.tensor(radii_px, device=layer.radius_px.device)
    radius = layer.radius_px.clamp(radii_px[0], radii_px[-1])
    lower = (torch.searchsorted(ladder, radius.contiguous(), right=True) - 1).clamp_(
        0, max(len(radii_px) - 2, 0)
    )
    upper = (lower + 1).clamp_(max=len(radii_px) - 1)
    below_px = ladder[lower]
    step_px = (ladder[upper] - below_px).clamp_(min=1e-6)
    share = (radius - below_px).div_(step_px).clamp_(0, 1)

    lower_weight, upper_weight = (1 - share) * layer.weight, share * layer.weight
    blocks = occupied_blocks_by_slab(lower, lower_weight > 0, len(radii_px))
    blocks |= occupied_blocks_by_slab(upper, upper_weight > 0, len(radii_px))
    return SlabShares(layer, lower.float(), lower_weight, upper_weight, blocks)
