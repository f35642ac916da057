"""Scale and shift between the disparities of two frames, and their course over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .course import steady_value

# Of disparity: in each round, what is farther from the fit than this counts for little.
_OUTLIERS = (0.2, 0.1, 0.05, 0.03, 0.02, 0.02, 0.02)
# A map without depth says nothing of scale.
_LEAST_SPREAD = 0.02
_SCALES = (0.5, 2.0)
_LEAST_TRUST = 1e-2


@dataclass(frozen=True)
class Affine:
    """value -> scale * value + shift."""

    scale: float = 1.0
    shift: float = 0.0

    def __call__(self, values: Tensor) -> Tensor:
        """Apply to values of any shape."""
        return values * self.scale + self.shift

    def of(self, value: float) -> float:
        """Apply to one value."""
        return value * self.scale + self.shift

    def after(self, first: Affine) -> Affine:
        """The transform that applies `first` and then this one."""
        return Affine(self.scale * first.scale, self.scale * first.shift + self.shift)

    def inverse(self) -> Affine:
        """The transform back."""
        return Affine(1 / self.scale, -self.shift / self.scale)


IDENTITY = Affine()


def fitted(own: Tensor, other: Tensor, trust: Tensor) -> Affine:
    """Scale and shift from one map to another of the same scene, by reweighted least squares.

    Args:
        own: [N].
        other: [N], what the other map has of the same things.
        trust: [N] in [0, 1].

    Returns:
        `IDENTITY` where too little is trusted; a shift alone where the map has no depth.
    """
    # Not every accelerator knows float64, and each round would wait for its answers.
    x, y, w = torch.stack([own, other, trust]).cpu().double()
    if float(w.sum()) < _LEAST_TRUST * len(w):
        return IDENTITY
    scale, shift, weight = 1.0, 0.0, w
    for outlier in _OUTLIERS:
        total = weight.sum().clamp(min=1e-12)
        mean_x, mean_y = (weight * x).sum() / total, (weight * y).sum() / total
        spread_x = float((weight * (x - mean_x).square()).sum() / total)
        scale = 1.0
        if spread_x > _LEAST_SPREAD**2:
            slope = float((weight * (x - mean_x) * (y - mean_y)).sum() / total) / spread_x
            scale = min(max(slope, _SCALES[0]), _SCALES[1])
        shift = float(mean_y) - scale * float(mean_x)
        # Geman and McClure's weight: far outliers lose their say altogether.
        weight = w / (1 + ((y - scale * x - shift) / outlier).square()).square()
    return Affine(scale, shift)


def steady(to_others: Sequence[Affine], places: Sequence[int], span: tuple[float, float]) -> Affine:
    """What brings a frame to the course of scale and shift that it and the frames around it follow.

    Args:
        to_others: from the frame's disparity to that of each frame, its own (the identity) among them.
        places: of the frames in time, 0 = the frame itself.
        span: lowest and highest disparity of the frame.
    """
    low, high = span
    at = torch.tensor(places, dtype=torch.float64)
    ends = torch.tensor([[to.of(end) for end in span] for to in to_others], dtype=torch.float64)
    target = steady_value(at, ends, torch.ones_like(ends))
    if high - low < _LEAST_SPREAD:
        return Affine(1.0, float(target.mean()) - (low + high) / 2)
    scale = float(target[1] - target[0]) / (high - low)
    return Affine(scale, float(target[0]) - scale * low)
