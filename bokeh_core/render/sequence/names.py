"""Which files are the pictures of a clip, in which order."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

from ...disparity.files import natural_order, require_no_gap, suffix_of

PICTURES = (".exr", ".png", ".tif", ".jpg", ".bmp", ".webp")
# The place of the number in a name, as renderers write it: shot.####.exr, shot.%04d.exr.
_PLACE = re.compile(r"#+|%0?\d*d")


def is_sequence_path(path: Path) -> bool:
    """Tell whether a path means pictures: a folder that holds some, or a name with the place of a number."""
    if path.is_dir():
        return bool(_pictures_in(path))
    return not path.exists() and bool(_PLACE.search(path.name)) and path.parent.is_dir()


def folders_with_pictures(folder: Path) -> list[str]:
    """Names of the folders in a folder that hold pictures, with a slash behind each, in natural order."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return []
    # Names that a text cannot hold reach no browser.
    shown = [name for name in names if name.isprintable() and _holds_pictures(folder / name)]
    return [f"{name}/" for name in sorted(shown, key=natural_order)]


def _holds_pictures(folder: Path) -> bool:
    try:
        return bool(_pictures_in(folder))
    except OSError:
        return False


def pictures_at(path: Path) -> list[Path]:
    """The pictures of a clip, in natural order of their numbers.

    Args:
        path: a folder with one clip, or one of several in a folder as `shot.####.exr` or `shot.%04d.exr`.

    Raises:
        ValueError: no pictures, pictures of several clips or kinds, or a gap in the numbers.
    """
    try:
        files = _pictures_in(path) if path.is_dir() else _matching(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}); check that it may be read.") from error
    if not files:
        raise ValueError(
            f"{path} has no pictures; give a folder of {_kinds()} files, or a name as shot.####.exr."
        )
    kinds = Counter(suffix_of(file) for file in files)
    if len(kinds) > 1:
        found = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        raise ValueError(f"{path} mixes kinds of pictures ({found}); name one as {_pattern(files[0])}.")
    clips = list(dict.fromkeys(_pattern(file) for file in files))
    if len(clips) > 1 and len(files) > len(clips):
        raise ValueError(
            f"{path} holds several clips, {' and '.join(clips[:3])}; name one of them, or move the others."
        )
    require_no_gap([file.name for file in files])
    return files


def _pictures_in(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        found = [
            Path(entry.path)
            for entry in entries
            if not entry.name.startswith(".") and suffix_of(Path(entry.name)) in PICTURES and entry.is_file()
        ]
    return _in_order(found)


def _matching(path: Path) -> list[Path]:
    place = _PLACE.search(path.name)
    if place is None or not path.parent.is_dir():
        return []
    before, after = (re.escape(part) for part in (path.name[: place.start()], path.name[place.end() :]))
    named = re.compile(rf"{before}\d+{after}", re.IGNORECASE if os.name == "nt" else 0)
    return _in_order([file for file in _pictures_in(path.parent) if named.fullmatch(file.name)])


def _in_order(files: list[Path]) -> list[Path]:
    return sorted(files, key=lambda file: (natural_order(file.name), file.name))


def _pattern(file: Path) -> str:
    """The name with # in place of its last number."""
    return re.sub(r"\d+(?=\D*$)", "####", file.stem) + file.suffix


def _kinds() -> str:
    return ", ".join(kind[1:].upper() for kind in PICTURES[:2]) + " or TIFF"
