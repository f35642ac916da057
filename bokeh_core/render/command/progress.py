"""Progress on a terminal: a bar for each stage of a clip."""

from __future__ import annotations

from types import TracebackType
from typing import Any, TextIO

from bokeh_core.console import advance, progress_bar


class ProgressLine:
    """Shows the stages of one clip; a context manager, and a `StageProgress`."""

    def __init__(self, name: str, stream: TextIO | None = None) -> None:
        """Begin with no bar; each stage opens its own.

        Args:
            name: of the clip.
            stream: where to write; the standard error by default.
        """
        self._name = name
        self._stream = stream
        self._stage = ""
        self._bar: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of `total` frames of a stage are finished; 0 where the total is not known."""
        if stage != self._stage:
            self._close()
            self._stage = stage
            self._bar = progress_bar(f"{self._name}: {stage}", "frame", total or None, stream=self._stream)
        advance(self._bar, done, total)

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
