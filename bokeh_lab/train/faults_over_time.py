"""Faults of estimated depth that differ from frame to frame, for training on clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bokeh_core.reference_width import in_frame_px

from ..evaluate.faults import FAULTS, clipped
from ..evaluate.perturb import measured_focus
from ..scenes.draws import Draws

# Their amount is a number that can be more or less; of the others a map has them or not.
_GRADUAL = ("flicker", "wobble")


@dataclass(frozen=True)
class FaultsOverTime:
    """Which clips get which faults, see `evaluate.faults`.

    Attributes:
        probability: share of clips that get one, in [0, 1].
        kinds: names of faults, of which a clip gets one.
        amounts: least and greatest factor on flicker and wobble.
    """

    probability: float = 0.6
    kinds: tuple[str, ...] = (
        "flicker",
        "estimator",
        "outline_jitter",
        "wobble",
        "jpeg",
        "torn_limb",
        "everything",
    )
    amounts: tuple[float, float] = (0.3, 1.5)


def spoiled(
    disparity: Tensor, focal_disparity: Tensor, in_focus: Tensor, faults: FaultsOverTime, draws: Draws
) -> tuple[Tensor, Tensor]:
    """Give a clip one of the faults, or none, as is drawn.

    Args:
        disparity: whole frames, [T, H, W] in [0, 1].
        focal_disparity: [T].
        in_focus: bool [T, H, W], the subject.
        faults: which.
        draws: of the clip.

    Returns:
        The maps, and the focus as it is measured on the subject in them.
    """
    if not draws.chance(faults.probability):
        return disparity, focal_disparity
    kind = faults.kinds[draws.integer(0, len(faults.kinds) - 1)]
    amount = draws.uniform(*faults.amounts) if kind in _GRADUAL else 1.0
    random = np.random.default_rng(draws.integer(0, 2**31))
    maps = disparity.numpy().astype(np.float32)
    changed = FAULTS[kind](maps, in_frame_px(1.0, maps.shape[2]), random)
    found = torch.from_numpy(clipped(maps + amount * (changed - maps)))
    return found, measured_focus(focal_disparity, in_focus, disparity, found)
