"""A batch of hostile inputs in a process of its own, with bounds on its memory and its time."""

from __future__ import annotations

import multiprocessing
import tempfile
import traceback
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from .kinds import kind_of

BATCH = 500
BATCH_SECONDS = 300
BATCH_GIB = 6


@dataclass(frozen=True)
class Batch:
    """Some inputs of one kind, which its seed determines."""

    kind: str
    seed: int
    count: int


@dataclass(frozen=True)
class Outcome:
    """What became of a batch: how often each outcome was seen, or why it failed."""

    batch: Batch
    counts: Counter[str]
    failure: str = ""


def run_batch(batch: Batch) -> Outcome:
    """Try a batch in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(batch, sending), daemon=True)
    process.start()
    sending.close()
    outcome = Outcome(batch, Counter(), "it was ended from outside, as by want of memory")
    if receiving.poll(BATCH_SECONDS):
        try:
            outcome = receiving.recv()
        except EOFError:
            process.join()
            outcome = Outcome(batch, Counter(), f"its process ended with {process.exitcode}")
    else:
        outcome = Outcome(batch, Counter(), f"it took longer than {BATCH_SECONDS} s")
        process.kill()
    process.join()
    return outcome


def _child(batch: Batch, sending: Connection) -> None:
    _limit_memory()
    try:
        with tempfile.TemporaryDirectory() as folder:
            counts = kind_of(batch.kind).run(batch.seed, batch.count, Path(folder))
        sending.send(Outcome(batch, counts))
    except BaseException:  # noqa: BLE001 - whatever it is, it is the finding
        sending.send(Outcome(batch, Counter(), traceback.format_exc()))


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; time is limited there all the same.
        return
    resource.setrlimit(resource.RLIMIT_AS, (BATCH_GIB * 2**30, BATCH_GIB * 2**30))


def batches_of(kind: str, count: int, seed: int) -> list[Batch]:
    """Cut the inputs of a kind into batches with seeds of their own."""
    starts = range(0, count, BATCH)
    return [Batch(kind, seed * 1_000_000 + start, min(BATCH, count - start)) for start in starts]
