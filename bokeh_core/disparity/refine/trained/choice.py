"""Which candidate a pixel gets."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

# Where two candidates are so nearly as likely that rounding would choose, they are mixed.
_DOUBT = 0.02
KEPT = 0.5 + _DOUBT
"""A pixel whose own value is at least as likely keeps it."""


def chosen(values: Tensor, likelihoods: Tensor) -> Tensor:
    """The median of candidates by their likelihoods: no other value has a smaller expected error.

    It is one of the candidates, so no value between two surfaces comes up; but for the few pixels where two
    are as likely, which get the mean of the quantiles from 0.48 to 0.52.

    Args:
        values: [P, N].
        likelihoods: [P, N], which add up to 1.

    Returns:
        [P].
    """
    order = _order(values)
    ordered, reached = values.gather(1, order), likelihoods.gather(1, order).cumsum(1)
    passed = ((reached - (0.5 - _DOUBT)) / (2 * _DOUBT)).clamp(0, 1)
    # Rounding must not leave the last short of 1.
    passed[:, -1] = 1
    shares = torch.cat([passed[:, :1], passed.diff(dim=1)], 1)
    middle = (passed < 0.5).sum(1, keepdim=True)
    value = ordered.gather(1, middle)
    # Beside the median, so that it comes back without rounding where it has the whole share.
    return (value + ((ordered - value) * shares).sum(1, keepdim=True))[:, 0]


def _order(values: Tensor) -> Tensor:
    if values.device.type != "cpu":
        return values.argsort(1)
    # Many times as fast as torch's own on a CPU.
    return torch.from_numpy(np.argsort(values.numpy(), axis=1))
