"""Random draws that give the same numbers on every machine."""

import hashlib
import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor

Item = TypeVar("Item")


class Draws:
    """Draws from a torch.Generator on the CPU; the global random state is neither read nor changed.

    Everything is made from `torch.rand`: its bits are the same on every processor, those of the normal
    distribution are not.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    @classmethod
    def named(cls, *names: object) -> "Draws":
        """Start a stream of its own for each sequence of names, so that streams do not shift each other."""
        digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
        return cls(torch.Generator("cpu").manual_seed(int.from_bytes(digest[:7], "big")))

    def numbers(self, *shape: int) -> Tensor:
        """Float64 tensor, uniform in [0, 1)."""
        return torch.rand(shape, generator=self.generator, dtype=torch.float64)

    def uniform(self, low: float, high: float) -> float:
        """One number in [low, high)."""
        return low + (high - low) * float(self.numbers(1))

    def log_uniform(self, low: float, high: float) -> float:
        """One number in [low, high), every octave as likely as the next."""
        return math.exp(self.uniform(math.log(low), math.log(high)))

    def integer(self, low: int, high: int) -> int:
        """One integer, low <= n <= high."""
        return low + min(int(self.uniform(0, high - low + 1)), high - low)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.uniform(0, 1) < probability

    def choice(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[self.integer(0, len(items) - 1)]

    def order(self, count: int) -> list[int]:
        """The integers below `count`, shuffled."""
        return self.numbers(count).argsort().tolist()
