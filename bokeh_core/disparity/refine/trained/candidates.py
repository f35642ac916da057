"""The values that a pixel of a map may get: its own, those around it, those of neighbours in time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Place = tuple[int, int]


def _ring(straight: int, diagonal: int) -> list[Place]:
    """Places (y, x) in eight directions, so many px away."""
    s, d = straight, diagonal
    return [(-s, 0), (s, 0), (0, -s), (0, s), (-d, -d), (-d, d), (d, -d), (d, d)]


OWN_PLACES: tuple[Place, ...] = ((0, 0), *_ring(1, 1), *_ring(2, 2), *_ring(3, 3), *_ring(5, 4))
"""Where in its own map a pixel looks, (y, x) in px of the small map; the first is the pixel itself."""

AGREED_PLACES: tuple[Place, ...] = ((0, 0), *_ring(1, 1), *_ring(3, 2))
"""Where in the map that its neighbours in time agree on."""

CANDIDATES = len(OWN_PLACES) + len(AGREED_PLACES)
REACH_PX = 5


def candidates(own: Tensor, agreed: Tensor) -> Tensor:
    """All candidates of all pixels; beyond the border lies the nearest pixel.

    Args:
        own: [B, h, w].
        agreed: [B, h, w].

    Returns:
        [B, `CANDIDATES`, h, w].
    """
    return torch.cat([_shifted(own, OWN_PLACES), _shifted(agreed, AGREED_PLACES)], 1)


def _shifted(values: Tensor, places: tuple[Place, ...]) -> Tensor:
    height, width = values.shape[-2:]
    padded = F.pad(values[:, None], (REACH_PX,) * 4, mode="replicate")[:, 0]
    return torch.stack(
        [
            padded[:, REACH_PX + y : REACH_PX + y + height, REACH_PX + x : REACH_PX + x + width]
            for y, x in places
        ],
        1,
    )
