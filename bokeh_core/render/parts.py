"""Finished parts of a video on disk, each with a checksum: what a cancelled or crashed run left is kept."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..disk.lock import FileLock
from ..disk.whole_file import UNFINISHED, put_in_place, write_whole_json
from ..video_io import EncodedPart
from .parts_folder import (
    JOB,
    MADE_BY,
    clear,
    locked_folder,
    part_ending,
    parts_folder,
    read_json,
    remove_if_empty,
)
from .stored_maps import ESTIMATED, REFINED

_ANALYSIS = "analysis.json"
_PART = "part_"
_JOINED = "joined"
_log = logging.getLogger(__name__)
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
    """The locked folder beside an output file in which its parts wait to be joined; see `open_parts`."""

    def __init__(self, folder: Path, ending: str, lock: FileLock, rank: int = 0) -> None:
        self.folder = folder
        self._ending = ending
        self._lock = lock
        # Where locks keep nobody out, as on some network drives, two processes may make the same part.
        self._mark = f".{rank:08x}" if rank else ""
        self._removed = False

    def begin(self, key: str) -> None:
        """Keep what the job of this key left; what another one left is deleted."""
        if read_json(self.folder / JOB).get("key") != key:
            clear(self.folder)
            write_whole_json(self.folder / JOB, dict([MADE_BY, ("key", key)]))

    def analysis(self) -> dict[str, Any]:
        """What the first passes of an earlier run found; empty if there was none."""
        saved = read_json(self.folder / _ANALYSIS)
        found = saved.get("found")
        return found if isinstance(found, dict) and saved.get("sha256") == _digest(found) else {}

    def save_analysis(self, found: dict[str, Any]) -> None:
        """Keep what the first passes found."""
        write_whole_json(self.folder / _ANALYSIS, {"found": found, "sha256": _digest(found)})

    def has(self, span: Span) -> bool:
        """Whether a part is finished, by any process; its file is not looked at."""
        return self._path(span).with_suffix(".json").is_file()

    def verified(self, span: Span) -> EncodedPart | None:
        """Return a finished part whose file is as it was written; None if it has to be rendered."""
        path = self._path(span)
        entry = read_json(path.with_suffix(".json"))
        if (entry.get("start"), entry.get("stop")) != (span.start, span.stop) or not path.is_file():
            return None
        if path.stat().st_size != entry.get("bytes") or _checksum(path) != entry.get("sha256"):
            return None
        reorder = entry.get("reorder")
        return EncodedPart(path, span.start, span.stop, reorder) if isinstance(reorder, int) else None

    @contextmanager
    def unfinished(self, name: str) -> Iterator[Path]:
        """Offer a path to write to; the file is gone afterwards unless it was moved away."""
        path = self.folder / f"{name}{self._mark}{UNFINISHED}"
        try:
            yield path
        finally:
            # When the disk is gone there is nothing to delete, and its error is the one to report.
            with suppress(OSError):
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
        put_in_place(written, path)
        # A part counts once its entry is there, so that comes last.
        write_whole_json(path.with_suffix(".json"), entry)
        return EncodedPart(path, span.start, span.stop, reorder)

    def part_name(self, span: Span) -> str:
        """Name of a part, without an ending."""
        return f"{_PART}{span.start:08d}"

    def joined_name(self) -> str:
        """Name of the joined file, without an ending."""
        return _JOINED

    @property
    def worth_keeping(self) -> bool:
        """Whether a later run can go on with something."""
        return (self.folder / _ANALYSIS).is_file() or any(
            any(self.folder.glob(names)) for names in (f"{_PART}*.json", f"{ESTIMATED}*", f"{REFINED}*")
        )

    def remove(self) -> None:
        """Delete what is ours in the folder, and the folder unless somebody else's files are in it."""
        clear(self.folder)
        self._lock.release_and_delete()
        self._removed = True
        remove_if_empty(self.folder)

    def close(self) -> None:
        """Let go of the folder: it stays for a later run, if that can go on with something."""
        if self._removed:
            return
        if self.worth_keeping:
            _log.info("Stopped; finished parts are kept in %s for the next run of the same job.", self.folder)
            self._lock.release()
        else:
            self.remove()

    def _path(self, span: Span) -> Path:
        return self.folder / f"{self.part_name(span)}{self._ending}"


@contextmanager
def open_parts(output: Path, key: str) -> Iterator[PartStore]:
    """The folder of an output file, made if it is missing, for one run at a time.

    It belongs to one job: with other settings or sources, what an earlier job left in it is deleted. If the
    block raises, finished parts stay.

    Args:
        output: the file to be made.
        key: of all settings and sources.

    Raises:
        ValueError: another run makes this file now, or what is at the folder's path is not ours.
    """
    folder = parts_folder(output)
    store = PartStore(folder, part_ending(output), locked_folder(folder, output))
    try:
        store.begin(key)
        yield store
    finally:
        # When the folder is gone, as with an unplugged drive, the first error is the one to report.
        with suppress(OSError):
            store.close()


def _digest(found: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def _checksum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()
