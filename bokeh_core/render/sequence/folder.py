"""A finished folder of pictures: put in place whole, and known again by the list of what is in it."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...disk.whole_file import UNFINISHED, names_to_disk, write_to_disk
from ...progress import Progress
from ...video_io import EncodedPart
from ..result import TAG, Found

# Hidden, so that nobody takes it for a picture.
LIST = ".any-to-bokeh.json"
# What file managers leave in every folder that they show.
_LEFT_BY_SYSTEMS = {".DS_Store", "Thumbs.db", "desktop.ini"}
_JOINED = f"joined_pictures{UNFINISHED}"


def look_at_pictures(folder: Path, key: str) -> Found:
    """Tell what lies at the place of a folder of pictures, as `result.look_at`."""
    if not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir())):
        return Found.NOTHING
    listed = _listed(folder)
    if listed.get(TAG) != key:
        return Found.OTHER
    sizes: dict[str, int] = listed["pictures"]
    whole = all((folder / name).is_file() and (folder / name).stat().st_size == sizes[name] for name in sizes)
    return Found.RESULT if whole else Found.DAMAGED


def require_replaceable(folder: Path) -> None:
    """Check that a folder that is there holds nothing but what a run of this program made.

    Raises:
        ValueError: it does.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    listed = _listed(folder)
    ours = {LIST, *listed.get("pictures", {}), *_LEFT_BY_SYSTEMS}
    others = [path.name for path in folder.iterdir() if path.name not in ours]
    if others or not listed:
        what = f"has {others[0]} in it" if listed else "was not made by this program"
        raise ValueError(
            f"{folder} {what}; nothing of yours is overwritten: name another folder, or move it."
        )


def join_pictures(
    parts: Sequence[EncodedPart], store: Path, metadata: Mapping[str, str], progress: Progress
) -> Path:
    """Unpack parts into a folder beside them, with the list of what is in it.

    Args:
        parts: in order.
        store: folder of the parts.
        metadata: of the result.
        progress: told of every picture; may raise to stop.
    """
    joined = store / _JOINED
    shutil.rmtree(joined, ignore_errors=True)
    joined.mkdir()
    sizes: dict[str, int] = {}
    total = parts[-1].stop
    for part in parts:
        with zipfile.ZipFile(part.path) as packed:
            for name in packed.namelist():
                content = packed.read(name)
                write_to_disk(joined / name, content)
                sizes[name] = len(content)
                progress(len(sizes), total)
    write_to_disk(joined / LIST, json.dumps({**metadata, "pictures": sizes}).encode("utf-8"))
    names_to_disk(joined)
    return joined


def put_pictures_in_place(joined: Path, folder: Path) -> None:
    """Give a finished folder its name; what a run of this program left there gives way.

    Raises:
        ValueError: somebody's files are there.
    """
    require_replaceable(folder)
    if not folder.is_dir():
        os.replace(joined, folder)
        names_to_disk(folder.parent)
        return
    old = joined.with_name(f"old_pictures{UNFINISHED}")
    shutil.rmtree(old, ignore_errors=True)
    os.replace(folder, old)
    try:
        os.replace(joined, folder)
    except OSError:
        os.replace(old, folder)
        raise
    names_to_disk(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _listed(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    known = isinstance(content, dict) and TAG in content and isinstance(content.get("pictures"), dict)
    return content if known else {}
