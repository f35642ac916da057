"""How far mended maps of held-out clips are from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.disparity.refine.trained.mend import Network
from bokeh_core.disparity.refine.trained.mend import mended as mended_map

from .crops import as_batch

_STEP = 0.05
_NEAR_PX = 4


@dataclass(frozen=True)
class Errors:
    """Mean errors of disparity, in thousandths.

    Attributes:
        before, after: within 4 px of steps of the truth, of spoilt maps.
        all_before, all_after: of all of their pixels.
        damage: what is added near steps to maps that were right.
    """

    before: float
    after: float
    all_before: float
    all_after: float
    damage: float

    def __str__(self) -> str:
        return (
            f"near steps {self.before:.2f} -> {self.after:.2f}, all {self.all_before:.2f} -> "
            f"{self.all_after:.2f}, damage {self.damage:.3f}"
        )


@torch.inference_mode()
def errors(network: Network, files: Sequence[Path]) -> Errors:
    """Mend every sample of some files."""
    sums = np.zeros(5)
    counts = np.zeros(5)
    for file in files:
        for pixels in np.load(file, mmap_mode="r"):
            batch = as_batch(pixels[None])
            colours = batch.colours[0].movedim(0, -1)
            own, soft = batch.own[0], batch.soft[0]
            mended = mended_map(own, own, soft, colours, batch.witnesses, network)
            near = _near_steps(batch.wanted)
            before, after = ((values - batch.wanted).abs() for values in (batch.own, mended[None]))
            is_clean = bool((before > 0.02).float().mean() < 1e-4)
            facts = [(before, near, 0), (after, near, 1), (before, near >= 0, 2), (after, near >= 0, 3)]
            if is_clean:
                facts = [(after - before, near, 4)]
            for values, where, i in facts:
                sums[i] += float((values * where).sum())
                counts[i] += float(where.sum())
    return Errors(*(1000 * sums / np.maximum(counts, 1)))


def _near_steps(disparity: Tensor) -> Tensor:
    local = F.max_pool2d(disparity[:, None], 3, 1, 1) + F.max_pool2d(-disparity[:, None], 3, 1, 1)
    return F.max_pool2d((local > _STEP).float(), 2 * _NEAR_PX + 1, 1, _NEAR_PX)[:, 0] > 0
