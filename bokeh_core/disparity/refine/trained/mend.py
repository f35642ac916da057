"""Outlines and limbs of a map, mended by what the network says of each pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ..around import highest
from .candidates import AGREED_PLACES, OWN_PLACES
from .choice import KEPT, chosen
from .evidence import Shown, Witnesses, shown
from .scores import scored
from .specks import without_specks
from .thin import thin_things

# Pixels that are decided at once: 18 candidates of each are in memory.
_AT_ONCE = 65_536
# Of disparity: where the frames around have the same to this, and beside it too, there is nothing to mend.
_DISAGREES = 0.015
_BESIDE_PX = 1
# Of six neighbours: where fewer are trusted, colours alone tell where a pixel lies in them.
_TRUSTED = 0.05
# At the ends of a shot all neighbours lie on one side, and may be wrong together: a pixel whose own value is
# likelier than this keeps it.
_KEPT_AT_ENDS = 0.2


class Network(Protocol):
    """What tells of pixels which candidate they get."""

    def told_at(self, shown: Tensor, y: Tensor, x: Tensor) -> Tensor:
        """What planes [1, C, h, w] tell of pixels [P], [P, `OUTPUTS`]."""
        ...


@torch.no_grad()
def mended(
    disparity: Tensor,
    small: Tensor,
    soft: Tensor,
    colours: Tensor,
    witnesses: Witnesses,
    network: Network,
    *,
    at_end: bool = False,
) -> Tensor:
    """Give each pixel the candidate that the scene most likely has there: its own value, or a neighbour's.

    Not one of those around it in its own map, as that moves outlines which are right. Thin things stay, and
    so does what the frames around agree with. The network looks at small maps; what it says is read between
    their pixels.

    Args:
        disparity: [H, W].
        small: [h, w], the same map small.
        soft: [h, w], that map before its outlines were made sharp.
        colours: [h, w, C] in [0, 1], C = 1 or 3, of the frame.
        witnesses: of the small map.
        network: see `Network`.
        at_end: whether all frames around lie before the frame, or all behind it.

    Returns:
        [H, W], the very tensor given where nothing changes.
    """
    agreed = witnesses.agreed[0]
    doubtful = highest(((small - agreed).abs() > _DISAGREES).float(), _BESIDE_PX) > 0
    if not bool(doubtful.any()):
        return disparity
    picture = colours[..., :3].expand(-1, -1, 3).movedim(-1, 0)[None]
    view = shown(picture, small[None], soft[None], witnesses)
    asked = doubtful & (witnesses.trust[0] > _TRUSTED) & view.steps[0] & ~thin_things(small)
    page = _Page.of(small, agreed, network, view, asked)
    kept = torch.ones_like(small)
    y, x = asked.nonzero(as_tuple=True)
    for part in _parts(len(y)):
        kept[y[part], x[part]] = page.likelihoods(small, y[part], x[part])[1][:, 0]
    least = _KEPT_AT_ENDS if at_end else KEPT
    y, x = (_of_size(kept, disparity.shape) < least).nonzero(as_tuple=True)
    if not len(y):
        return disparity
    values = torch.cat([chosen(*page.likelihoods(disparity, y[part], x[part])) for part in _parts(len(y))])
    return without_specks(disparity, y, x, values)


@dataclass(frozen=True)
class _Page:
    """What is known of a small map.

    Attributes:
        small, agreed, low, scale: [h, w].
        told: [h, w, C], see `_used`; beside what was asked, 0 elsewhere.
    """

    small: Tensor
    agreed: Tensor
    told: Tensor
    low: Tensor
    scale: Tensor

    @classmethod
    def of(cls, small: Tensor, agreed: Tensor, network: Network, view: Shown, asked: Tensor) -> _Page:
        """Ask a network of pixels, bool [h, w], and of those beside them, which a larger map reads too."""
        y, x = (highest(asked.float(), 1) > 0).nonzero(as_tuple=True)
        told = _used(network.told_at(view.planes, y, x).float())
        page = told.new_zeros(*small.shape, told.shape[1])
        page[y, x] = told
        return cls(small, agreed, page, view.low[0], view.scale[0])

    def likelihoods(self, disparity: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Candidates of pixels [P] of a map [H, W], and how likely they are, both [P, 18]."""
        (height, width), (rows, columns) = disparity.shape, self.agreed.shape
        step = height / rows, width / columns
        # In px of the small map, counted from the corner.
        small_y, small_x = (y + 0.5) / step[0], (x + 0.5) / step[1]
        values = torch.cat([disparity[y, x][:, None], _around(self.agreed, small_y, small_x)], 1)
        if disparity.shape == self.agreed.shape:
            told, low, scale = self.told[y, x], self.low[y, x], self.scale[y, x]
        else:
            told = _between(self.told, small_y, small_x)
            ranges = _between(torch.stack([self.low, self.scale], -1), small_y, small_x)
            low, scale = ranges.unbind(-1)
        return values, scored(told, values, low, scale).softmax(-1)


def _used(told: Tensor) -> Tensor:
    """Of what the network tells: a pixel's own value, all of its neighbours', and the planes behind those."""
    return torch.cat([told[:, :1], told[:, len(OWN_PLACES) :]], 1)


def _parts(count: int) -> Iterator[slice]:
    return (slice(start, start + _AT_ONCE) for start in range(0, count, _AT_ONCE))


def _of_size(values: Tensor, size: torch.Size) -> Tensor:
    if values.shape == size:
        return values
    return F.interpolate(values[None, None], size, mode="bilinear", align_corners=False)[0, 0]


def _around(values: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Values [h, w] at `AGREED_PLACES` around points (y, x) [P] in px from the corner: [P, 17]."""
    height, width = values.shape
    away = torch.tensor(AGREED_PLACES, dtype=y.dtype, device=y.device)
    row = (y[:, None] + away[:, 0]).long().clamp(0, height - 1)
    column = (x[:, None] + away[:, 1]).long().clamp(0, width - 1)
    return values.flatten()[row * width + column]


def _between(values: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Values [h, w, N] at points [P] in px from the corner, linear between centres: [P, N]."""
    height, width, _ = values.shape
    y, x = (y - 0.5).clamp(0, height - 1), (x - 0.5).clamp(0, width - 1)
    top, left = y.long(), x.long()
    bottom, right = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
    down, across = (y - top)[:, None], (x - left)[:, None]
    above = torch.lerp(values[top, left], values[top, right], across)
    below = torch.lerp(values[bottom, left], values[bottom, right], across)
    return torch.lerp(above, below, down)
