"""The operating system's errors about a disk, told with what to do about them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MOST_LETTERS_OF_WINDOWS = 259
# Letters that the longest name of a part adds to the output's.
_ROOM_FOR_PARTS = len(".parts/part_00000000.json.00000000.unfinished")
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_IN_THE_WAY = {errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def told_of_disk(output: Path) -> Iterator[None]:
    """Turn errors of the disk on which a result is made into ones that say what helps.

    Args:
        output: the file to be made.

    Raises:
        ValueError: the disk is full, may not be written to, is gone, or takes no names of this length.
    """
    try:
        yield
    except OSError as error:
        said = _what_helps(error, output)
        if said is None:
            raise
        raise ValueError(said) from error


def _what_helps(error: OSError, output: Path) -> str | None:
    folder = output.absolute().parent
    if error.errno in _FULL:
        return (
            f"The disk of {folder} is full. Make room and give the same job again; finished parts are kept, "
            f"and {output.name} is as it was."
        )
    if error.errno == errno.ENAMETOOLONG or _is_too_long_for_windows(output):
        return (
            f"The name {output.name[:60]}... is too long for the disk: parts wait under longer ones beside "
            "it. Name an output of at most 200 letters."
        )
    if error.errno in _FORBIDDEN:
        return (
            f"{error.filename2 or error.filename or folder} may not be written to ({error.strerror}). Close "
            f"programs that have it open, or write to another folder than {folder}; finished parts are kept."
        )
    if error.errno in _IN_THE_WAY:
        return (
            f"{error.filename2 or error.filename or folder} is in the way ({error.strerror}); move it away."
        )
    if not _is_folder(folder):
        return (
            f"The folder {folder} is no longer there. Bring it back, its drive perhaps, and give the same "
            "job again; finished parts in it are kept."
        )
    return None


def _is_too_long_for_windows(output: Path) -> bool:
    # Windows reports such paths as missing.
    return os.name == "nt" and len(str(output.absolute())) + _ROOM_FOR_PARTS > _MOST_LETTERS_OF_WINDOWS


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
