"""A file is written whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

UNFINISHED = ".unfinished"


@contextmanager
def whole_file(path: Path, *, on_disk: bool = True) -> Iterator[Path]:
    """Offer a path beside `path` to write to; it takes the place of `path` once the block ends well.

    What was at `path` is there until then, and stays if the block raises or the machine stops. The offered
    name is nobody's, and the file of that name is gone after an error. Without `on_disk` nothing waits for
    the disk: for files that can be made again.
    """
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        yield beside
        if on_disk:
            put_in_place(beside, path)
        else:
            os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def put_in_place(written: Path, path: Path) -> None:
    """Move a finished file to its name on the same drive, after its bytes have reached the disk."""
    with written.open("r+b") as file:
        os.fsync(file.fileno())
    os.replace(written, path)
    names_to_disk(path.parent)


def write_to_disk(path: Path, content: bytes) -> None:
    """Write a file whose bytes have reached the disk when this returns."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def names_to_disk(folder: Path) -> None:
    """Let the names of the files in a folder reach the disk too; Windows has no call for that."""
    if sys.platform != "win32":
        # Some drives do not support it, and some folders may not be read; the files' own bytes are safe.
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def write_whole_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all."""
    with whole_file(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_whole_json(path: Path, content: Any, indent: int | None = None) -> None:
    """Write JSON, whole or not at all."""
    write_whole_text(path, json.dumps(content, indent=indent))
