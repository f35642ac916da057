"""A run that the system ends is stopped as by Ctrl-C: finished parts stay, and it says how to go on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopping_on_termination() -> Iterator[None]:
    """Raise KeyboardInterrupt where the process is told to end; only the main thread can be told."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # The second is what Windows sends when Ctrl-Break is pressed.
    kinds = [getattr(signal, name) for name in ("SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {kind: signal.signal(kind, _stop) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
