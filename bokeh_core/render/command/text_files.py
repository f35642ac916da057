"""@FILE on a command line: the text is in a file."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from ...disk.typed_paths import find_path

# Keyframes of an hour at 60 frames a second take a tenth of it.
_MOST_BYTES = 64 * 2**20
# Windows editors write one of these; the longer first, as one begins with another.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAME_OF_A_TEXT = re.compile(r".{1,250}\.(txt|csv|tsv)\s*", re.IGNORECASE)
_AT = re.compile(r"\s*((?:point\s*:)?)\s*@(.*)", re.IGNORECASE | re.DOTALL)


def text_or_file(text: str, option: str) -> tuple[str, Path | None]:
    """The text of an option, and the file that it is in where the option says @FILE or point:@FILE.

    Any other @ belongs to the text, as in `mask: a@b.png`.

    Args:
        text: as it was typed.
        option: its name, for messages.

    Raises:
        ValueError: the file is missing, too large, or no text.
    """
    match = _AT.fullmatch(text)
    if match is None:
        if _NAME_OF_A_TEXT.fullmatch(text) and Path(text.strip()).is_file():
            raise ValueError(
                f"{option} {text.strip()} is the name of a file; write @{text.strip()} to read it."
            )
        return text, None
    prefix, name = match.groups()
    if not name.strip():
        raise ValueError(f"{option} @ names no file; write @FILE, or the text itself.")
    path = find_path(name, Path.cwd())
    return prefix + read_text(path), path


def read_text(path: Path) -> str:
    """Read a text file: UTF-8, or what a mark at its beginning says.

    Raises:
        ValueError: it is a folder, too large, cannot be read, or is no text.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name a text file behind @.")
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}).") from error
    if len(content) > _MOST_BYTES:
        raise ValueError(
            f"{path} is larger than {_MOST_BYTES // 2**20} MB; a text with a number a frame is far smaller."
        )
    encoding, mark = next(((name, mark) for mark, name in _MARKS if content.startswith(mark)), ("utf-8", b""))
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text; save it as UTF-8, or name another file.") from error
    if "\0" in text:
        raise ValueError(f"{path} is not a text file; name one with numbers or keyframes.")
    return text
