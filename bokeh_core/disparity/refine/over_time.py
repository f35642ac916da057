"""A map against its neighbours in time: one scale and shift a frame, and what most of them agree on."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .motion import Motion
from .weighted_median import weighted_median

_SAMPLES_SIDE = 128
# Of disparity: what is farther from the fit than this counts little; less in each round.
_OUTLIERS = (0.2, 0.1, 0.05, 0.03, 0.02, 0.02, 0.02, 0.02)
_LEAST_SPREAD = 0.02
_SCALES = (0.5, 2.0)
_LEAST_TRUST = 1e-3
# Less is left alone: rounding of 8-bit maps, and motion that is known to a fraction of a px.
_TOLERANCE = 0.006
_OVER_SPREAD = 2.0


@dataclass(frozen=True)
class Affine:
    """value -> scale * value + shift."""

    scale: float = 1.0
    shift: float = 0.0

    def __call__(self, values: Tensor) -> Tensor:
        """Apply to values of any shape."""
        return values * self.scale + self.shift

    def inverse(self, values: Tensor) -> Tensor:
        """Undo."""
        return (values - self.shift) / self.scale


def fitted(own: Tensor, other: Tensor, trust: Tensor) -> Affine:
    """Scale and shift from one map to another of the same scene, by reweighted least squares.

    A map without depth says nothing about scale, so that only a shift is taken from it.

    Args:
        own: [H, W].
        other: [H, W], what the neighbour has at the same places.
        trust: [H, W] in [0, 1].
    """
    step = max(1, max(own.shape) // _SAMPLES_SIDE)
    x, y, w = (values[::step, ::step].flatten().double() for values in (own, other, trust))
    if float(w.sum()) < _LEAST_TRUST * len(w):
        return Affine()
    scale, shift, weight = 1.0, 0.0, w
    for outlier in _OUTLIERS:
        total = weight.sum().clamp(min=1e-12)
        mean_x, mean_y = (weight * x).sum() / total, (weight * y).sum() / total
        spread = (weight * (x - mean_x).square()).sum() / total
        scale = 1.0
        if float(spread) > _LEAST_SPREAD**2:
            slope = float((weight * (x - mean_x) * (y - mean_y)).sum() / total / spread)
            scale = min(max(slope, _SCALES[0]), _SCALES[1])
        shift = float(mean_y - scale * mean_x)
        # Geman and McClure's weight: far outliers lose their say altogether.
        weight = w / (1 + ((y - scale * x - shift) / outlier).square()).square()
    return Affine(scale, shift)


def held_still(
    own: Tensor, neighbours: Sequence[tuple[Tensor, Motion]], *, steady: bool, restore: bool
) -> Tensor:
    """Bring a map to what its neighbours in time say.

    Args:
        own: [H, W].
        neighbours: maps [H, W] and how they are seen from this frame.
        steady: take the mean scale and shift of the frame and its neighbours.
        restore: where the map is off what most neighbours show, take theirs.

    Returns:
        [H, W] in [0, 1].
    """
    if not neighbours:
        return own
    carried = [(motion.carried(values), motion.trust) for values, motion in neighbours]
    fits = [fitted(own, values, trust) for values, trust in carried]
    result = own
    if restore:
        stack = torch.stack([own, *(fit.inverse(v) for fit, (v, _) in zip(fits, carried, strict=True))])
        weights = torch.stack([torch.ones_like(own), *(trust for _, trust in carried)])
        agreed = weighted_median(stack, weights)
        spread = weighted_median((stack[1:] - agreed).abs(), weights[1:])
        off = (own - agreed).abs() > torch.clamp(_OVER_SPREAD * spread, min=_TOLERANCE)
        result = torch.where(off, agreed, own)
    if steady:
        count = len(fits) + 1
        mean = Affine((1 + sum(f.scale for f in fits)) / count, sum(f.shift for f in fits) / count)
        result = mean(result)
    return result.clamp(0, 1)
