"""Several parts of the test command at a time: what one part waits for, another computes."""

from __future__ import annotations

import locale
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .environment import PACK, log

# Two parts keep two processors busy, and what they hold fits into 8 GB of memory.
MOST_LANES = 2

# What programs write into a file or pipe by default.
ENCODING = locale.getpreferredencoding(False)


@dataclass(frozen=True)
class Check:
    """One line of the summary: a command that passes by returning 0.

    Attributes:
        name: what the summary calls it.
        command: an interpreter or program, and its arguments.
        cwd: the folder it runs in.
        environment: variables that it has besides those of this process.
    """

    name: str
    command: Sequence[str]
    cwd: Path = PACK
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a check went: `passed`, `FAILED` or `NOT RUN`, and in how many seconds."""

    name: str
    outcome: str
    seconds: float


class Lanes:
    """Runs parts, each a list of checks in order, several parts at a time.

    What a check says is shown as it comes where there is one lane, otherwise in one piece when it ends.
    """

    def __init__(self, most: int | None = None) -> None:
        """Prepare lanes: at most so many, by default as many as there are processors, up to two."""
        self._cores = os.cpu_count() or 1
        self._most = most or min(MOST_LANES, self._cores)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._given_up = False

    def run(self, parts: Sequence[Sequence[Check]]) -> list[list[Result]]:
        """Run all parts, those that stand first begin first; return the results of each.

        No check outlives this call, whatever ends it.
        """
        lanes = min(self._most, len(parts))
        if lanes <= 1:
            return [[self._run(check, {}, shown=True) for check in part] for part in parts]
        # Libraries that take every processor for themselves would wait for one another.
        threads = {"OMP_NUM_THREADS": str(max(1, self._cores // lanes))}
        with ThreadPoolExecutor(lanes) as pool:
            try:
                running = [pool.submit(self._run_part, part, threads) for part in parts]
                for part in wait(running, return_when=FIRST_EXCEPTION).done:
                    part.result()
                return [part.result() for part in running]
            finally:
                self._give_up()
                pool.shutdown(cancel_futures=True)

    def _run_part(self, part: Sequence[Check], environment: Mapping[str, str]) -> list[Result]:
        return [self._run(check, environment, shown=False) for check in part]

    def _run(self, check: Check, environment: Mapping[str, str], *, shown: bool) -> Result:
        title = f"== {check.name}: {' '.join(check.command[2:])}"
        log(f"\n{title}" if shown else f"-- {check.name} began")
        started = time.monotonic()
        # A file and not a pipe: what a check left running would hold the pipe open.
        with tempfile.TemporaryFile("w+", encoding=ENCODING, errors="replace") as said:
            process = self._start(check, environment, None if shown else said)
            try:
                process.wait()
            finally:
                # Ctrl-C and the like, where this is the main thread.
                process.kill()
                process.wait()
                with self._lock:
                    self._running.discard(process)
            outcome = "passed" if process.returncode == 0 else "FAILED"
            if not shown:
                said.seek(0)
                log(f"\n{title}\n{said.read()}-- {check.name} {outcome}")
        return Result(check.name, outcome, time.monotonic() - started)

    def _start(
        self, check: Check, environment: Mapping[str, str], output: IO[str] | None
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._given_up:
                raise RuntimeError(f"{check.name} was not begun: the run was given up.")
            process = subprocess.Popen(
                check.command,
                cwd=check.cwd,
                env={**os.environ, **environment, **check.environment},
                stdout=output,
                stderr=output and subprocess.STDOUT,
            )
            self._running.add(process)
        return process

    def _give_up(self) -> None:
        with self._lock:
            self._given_up = True
            for process in self._running:
                process.kill()
