"""Crops of samples, each turned, lit and scaled at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bokeh_core.disparity.refine.trained.evidence import Witnesses

from .samples import Samples, disparity_of

# Most of a map is right; crops without anything to mend teach little.
_WITH_ERRORS = 0.5
_LEAST_ERROR = 0.02
_TRIES = 4


@dataclass(frozen=True)
class Batch:
    """Crops to learn from, each [B, h, w] but `colours`, [B, 3, h, w]."""

    colours: Tensor
    own: Tensor
    soft: Tensor
    witnesses: Witnesses
    wanted: Tensor


class CropSource:
    """Draws crops from files of samples; the batch of a step is the same whenever it is drawn.

    Args:
        files: of `write_samples`, kept on disk.
        crop_px: side of the crops.
        seed: of the draws.
    """

    def __init__(self, files: Sequence[Path], crop_px: int, seed: int) -> None:
        self._files = [np.load(file, mmap_mode="r") for file in files]
        self._crop_px = crop_px
        self._seed = seed

    def batch(self, step: int, size: int) -> Batch:
        """`size` crops for a step."""
        random = np.random.default_rng([self._seed, step])
        return as_batch(np.stack([self._crop(random) for _ in range(size)]), random)

    def _crop(self, random: np.random.Generator) -> Samples:
        wanted = random.random() < _WITH_ERRORS
        best: tuple[float, Samples] | None = None
        for _ in range(_TRIES if wanted else 1):
            file = self._files[int(random.integers(len(self._files)))]
            sample = file[int(random.integers(len(file)))]
            side = self._crop_px
            y, x = (int(random.integers(max(1, length - side + 1))) for length in sample.shape)
            crop = np.array(sample[y : y + side, x : x + side])
            wrong = np.abs(crop["own"].astype(np.int32) - crop["wanted"]) > _LEAST_ERROR * 32768
            share = float(wrong.mean())
            if best is None or share > best[0]:
                best = share, crop
            if share > 0.02:
                break
        assert best is not None
        turned = np.rot90(best[1], int(random.integers(4)))
        return np.ascontiguousarray(turned[:, ::-1] if random.random() < 0.5 else turned)


def as_batch(pixels: Samples, random: np.random.Generator | None = None) -> Batch:
    """Pixels [B, h, w] as the network takes them; with a generator lit and scaled at random."""
    colours = torch.from_numpy(pixels["colours"].astype(np.float32)).movedim(-1, 1) / 255
    names = ("own", "soft", "agreed", "mean", "wanted")
    values = torch.stack([disparity_of(pixels, name) for name in names])
    spread = torch.from_numpy(pixels["spread"].astype(np.float32)) / 65535
    trust, alike = (torch.from_numpy(pixels[name].astype(np.float32)) / 255 for name in ("trust", "alike"))
    if random is not None:
        colours = _lit(colours, random)
        scale = torch.from_numpy(random.uniform(0.3, 1.2, len(pixels)).astype(np.float32))[:, None, None]
        shift = torch.from_numpy(random.uniform(0, 0.3, len(pixels)).astype(np.float32))[:, None, None]
        values, spread = values * scale + shift, spread * scale
    own, soft, agreed, mean, wanted = values
    return Batch(colours, own, soft, Witnesses(agreed, mean, spread, trust, alike), wanted)


def _lit(colours: Tensor, random: np.random.Generator) -> Tensor:
    """Contrast, brightness, gamma, the order of the channels, and grain."""
    lit = []
    for one in colours:
        one = one[torch.from_numpy(random.permutation(3))] if random.random() < 0.5 else one
        one = one.clamp(min=1e-4) ** float(random.uniform(0.6, 1.6))
        one = one * float(random.uniform(0.4, 1.1)) + float(random.uniform(0, 0.25))
        if random.random() < 0.5:
            grain = random.standard_normal(one.shape).astype(np.float32) * random.uniform(0.002, 0.03)
            one = one + torch.from_numpy(grain)
        lit.append(one.clamp(0, 1))
    return torch.stack(lit)
