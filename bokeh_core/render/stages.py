"""The stages of a run, and how their progress is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor

from ..disk.space import free_bytes_in
from ..progress import Check, Show, no_check, no_show

# Stage -> its rough share of the time a clip takes.
_WEIGHTS = {
    "reading video": 0.03,
    "estimating depth": 0.1,
    "reading depth": 0.03,
    "refining depth": 0.1,
    "measuring focus": 0.03,
    "rendering": 0.7,
    "joining": 0.01,
}
STAGES = tuple(_WEIGHTS)


class StageProgress(Protocol):
    """`progress.Progress` of each stage of a run; raising stops the run, which keeps the finished parts."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Learn that one more frame of a stage is finished.

        Args:
            stage: one of `STAGES`.
            done: finished frames of the stage, up to `total`.
            total: frames of the stage; 0 while that is unknown.
        """


def no_stage_progress(stage: str, done: int, total: int) -> None:
    """The progress of runs that nobody watches."""


@dataclass(frozen=True)
class Caller:
    """Whom a run tells what it does, and asks whether and where it may go on; see `run.run_job`."""

    progress: StageProgress = no_stage_progress
    check: Check = no_check
    free_bytes: Callable[[Path], int] = free_bytes_in
    show: Show = no_show


def overall_share(stage: str, done: int, total: int) -> float:
    """How much of a whole job is finished, 0 to 1; arguments as `StageProgress`."""
    before = sum(list(_WEIGHTS.values())[: STAGES.index(stage)])
    return before + _WEIGHTS[stage] * (min(done / total, 1) if total else 0)


def ticking(frames: Iterator[Tensor], tick: Check) -> Iterator[Tensor]:
    """Hand frames on and call `tick` after each."""
    for frame in frames:
        yield frame
        tick()
