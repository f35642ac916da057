"""A path as a user types or pastes it -> the file or folder that it means."""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path, PureWindowsPath
from urllib.parse import unquote, urlsplit

_QUOTES = "\"'\u201c\u201d\u2018\u2019"
# Names offered when nothing exists at a path.
_NEAR_NAMES = 3
_LOOKED_THROUGH = 5000


def find_path(
    text: str, folder: Path, places: Mapping[str, Path] | None = None, folder_name: str = ""
) -> Path:
    """Find what a typed path names.

    Surrounding blanks and quotes are dropped; `~` is the user's home; `file:` URLs are read.

    Args:
        text: absolute, or relative to `folder`.
        folder: where relative paths begin.
        places: folders that a name may end with, as in `clip.mp4 [output]`.
        folder_name: what `folder` is, for messages, as in `the host's input folder`.

    Raises:
        ValueError: the text is empty, cannot be a path, or nothing exists there.
    """
    where = folder_name or f"the folder {folder}"
    cleaned = _unquoted(text)
    if not cleaned:
        raise ValueError(f"The path is empty; give a file or folder, absolute or inside {where}.")
    path = _absolute(_from_url(cleaned), folder)
    if not _exists(path):
        named = _in_a_place(cleaned, places or {})
        if named is not None and _exists(named):
            return named
        raise ValueError(
            f"Nothing at {printable(path)}; give a file or folder, absolute or relative to {folder}."
            f"{_similar_names(path)}"
        )
    return path


def typed_path(text: str, folder: Path) -> Path:
    """The path of something to be made; read as `find_path` does, but nothing need be there.

    Raises:
        ValueError: the text is empty or cannot be a path.
    """
    cleaned = _unquoted(text)
    if not cleaned:
        raise ValueError("The path is empty; name a file or folder.")
    path = _absolute(_from_url(cleaned), folder)
    _exists(path)
    return path


def require_path(path: Path) -> None:
    """Check that something is at a path.

    Raises:
        ValueError: nothing is; names that are there and look like it are told.
    """
    if not _exists(path):
        similar = _similar_names(path.absolute())
        raise ValueError(f"Nothing at {printable(path)}; name a file or folder that is there.{similar}")


def printable(path: Path) -> str:
    """Return a path with the bytes that no text can show written as numbers."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _unquoted(text: str) -> str:
    cleaned = text.strip()
    while len(cleaned) > 1 and cleaned[0] in _QUOTES and cleaned[-1] in _QUOTES:
        cleaned = cleaned[1:-1].strip()
    # A quote left over from pasting; other quotes may belong to a name.
    return cleaned.strip('"').strip()


def _from_url(text: str) -> str:
    if not text.lower().startswith("file:"):
        return text
    parts = urlsplit(text)
    path = unquote(parts.path)
    # file:///C:/clips/a.mp4: the slash before the drive is no part of the path.
    if PureWindowsPath(path[1:]).drive:
        path = path[1:]
    host = "" if parts.netloc in ("", "localhost") else f"//{parts.netloc}"
    return f"{host}{path}"


def _absolute(text: str, folder: Path) -> Path:
    if "\0" in text:
        raise ValueError(f"The path {text!r} has a NUL character in it; no file name can have one.")
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"The path {text!r} names a home folder that is not known; write it out.") from error
    if path.drive and not path.root:
        raise ValueError(
            f"The path {text!r} names a drive but not where on it; write {path.drive}\\ before the folder."
        )
    return path if path.is_absolute() else folder / path


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        # The name is too long, or a folder may not be read.
        raise ValueError(
            f"The path {_start_of(printable(path))} cannot be used ({error.strerror})."
        ) from error


def _in_a_place(text: str, places: Mapping[str, Path]) -> Path | None:
    """The path that a name with its place behind it means, as in `clip.mp4 [output]`."""
    for place, folder in places.items():
        ending = f"[{place}]"
        if text.endswith(ending):
            return folder / text[: -len(ending)].strip()
    return None


def _similar_names(path: Path) -> str:
    """A sentence with the names beside a path that look like its own."""
    try:
        parent = next((above for above in path.parents if above.is_dir()), None)
        names = [] if parent is None else os.listdir(parent)[:_LOOKED_THROUGH]
    except OSError:
        # A folder that may not be read has no names to offer.
        return ""
    similar = [] if parent is None else _similar(path.relative_to(parent).parts[0], names)
    if not similar:
        return ""
    return (
        f" In {printable(Path(str(parent)))} there is {', '.join(printable(Path(name)) for name in similar)}."
    )


def _similar(name: str, names: Iterable[str]) -> list[str]:
    by_folded = {other.casefold(): other for other in sorted(names)}
    return [by_folded[found] for found in get_close_matches(name.casefold(), by_folded, _NEAR_NAMES)]


def _start_of(text: str, length: int = 200) -> str:
    return text if len(text) <= length else f"{text[:length]} ..."
