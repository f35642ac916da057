"""How likely each candidate is, by what the network tells of a pixel."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from .candidates import CANDIDATES

WANTED = CANDIDATES
"""The plane, after those of the candidates, of the disparity wanted, in parts of the range less 0.5."""
OUTPUTS = CANDIDATES + 2
"""Planes that the network tells; the last is how much the wanted disparity counts."""

_FARTHEST = 1.0


def scored(told: Tensor, values: Tensor, low: Tensor, scale: Tensor) -> Tensor:
    """Logits: what each place has for itself, less how far its disparity is from the wanted one.

    Args:
        told: [P, N + 2], of the network: planes of N of the candidates, and the last two.
        values: [P, N], those candidates.
        low: [P], see `Shown`.
        scale: [P], see `Shown`.

    Returns:
        [P, N].
    """
    parts = (values - low[:, None]) / scale[:, None] - 0.5
    away = (parts - told[:, -2:-1]).abs().clamp(max=_FARTHEST)
    return told[:, :-2] - F.softplus(told[:, -1:]) * away
