"""Changes of a clip and its truth together that a round lens commutes with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..scenes.draws import Draws

DARKEST_GAIN = 0.5
INVERTED_SHARE = 0.25


def turned(values: Tensor, swap: bool, upside_down: bool) -> Tensor:
    """[..., H, W] mirrored top to bottom, then with height and width swapped."""
    values = values.flip(-2) if upside_down else values
    return values.transpose(-1, -2) if swap else values


def recoloured(clips: Sequence[Tensor], draws: Draws) -> list[Tensor]:
    """The same change of colours for all clips [T, 3, H, W] in [0, 1]: order, gain, and light for dark.

    A lens takes means, and a mean of a x + b is a times the mean plus b.
    """
    order = draws.order(3)
    gains = [draws.uniform(DARKEST_GAIN, 1.0) for _ in order]
    inverted = draws.chance(INVERTED_SHARE)
    gain = torch.tensor(gains, dtype=clips[0].dtype)[:, None, None]
    recoloured_clips = [clip[:, order] * gain for clip in clips]
    return [1 - clip for clip in recoloured_clips] if inverted else recoloured_clips
