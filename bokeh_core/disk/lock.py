"""A lock that the operating system holds for a process: it ends with the process, however that ends."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

# Drives without locks, as some network and FUSE mounts are; a lock there keeps nobody out.
_NO_LOCKS_HERE = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}


class FileLock:
    """A file that is locked; see `try_lock`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others lock the file, which stays."""
        os.close(self._descriptor)

    def release_and_delete(self) -> None:
        """Let go of the file and delete it; one that somebody else opened meanwhile stays."""
        if sys.platform == "win32":
            # An open file cannot be deleted there, by us or while somebody else waits for it.
            os.close(self._descriptor)
            try:
                self._path.unlink(missing_ok=True)
            except PermissionError:
                return
        else:
            # Deleted while still locked: a run that waits for it then finds that it is not the lock file.
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)


def try_lock(path: Path) -> FileLock | None:
    """Lock a file, made if it is missing; None where another run, in any process, has locked it.

    Raises:
        FileNotFoundError: its folder is not there, or the file was deleted meanwhile; try again.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _locked(descriptor):
            os.close(descriptor)
            return None
        # Windows deletes no file that is open, so there it cannot be another one.
        if sys.platform != "win32" and not os.path.samestat(os.fstat(descriptor), path.stat()):
            raise FileNotFoundError(errno.ENOENT, "another lock file has taken this one's place", str(path))
        os.utime(path)
    except OSError:
        os.close(descriptor)
        raise
    return FileLock(path, descriptor)


def _locked(descriptor: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        # flock rather than lockf: it also keeps out another run in the same process.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS_HERE:
            raise
    return True
