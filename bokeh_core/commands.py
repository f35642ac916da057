"""The commands of a shell, loaded when they are called, so that a missing library is told in one sentence."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from .libraries import missing_library, missing_library_message

COMMANDS = {"render": "bokeh_core.render.command.program", "convert": "bokeh_core.convert.command"}
"""Name -> the module whose `main(argv, called)` it runs."""


def run_command(name: str, argv: Sequence[str], called: str) -> int:
    """Run a command; 1 with one sentence on stderr where a library that it needs is missing.

    Args:
        name: one of `COMMANDS`.
        argv: what was typed behind it.
        called: how the user called it, for its help.
    """
    try:
        program = importlib.import_module(COMMANDS[name])
    except ImportError as error:
        library = missing_library(error)
        if not library:
            raise
        sys.stderr.write(f"{missing_library_message(library, str(error))}\n")
        return 1
    code: int = program.main(argv, called)
    return code
