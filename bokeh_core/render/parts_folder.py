"""The folder in which parts wait: where it lies, whether it is ours, who holds it, and when it is stale."""

from __future__ import annotations

import json
import math
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..disk.lock import FileLock, try_lock
from ..disk.whole_file import UNFINISHED
from ..video_io import CONTAINERS

JOB = "job.json"
_LOCK = "any_to_bokeh.lock"
SHARES = "shares.json"
SUFFIX = ".parts"
# By this entry of job.json a folder of parts is known as ours.
MADE_BY = ("made_by", "Any-to-Bokeh")
# Every name that a file of ours can have in a folder of ours; whatever else is there is somebody else's.
_OUR_NAMES = re.compile(
    r"(part_\d{8,}(\.(mp4|mov|mkv|zip|json))?|(depth|refined)_\d{8,}\.npz|joined|joined_sound\.(m4a|nut)|(job|analysis|shares)\.json"
    r"|share_\d+\.lock)"
    rf"(\.[0-9a-f]{{8}})?({re.escape(UNFINISHED)})?"
)
_SHARE_LOCK = re.compile(r"share_\d+\.lock")
# What a run that was stopped while it joined pictures left.
_OUR_FOLDERS = (f"joined_pictures{UNFINISHED}", f"old_pictures{UNFINISHED}")
STALE_AFTER_DAYS = 14
_LOCK_ATTEMPTS = 20


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


def require_ours(folder: Path) -> None:
    """Check that what is at the path of a folder of parts may be written to: nothing, or what we made.

    Raises:
        ValueError: it is a file, a link, or a folder of somebody else.
    """
    if folder.is_symlink() or not _may_be_used(folder):
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
    clear(parts)
    lock.release_and_delete()
    remove_if_empty(parts)
    return True


def locked_folder(folder: Path, output: Path) -> FileLock:
    """Make a folder of parts if it is missing, and lock it for one run.

    Raises:
        ValueError: another run makes the output now, or what is at the folder's path is not ours.
    """
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


def _may_be_used(folder: Path) -> bool:
    """Whether nothing is at a path, or a folder that is ours; another run may be taking it away meanwhile."""
    before: set[str] | None = None
    while True:
        try:
            names = {path.name for path in folder.iterdir()}
        except FileNotFoundError:
            return True
        except NotADirectoryError:
            return False
        # A run that was killed at its very beginning left nothing but locks.
        if _is_marked(folder) or all(map(_is_of_a_beginning, names)):
            return True
        # Somebody else's files stay. Of ours the mark goes last, so a second look shows that they are going.
        if names == before:
            return False
        before = names


def _is_of_a_beginning(name: str) -> bool:
    return (
        name == _LOCK
        or _SHARE_LOCK.fullmatch(name) is not None
        or (name.startswith(JOB) and name.endswith(UNFINISHED))
    )


def _is_marked(folder: Path) -> bool:
    name, value = MADE_BY
    return read_json(folder / JOB).get(name) == value


def clear(folder: Path) -> None:
    """Delete what is ours in a folder of parts, but for its lock."""
    # The mark goes last: a run that is killed on the way leaves a folder that is still known as ours.
    for path in sorted(folder.iterdir(), key=lambda path: path.name == JOB):
        if _OUR_NAMES.fullmatch(path.name) and not path.is_dir():
            # A process that comes late may take its lock away at the same moment.
            path.unlink(missing_ok=True)
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
