"""The course that values follow over time, without what is of single frames."""

import torch
from torch import Tensor

# Of disparity a frame: how fast things come nearer or go, as a standard deviation.
_SLOPE = 0.008


def steady_value(at: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    """Value at time 0 of the straight line through values over time.

    Its slope is shrunk towards 0 by how far it may be chance, as slopes are known to be small (the posterior
    mean under a normal prior): beside a cut, with frames on one side only, a slope of chance would carry far.

    Args:
        at: [N], times.
        values: [N, ...], disparity.
        weights: [N, ...], >= 0, not all 0.

    Returns:
        [...].
    """
    at = at.view(-1, *[1] * (values.ndim - 1))
    total = weights.sum(0).clamp(min=1e-12)
    mean_at, mean = (weights * at).sum(0) / total, (weights * values).sum(0) / total
    from_mean = at - mean_at
    spread = (weights * from_mean.square()).sum(0)
    slope = (weights * from_mean * (values - mean)).sum(0) / spread.clamp(min=1e-12)
    left = (weights * (values - mean - slope * from_mean).square()).sum(0) / total
    # Two values lie on every line.
    free = ((weights > 0).sum(0) - 2).clamp(min=0)
    variance = left * total / free.clamp(min=1) / spread.clamp(min=1e-12)
    real = torch.where(free > 0, _SLOPE**2 / (_SLOPE**2 + variance), torch.zeros_like(variance))
    return mean - slope * real * mean_at
