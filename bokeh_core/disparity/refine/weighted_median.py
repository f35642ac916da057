"""The median of values that do not count alike."""

from torch import Tensor


def weighted_median(values: Tensor, weights: Tensor) -> Tensor:
    """Median over the first axis of values [N, ...] by weights [N, ...]: one of the values, never a mean."""
    ordered, order = values.sort(0)
    reached = weights.gather(0, order).cumsum(0)
    at = (reached < reached[-1:] / 2).sum(0, keepdim=True).clamp(max=len(values) - 1)
    return ordered.gather(0, at)[0]
