"""Raw depth maps -> disparity in [0, 1], by a few numbers that were measured over the whole clip."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .holes import HOLES, fill_from_around, holes_in

_REFUSE, _FAR, _ = HOLES


@dataclass(frozen=True)
class DisparityConversion:
    """Raw maps -> disparity in [0, 1], near = 1, frame by frame.

    Attributes:
        inverted: metric depth: 1 / v, or 1 / (1 - v) where `flip_at` is given.
        flip_at: near black: c - v.
        exponent: power applied after that.
        low: what becomes 0; with `high`, or neither where the values are kept.
        high: what becomes 1.
        report: what was decided, one fact a line.
        holes: what becomes of pixels without depth, one of `HOLES`.
        zero_is_a_hole: whether they are also those of value 0.
    """

    inverted: bool
    flip_at: float | None
    exponent: float
    low: float | None
    high: float | None
    report: str
    holes: str = _REFUSE
    zero_is_a_hole: bool = False

    @property
    def distances(self) -> tuple[float, float] | None:
        """Distance where disparity is 1 and where it is 0, in the unit of the maps; None where they say none.

        The farther one is infinite where holes or the sky are taken as infinitely far.
        """
        # Stored as 1 - v, or to a power, distances have lost their unit.
        if not self.inverted or self.flip_at is not None or self.exponent != 1:
            return None
        if self.low is None or not self.high:
            return None
        return 1 / self.high, 1 / self.low if self.low > 0 else math.inf

    def apply(self, values: Tensor) -> Tensor:
        """Raw [H, W] -> disparity, float32 of the same shape; the input is not written to."""
        if self.holes == _REFUSE:
            return self._disparity(values)
        hole = holes_in(values, self.inverted, self.flip_at is not None, self.zero_is_a_hole)
        if hole is None:
            return self._disparity(values)
        if bool(hole.all()):
            return torch.zeros_like(values)
        maps = self._disparity(values.masked_fill(hole, values[~hole][0].item()))
        return maps.masked_fill_(hole, 0) if self.holes == _FAR else fill_from_around(maps, hole)

    def _disparity(self, values: Tensor) -> Tensor:
        maps = raised(oriented(values, self.inverted, self.flip_at), self.exponent)
        if self.low is None or self.high is None:
            return maps.clamp(0, 1)
        return (maps - self.low).div_(self.high - self.low).clamp_(0, 1)


def oriented(values: Tensor, inverted: bool, flip_at: float | None) -> Tensor:
    """Raw values with near = large; see `DisparityConversion`."""
    flipped = values if flip_at is None else flip_at - values
    return 1 / flipped if inverted else flipped


def raised(maps: Tensor, exponent: float) -> Tensor:
    """Values to a power; 1 gives them back."""
    return maps if exponent == 1 else maps**exponent
