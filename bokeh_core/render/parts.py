"""Finished parts of a video on disk, each with a checksum: what a cancelled or crashed run left is kept."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..video_io import EncodedPart

_JOB = "job.json"
_ANALYSIS = "analysis.json"
_PART = "part_"
_JOINED = "joined"
_UNFINISHED = ".unfinished"
_READ_AT_ONCE = 2**20


@dataclass(frozen=True)
class Span:
    """Frames [start, stop) of a clip that are one part."""

    start: int
    stop: int


def plan_parts(num_frames: int, part_frames: int) -> list[Span]:
    """Cut a clip into parts of `part_frames`; the last may be shorter."""
    return [Span(s, min(s + part_frames, num_frames)) for s in range(0, num_frames, part_frames)]


class PartStore:
    """The folder beside an output file in which its parts wait to be joined.

    It belongs to one job at a time: with other settings or sources, what is in it is deleted.
    """

    def __init__(self, output: Path, key: str) -> None:
        """Open the folder of an output file, or make it.

        Args:
            output: the file to be made.
            key: of all settings and sources.
        """
        self.folder = output.with_name(f"{output.name}.parts")
        self._ending = output.suffix
        self._key = key
        self.folder.mkdir(exist_ok=True)
        if _read_json(self.folder / _JOB).get("key") != key:
            self._clear()
            write_json(self.folder / _JOB, {"key": key})

    def analysis(self) -> dict[str, Any]:
        """What the first passes of an earlier run found; empty if there was none."""
        return _read_json(self.folder / _ANALYSIS)

    def save_analysis(self, found: dict[str, Any]) -> None:
        """Keep what the first passes found."""
        write_json(self.folder / _ANALYSIS, found)

    def verified(self, span: Span) -> EncodedPart | None:
        """Return a finished part whose file is as it was written; None if it has to be rendered."""
        path = self._path(span)
        entry = _read_json(path.with_suffix(".json"))
        if (entry.get("start"), entry.get("stop")) != (span.start, span.stop) or not path.is_file():
            return None
        if path.stat().st_size != entry["bytes"] or _checksum(path) != entry["sha256"]:
            return None
        return EncodedPart(path, span.start, span.stop, entry["reorder"])

    @contextmanager
    def unfinished(self, name: str) -> Iterator[Path]:
        """Offer a path to write to; the file is gone afterwards unless it was moved away."""
        path = self.folder / f"{name}{_UNFINISHED}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def finish(self, written: Path, span: Span, reorder: int) -> EncodedPart:
        """Take in the file of a part that is complete."""
        path = self._path(span)
        entry = {
            "start": span.start,
            "stop": span.stop,
            "reorder": reorder,
            "bytes": written.stat().st_size,
            "sha256": _checksum(written),
        }
        os.replace(written, path)
        # A part counts once its entry is there, so that comes last.
        write_json(path.with_suffix(".json"), entry)
        return EncodedPart(path, span.start, span.stop, reorder)

    def part_name(self, span: Span) -> str:
        """Name of a part, without an ending."""
        return f"{_PART}{span.start:08d}"

    def joined_name(self) -> str:
        """Name of the joined file, without an ending."""
        return _JOINED

    def remove(self) -> None:
        """Delete the folder and what this class put into it."""
        self._clear()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _path(self, span: Span) -> Path:
        return self.folder / f"{self.part_name(span)}{self._ending}"

    def _clear(self) -> None:
        # Only what is ours: the folder might hold something else.
        for pattern in (f"{_PART}*", f"{_JOINED}*", f"*{_UNFINISHED}", _JOB, _ANALYSIS):
            for path in self.folder.glob(pattern):
                path.unlink()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file that is either whole or not there."""
    unfinished = path.with_name(f"{path.name}{_UNFINISHED}")
    unfinished.write_text(json.dumps(content), encoding="utf-8")
    os.replace(unfinished, path)


def _read_json(path: Path) -> dict[str, Any]:
    """Content of a file of ours; empty where it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _checksum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()
