"""Progress on a terminal: a bar where tqdm is installed, else a line for every tenth of a stage."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import TracebackType
from typing import Any, TextIO


class ProgressLine:
    """Shows the stages of one clip; a context manager, and a `Progress`."""

    def __init__(self, name: str, stream: TextIO | None = None) -> None:
        """Begin.

        Args:
            name: of the clip.
            stream: where to write; the standard error by default.
        """
        self._name = name
        self._stream = stream or sys.stderr
        self._stage = ""
        self._bar: Any = None
        self._tenth = -1
        self._has_bars = importlib.util.find_spec("tqdm") is not None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of `total` frames of a stage are finished; 0 where the total is not known."""
        if stage != self._stage:
            self._close()
            self._stage, self._tenth = stage, -1
            if self._has_bars:
                tqdm: Any = importlib.import_module("tqdm").tqdm
                label = f"{self._name}: {stage}"
                self._bar = tqdm(total=total or None, desc=label, unit="frame", file=self._stream)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        elif total and 10 * done // total > self._tenth:
            self._tenth = 10 * done // total
            self._stream.write(f"{self._name}: {stage}, {done} of {total} frames\n")
            self._stream.flush()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
