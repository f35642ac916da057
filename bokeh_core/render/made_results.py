"""Results of a session: how they are named, and which are gone since and have to be made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Enough for any session; the oldest are forgotten.
_REMEMBERED = 256
_TYPED = (str, int, float, bool)
# A name may have 255 bytes, a path on Windows 260 characters.
LONGEST_STEM = 96
_NOT_IN_NAMES = '<>:"/\\|?*'


@dataclass(frozen=True)
class _Result:
    settings: Mapping[str, Any]
    path: Path
    state: tuple[int, int] | None


def result_stem(source_name: str) -> str:
    """Name a result after its source, in characters that every disk and browser takes.

    Args:
        source_name: of the source, without ending.

    Returns:
        At most `LONGEST_STEM` bytes in UTF-8, so that what is put behind it still fits into a name.
    """
    shown = "".join(char if char.isprintable() and char not in _NOT_IN_NAMES else "_" for char in source_name)
    cut = shown.encode("utf-8")[:LONGEST_STEM].decode("utf-8", "ignore").strip()
    return cut or "video"


class MadeResults:
    """Files with the typed settings that they were made from."""

    def __init__(self) -> None:
        self._results: dict[Path, _Result] = {}
        self._losses: dict[frozenset[tuple[str, Any]], int] = {}

    def add(self, settings: Mapping[str, Any], path: Path) -> None:
        """Remember a finished file.

        Args:
            settings: all that it was made from; only texts and numbers are kept.
            path: of the file.
        """
        self._results.pop(path, None)
        self._results[path] = _Result(_typed(settings), path, _state(path))
        while len(self._results) > _REMEMBERED:
            del self._results[next(iter(self._results))]

    def losses(self, settings: Mapping[str, Any]) -> int:
        """Count how often files made from these settings were found deleted, emptied or replaced.

        A loss is counted once, and the number does not change as long as the files stay as they were made:
        as a part of what a cache compares, it makes a node run again after a loss, and only then.

        Args:
            settings: those that are known; a file that was made from more of them belongs to them too.
        """
        known = _typed(settings)
        lost = [result for result in self._results.values() if _lost(result, known)]
        for result in lost:
            del self._results[result.path]
        key = frozenset(known.items())
        self._losses[key] = self._losses.get(key, 0) + len(lost)
        return self._losses[key]


def _typed(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if isinstance(value, _TYPED)}


def _lost(result: _Result, known: Mapping[str, Any]) -> bool:
    if any(result.settings.get(name) != value for name, value in known.items()):
        return False
    return _state(result.path) != result.state


def _state(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns
