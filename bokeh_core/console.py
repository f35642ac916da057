"""What the command lines write on the standard streams, whatever these can show; their progress bar."""

from __future__ import annotations

import io
import sys
from typing import Any, TextIO

# A log cannot be redrawn, so a bar writes a new line there this often.
_LOG_EVERY_S = 10.0


def write_what_the_stream_can_show() -> None:
    r"""Make the standard streams write characters that their encoding lacks as escapes such as `\u96e8`.

    A redirected stream has the system's encoding (cp1252 on many a Windows), and a file's name may hold
    anything; without this the first such name ends the run.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def progress_bar(
    label: str,
    unit: str,
    total: int | None = None,
    *,
    done: int = 0,
    shown: bool = True,
    quiet_s: float = 0.0,
    stream: TextIO | None = None,
) -> Any:
    """Return a `tqdm` bar, a context manager.

    Args:
        label: what it counts towards.
        unit: what it counts.
        total: how many; None where that is not known yet.
        done: how many were done before.
        shown: False makes a bar that writes nothing.
        quiet_s: nothing is drawn before, as where input is still being checked and errors are short.
        stream: where it is drawn; the standard error by default.
    """
    # Here, because dev.py loads this file in a Python that has only the standard library.
    from tqdm import tqdm

    stream = stream or sys.stderr
    pause_s = 0.1 if stream.isatty() else _LOG_EVERY_S
    return tqdm(
        desc=label,
        unit=unit,
        total=total,
        initial=done,
        disable=not shown,
        delay=quiet_s,
        file=stream,
        mininterval=pause_s,
    )


def advance(bar: Any, done: int, total: int) -> None:
    """Bring a bar to `done` of `total`; a total of 0 is not known yet."""
    bar.total = total or None
    bar.update(done - bar.n)
