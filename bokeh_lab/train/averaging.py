"""The moving average of the weights, which is what is validated and exported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn


class MovingAverage:
    """Exponential moving average of the parameters that learn.

    After step n = 1, 2, ... the average a becomes d a + (1 - d) w with d = min(decay, n / (9 + n)), and d = 0
    at the first step: a short average at the beginning does not remember random weights.

    Attributes:
        state: what a checkpoint keeps, `diffusers.training_utils.EMAModel`.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], decay: float) -> None:
        from diffusers.training_utils import EMAModel

        self.state: Any = EMAModel(list(parameters), decay=decay)

    def step(self, parameters: Iterable[nn.Parameter]) -> None:
        """Take in the weights after an optimiser step."""
        self.state.step(parameters)

    def swap_in(self, parameters: Iterable[nn.Parameter]) -> None:
        """Put the averages in place of the parameters."""
        parameters = list(parameters)
        self.state.store(parameters)
        self.state.copy_to(parameters)

    def swap_out(self, parameters: Iterable[nn.Parameter]) -> None:
        """Put the parameters back."""
        self.state.restore(parameters)
