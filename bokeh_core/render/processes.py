"""The processes that a launcher started, and the clips of a folder shared out over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Process:
    """This process among those of a launcher.

    Attributes:
        rank: its number among all.
        count: of all, on every machine.
        local_rank: its number on this machine, which is that of its GPU.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    def share_of(self, items: Sequence[Item]) -> list[Item]:
        """Every `count`-th item from number `rank` on: shares are disjoint and together all."""
        return list(items[self.rank :: self.count])


def this_process(environment: Mapping[str, str]) -> Process:
    """Read what `accelerate launch` and `torchrun` tell each process they start; alone if there is nothing.

    Raises:
        ValueError: numbers that do not fit together.
    """
    if "RANK" not in environment or "WORLD_SIZE" not in environment:
        return Process()
    given = environment["RANK"], environment["WORLD_SIZE"], environment.get("LOCAL_RANK", environment["RANK"])
    if not all(text.isdecimal() for text in given):
        raise ValueError(f"RANK, WORLD_SIZE and LOCAL_RANK are {', '.join(given)}; they must be numbers.")
    rank, count, local_rank = (int(text) for text in given)
    if rank >= count:
        raise ValueError(f"RANK is {rank} and WORLD_SIZE {count}; ranks count from 0 to {count - 1}.")
    return Process(rank, count, local_rank)
