"""Messages for clips that failed, and what to report where the fault is ours."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from ...libraries import missing_library, missing_library_message
from ...memory.errors import is_out_of_memory


@dataclass(frozen=True)
class Failure:
    """A clip that could not be made.

    Attributes:
        name: of the clip.
        error: why.
    """

    name: str
    error: Exception

    @property
    def expected(self) -> bool:
        """Whether the error's message is written for users."""
        if is_out_of_memory(self.error) or missing_library(self.error):
            return True
        # FFmpeg's own errors are OSErrors and ValueErrors too, and say little.
        ours = isinstance(self.error, (ValueError, OSError)) and not isinstance(self.error, UnicodeError)
        return ours and not type(self.error).__module__.startswith("av.")

    def __str__(self) -> str:
        return f"{self.name}: {message_of(self.error)}"


def message_of(error: Exception) -> str:
    """What an error says, and what helps; never empty."""
    said = str(error).strip() or "no reason given"
    if is_out_of_memory(error):
        return (
            f"Out of memory ({type(error).__name__}: {said.splitlines()[0]}). Use smaller frames or a lower "
            "strength, or close other programs; finished parts are kept."
        )
    if library := missing_library(error):
        return missing_library_message(library, said)
    if isinstance(error, OSError):
        return f"The system says: {said}. Finished parts are kept."
    return said if isinstance(error, ValueError) else f"{type(error).__name__}: {said}"


def told(failures: Sequence[Failure], count: int) -> str:
    """All failures of a run of `count` clips; where one is unexpected, its traceback goes to a file."""
    lines = [f"{len(failures)} of {count} clips failed:"] if count > 1 else []
    lines += map(str, failures)
    unexpected = [failure for failure in failures if not failure.expected]
    if unexpected:
        lines.append(_log(unexpected))
    return "\n".join(lines)


def _log(failures: Sequence[Failure]) -> str:
    text = "\n".join(
        f"{failure.name}\n{''.join(traceback.format_exception(failure.error))}" for failure in failures
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", errors="backslashreplace", prefix="bokeh_", suffix=".log", delete=False
        ) as file:
            file.write(text)
    except OSError:
        # The disk may be what failed: better long than lost.
        return f"This should not happen; please report it with these lines:\n{text}"
    return f"This should not happen; please report it with the file {file.name}."
