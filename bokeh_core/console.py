"""What the command lines write on the standard streams, whatever these can show."""

from __future__ import annotations

import io
import sys


def write_what_the_stream_can_show() -> None:
    r"""Make the standard streams write characters that their encoding lacks as escapes such as `\u96e8`.

    A redirected stream has the system's encoding (cp1252 on many a Windows), and a file's name may hold
    anything; without this the first such name ends the run.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
