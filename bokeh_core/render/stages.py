"""The stages of a run, and how their progress is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from torch import Tensor

# Stage -> its rough share of the time a clip takes.
_WEIGHTS = {
    "reading video": 0.03,
    "reading depth": 0.03,
    "measuring focus": 0.03,
    "rendering": 0.9,
    "joining": 0.01,
}
STAGES = tuple(_WEIGHTS)


class Progress(Protocol):
    """What is called as a run advances; it may raise to stop the run, which keeps the finished parts."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Learn that one more frame of a stage is finished.

        Args:
            stage: one of `STAGES`.
            done: finished frames of the stage, up to `total`.
            total: frames of the stage; 0 while that is unknown.
        """


def no_progress(stage: str, done: int, total: int) -> None:
    """A `Progress` for runs that nobody watches."""


def overall_share(stage: str, done: int, total: int) -> float:
    """How much of a whole job is finished, 0 to 1; arguments as `Progress`."""
    before = sum(list(_WEIGHTS.values())[: STAGES.index(stage)])
    return before + _WEIGHTS[stage] * (min(done / total, 1) if total else 0)


def ticking(frames: Iterator[Tensor], tick: Callable[[], None]) -> Iterator[Tensor]:
    """Hand frames on and call `tick` after each."""
    for frame in frames:
        yield frame
        tick()


def counter(progress: Progress, stage: str, total: int) -> Callable[[], None]:
    """A tick that tells `progress` how often it was called."""
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress(stage, done, total)

    return tick
