"""Whether a disk has room for a file, checked before it is written."""

import shutil
from pathlib import Path


def free_bytes_in(folder: Path) -> int:
    """Bytes that may still be written to the disk of a folder."""
    return shutil.disk_usage(folder).free


def require_space(folder: Path, needed: int, free: int) -> None:
    """Check that there is room.

    Raises:
        ValueError: there is not; the message names the folder, what is needed and what is free.
    """
    if needed > free:
        raise ValueError(
            f"The disk of {folder} is too full: the parts and the finished video need about {_size(needed)} "
            f"({needed} bytes) there, {_size(free)} ({free} bytes) are free. Make room, write to another "
            "disk, or choose a codec or quality that takes less; finished parts are kept."
        )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
