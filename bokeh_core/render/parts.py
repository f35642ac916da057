"""Finished parts of a video on disk, each with a checksum: what a cancelled or crashed run left is kept."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..disk.lock import FileLock, try_lock
from ..disk.whole_file import UNFINISHED, put_in_place, write_whole_json
from ..video_io import CONTAINERS, EncodedPart

_JOB = "job.json"
_ANALYSIS = "analysis.json"
_LOCK = "any_to_bokeh.lock"
_PART = "part_"
_JOINED = "joined"
SHARES = "shares.json"
SUFFIX = ".parts"
# By this entry of job.json a folder of parts is known as ours.
_MADE_BY = ("made_by", "Any-to-Bokeh")
# Every name that a file of ours can have in a folder of ours; whatever else is there is somebody else's.
_OUR_NAMES = re.compile(
    r"(part_\d{8,}(\.(mp4|mov|mkv|zip|json))?|depth_\d{8,}\.npz|joined|joined_sound\.(m4a|nut)|(job|analysis|shares)\.json"
    r"|share_\d+\.lock)"
    rf"(\.[0-9a-f]{{8}})?({re.escape(UNFINISHED)})?"
)
_SHARE_LOCK = re.compile(r"share_\d+\.lock")
# What a run that was stopped while it joined pictures left.
_OUR_FOLDERS = (f"joined_pictures{UNFINISHED}", f"old_pictures{UNFINISHED}")
STALE_AFTER_DAYS = 14
_log = logging.getLogger(__name__)
_READ_AT_ONCE = 2**20
_LOCK_ATTEMPTS = 20


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
        if read_json(self.folder / _JOB).get("key") != key:
            _clear(self.folder)
            write_whole_json(self.folder / _JOB, dict([_MADE_BY, ("key", key)]))

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
            any(self.folder.glob(names)) for names in (f"{_PART}*.json", "depth_*.npz")
        )

    def remove(self) -> None:
        """Delete what is ours in the folder, and the folder unless somebody else's files are in it."""
        _clear(self.folder)
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


def share_lock(folder: Path, rank: int) -> Path:
    """The file that is locked by whoever renders the share of process `rank`."""
    return folder / f"share_{rank}.lock"


def part_ending(output: Path) -> str:
    """Ending of the files of parts: that of a video; pictures wait in one file for their folder."""
    ending = output.suffix.lower()
    return ending if ending in CONTAINERS else ".zip"


def parts_folder(output: Path) -> Path:
    """Where the parts of an output file wait; absolute, as FFmpeg takes `take:1.mp4` for an address."""
    return output.absolute().with_name(f"{output.name}{SUFFIX}")


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
    store = PartStore(folder, part_ending(output), _locked(folder, output))
    try:
        store.begin(key)
        yield store
    finally:
        # When the folder is gone, as with an unplugged drive, the first error is the one to report.
        with suppress(OSError):
            store.close()


def require_ours(folder: Path) -> None:
    """Check that what is at the path of a folder of parts may be written to: nothing, or what we made.

    Raises:
        ValueError: it is a file, a link, or a folder of somebody else.
    """
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and _is_ours(folder))):
        raise ValueError(
            f"{folder} is not a folder of parts that a run of this program left; parts would wait there. "
            "Move it away, or name another output. Nothing in it was touched."
        )


def remove_left_parts(output: Path) -> None:
    """Delete the parts of a finished file, which a run that was killed as it ended may have left."""
    # Failing to delete them does no harm.
    with suppress(OSError):
        _remove_unheld(parts_folder(output))


def remove_stale_parts(folder: Path, now: float | None = None) -> list[Path]:
    """Delete the parts in a folder with which nobody went on.

    Stale are parts that a run of ours left, in which nothing has changed for `STALE_AFTER_DAYS` days and that
    no run holds. Only files of ours are deleted; finished videos never are.

    Args:
        folder: with outputs.
        now: seconds since 1970; the clock by default.

    Returns:
        The folders of parts that were cleared.
    """
    oldest = (time.time() if now is None else now) - STALE_AFTER_DAYS * 86400
    cleared = []
    for parts in sorted(folder.glob(f"*{SUFFIX}")):
        # Somebody else's run, or an unwritable folder, is no reason not to render.
        with suppress(OSError):
            if max(
                (path.stat().st_mtime for path in parts.iterdir()), default=math.inf
            ) <= oldest and _remove_unheld(parts):
                cleared.append(parts)
    return cleared


def _remove_unheld(parts: Path) -> bool:
    """Delete what a run of ours left in a folder, unless a run holds it; tell whether that was done."""
    if parts.is_symlink() or not parts.is_dir() or not _is_marked(parts):
        return False
    lock = try_lock(parts / _LOCK)
    if lock is None:
        return False
    _clear(parts)
    lock.release_and_delete()
    remove_if_empty(parts)
    return True


def _locked(folder: Path, output: Path) -> FileLock:
    # A run that ends takes its lock and the folder away while another waits to begin: look again.
    for _ in range(_LOCK_ATTEMPTS):
        require_ours(folder)
        folder.mkdir(exist_ok=True)
        try:
            lock = try_lock(folder / _LOCK)
        except FileNotFoundError:
            continue
        if lock is None:
            break
        return lock
    raise ValueError(
        f"Another run is making {output} now; wait for it or stop it, or name another output. "
        "Nothing was changed."
    )


def _is_ours(folder: Path) -> bool:
    # A run that was killed at its very beginning left nothing but locks.
    return _is_marked(folder) or all(
        path.name == _LOCK
        or _SHARE_LOCK.fullmatch(path.name)
        or (path.name.startswith(_JOB) and path.name.endswith(UNFINISHED))
        for path in folder.iterdir()
    )


def _is_marked(folder: Path) -> bool:
    name, value = _MADE_BY
    return read_json(folder / _JOB).get(name) == value


def _clear(folder: Path) -> None:
    # The mark goes last: a run that is killed on the way leaves a folder that is still known as ours.
    for path in sorted(folder.iterdir(), key=lambda path: path.name == _JOB):
        if _OUR_NAMES.fullmatch(path.name) and not path.is_dir():
            path.unlink()
        elif path.name in _OUR_FOLDERS and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)


def remove_if_empty(folder: Path) -> None:
    """Delete a folder of parts that holds nothing."""
    # Somebody else's files, or the lock of a run that has just begun, keep the folder.
    with suppress(OSError):
        folder.rmdir()


def read_json(path: Path) -> dict[str, Any]:
    """Content of a file of ours; empty where it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _digest(found: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def _checksum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()
