"""One clip over the processes of a launcher: process 0 plans and joins, each renders a share of the parts.

All that passes between them lies in the folder of parts: process 0 writes how the missing parts are shared
out, and whoever holds the lock of a share renders it. The lock of a process that is lost is free, so process
0 takes what that left; parts that are finished are kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

from ..disk.lock import FileLock, try_lock
from ..disk.whole_file import write_whole_json
from ..progress import Check
from .output import look_at_output
from .parts import PartStore, Span
from .parts_folder import (
    SHARES,
    part_ending,
    parts_folder,
    read_json,
    remove_if_empty,
    require_ours,
    share_lock,
)
from .processes import Process
from .result import Found

LOOK_AGAIN_S = 0.2
# Longer than a process takes to start and to read what its clip is.
UNSEEN_FOR_S = 600.0


def shares_of(spans: Sequence[Span], count: int) -> list[list[Span]]:
    """Cut parts into `count` shares of neighbours, of which a renderer makes one after another fastest."""
    bounds = [len(spans) * i // count for i in range(count + 1)]
    return [list(spans[start:stop]) for start, stop in pairwise(bounds)]


class Leader:
    """Process 0: it tells the others what to render, and makes what they leave."""

    def __init__(self, store: PartStore, key: str, process: Process, check: Check) -> None:
        self._store = store
        self._key = key
        self._process = process
        self._check = check

    def turns(self, missing: Sequence[Span], tell: Callable[[], None]) -> Iterator[list[Span]]:
        """Yield parts for this process to make, until all that are missing are there.

        Args:
            missing: parts of the clip that no earlier run has finished.
            tell: called while others work.
        """
        if self._process.count == 1:
            yield list(missing)
            return
        shares = shares_of(missing, self._process.count)
        plan = [[(span.start, span.stop) for span in share] for share in shares]
        write_whole_json(self._store.folder / SHARES, {"key": self._key, "shares": plan})
        yield shares[0]
        left = {rank: share for rank, share in enumerate(shares) if rank}
        while left:
            for rank, share in list(left.items()):
                lock = _lock_of_share(self._store.folder, rank)
                if lock is None:
                    continue
                # Nobody works on it: it is finished, or its process was lost or never came.
                try:
                    yield [span for span in share if self._store.verified(span) is None]
                finally:
                    lock.release()
                del left[rank]
            if left:
                tell()
                self._check()
                time.sleep(LOOK_AGAIN_S)


@contextmanager
def leading(store: PartStore, key: str, process: Process, check: Check) -> Iterator[Leader]:
    """Be process 0 of those that make a clip, or its only one, as long as parts are rendered."""
    if process.count == 1:
        yield Leader(store, key, process, check)
        return
    # What a run that was killed had shared out.
    (store.folder / SHARES).unlink(missing_ok=True)
    present = _awaited_lock(store.folder, 0, check)
    try:
        yield Leader(store, key, process, check)
    finally:
        # Nothing of this may be open when the folder is deleted, which Windows would refuse.
        with suppress(OSError):
            (store.folder / SHARES).unlink(missing_ok=True)
        present.release_and_delete()
    for rank in range(1, process.count):
        _awaited_lock(store.folder, rank, check).release_and_delete()


@contextmanager
def taken_share(
    output: Path, key: str, process: Process, check: Check
) -> Iterator[tuple[PartStore, list[Span]] | None]:
    """The store and the parts that this process is to render; None where process 0 needs nobody any more.

    Args:
        output: the file that process 0 makes.
        key: of all settings and sources.
        process: not number 0.
        check: called while process 0 has not yet told.

    Raises:
        ValueError: process 0 does not come.
    """
    folder = parts_folder(output)
    if not _told(output, key, process, check):
        yield None
        return
    lock = _lock_of_share(folder, process.rank)
    if lock is None:
        yield None
        return
    # Process 0 may have done it all meanwhile.
    spans = _share_in(folder, key, process)
    if spans is None:
        lock.release_and_delete()
        remove_if_empty(folder)
        yield None
        return
    try:
        yield PartStore(folder, part_ending(output), lock, process.rank), spans
    finally:
        lock.release()


def _told(output: Path, key: str, process: Process, check: Check) -> bool:
    """Wait for what process 0 shares out; False where it does not need this one."""
    folder = parts_folder(output)
    seen, latest = False, time.monotonic() + UNSEEN_FOR_S
    while _share_in(folder, key, process) is None:
        if _is_led(folder):
            seen = True
        elif seen or look_at_output(output, key) is Found.RESULT:
            return False
        elif time.monotonic() > latest:
            raise ValueError(
                f"Process {process.rank} of {process.count} has waited {UNSEEN_FOR_S / 60:.0f} minutes for "
                f"process 0, which shares out the parts in {folder}. Start all processes on the same files."
            )
        check()
        time.sleep(LOOK_AGAIN_S)
    return True


def _share_in(folder: Path, key: str, process: Process) -> list[Span] | None:
    """Return the parts of a process, where they are shared out for this job among as many processes."""
    told = read_json(folder / SHARES)
    shares = told.get("shares")
    if told.get("key") != key or not isinstance(shares, list) or len(shares) != process.count:
        return None
    return [Span(start, stop) for start, stop in shares[process.rank]]


def _is_led(folder: Path) -> bool:
    """Whether a process 0 is at work in a folder."""
    try:
        require_ours(folder)
        lock = try_lock(share_lock(folder, 0))
    except FileNotFoundError:
        return False
    if lock is not None:
        lock.release_and_delete()
        # Process 0 may have left just now, and have found this lock in the folder that it took away.
        remove_if_empty(folder)
    return lock is None


def _lock_of_share(folder: Path, rank: int) -> FileLock | None:
    """Take the lock of a share; None where another process has it, or deletes it just now."""
    with suppress(FileNotFoundError):
        return try_lock(share_lock(folder, rank))
    return None


def _awaited_lock(folder: Path, rank: int, check: Check) -> FileLock:
    """Take the lock of a share that others only hold for a short time."""
    while (lock := _lock_of_share(folder, rank)) is None:
        check()
        time.sleep(LOOK_AGAIN_S)
    return lock
