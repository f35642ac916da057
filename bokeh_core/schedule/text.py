"""The characters of a schedule -> entries, in time that grows with the length of the text and no faster."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_CHARACTERS = 32_000_000
"""Longest text: a table of a million frames has about 20 million characters."""
MOST_FRAME = 10_000_000
"""Greatest frame number: four days at 30 frames a second."""

_SHOWN_CHARACTERS = 40
_MOST_NUMBER = 1e9
# As keyboards for Chinese, Japanese and Korean, word processors and spreadsheets write them.
_PLAIN = str.maketrans(
    {
        "\uff1a": ":",
        "\uff1b": ";",
        "\uff0c": ",",
        "\u3001": ",",
        "\uff08": "(",
        "\uff09": ")",
        "\uff3b": "[",
        "\uff3d": "]",
        "\u3010": "[",
        "\u3011": "]",
        "\uff03": "#",
        "\uff0e": ".",
        "\uff0d": "-",
        "\uff0b": "+",
        "\u2212": "-",
        "\uff05": "%",
        "\u3000": " ",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u201c": '"',
        "\u201d": '"',
        "\ufeff": " ",
        "\u200b": " ",
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
    }
)
# One character class a token and no overlap between them, so that nothing is looked at twice.
_TOKEN = re.compile(r":|[,;\n]|[()\[\]]|[^\S\n]+|[^:,;()\[\]\s]+")
_NUMBER_AT_START = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Entry:
    """What stands behind one "frame:": its values one by one, and as they were written on one line."""

    frame: str
    fields: tuple[str, ...]
    text: str


def shown(text: str) -> str:
    """A text of a user in quotes, cut by `shortened`."""
    return repr(shortened(text))


def shortened(text: str) -> str:
    """A text of a user, cut where it would fill a screen."""
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def lines_of(text: str, name: str) -> list[str]:
    """Lines that say something, in plain characters, without comments.

    Raises:
        ValueError: a text longer than `MOST_CHARACTERS`, or a value that is no text.
    """
    if not isinstance(text, str):
        raise ValueError(f"{name} is of the type {type(text).__name__}; it must be a text.")
    if len(text) > MOST_CHARACTERS:
        raise ValueError(
            f"{name} has {len(text)} characters; the longest that is read has {MOST_CHARACTERS}. "
            "Write keyframes, '0: 0.5' and so on, in place of every frame."
        )
    plain = text if text.isascii() else text.translate(_PLAIN)
    stripped = (line.partition("#")[0].strip() for line in plain.splitlines())
    return [line for line in stripped if line]


def keyframe_entries(lines: list[str]) -> Iterator[Entry | str]:
    """Entries "frame: values" of some lines, and whatever text stands outside of them.

    The word before a colon is a frame; all up to the word before the next colon belongs to it.
    """
    text = "\n".join(lines)
    values: list[re.Match[str]] = []
    frame: str | None = None
    for token in _tokens(text):
        if token[0] != ":":
            values.append(token)
            continue
        following = values.pop()[0] if values else ""
        yield from _closed(frame, values, text)
        frame, values = following, []
    yield from _closed(frame, values, text)


def number(text: str, where: str) -> float:
    """Read a finite number.

    Raises:
        ValueError: anything else; percent, units and the like are named.
    """
    # Python would also take 1_000.
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        raise ValueError(f"{where}: {shown(text)} is not a number{_hint(text)}.") from None
    if not math.isfinite(value):
        what = "not a finite number" if "_" not in text else "not a number"
        raise ValueError(f"{where}: {shown(text)} is {what}.")
    if abs(value) > _MOST_NUMBER:
        raise ValueError(f"{where}: {shown(text)} is too large; numbers go up to {_MOST_NUMBER:g}.")
    return value


def frame_number(text: str, name: str) -> int:
    """Read a frame number.

    Raises:
        ValueError: not a whole number from 0 to `MOST_FRAME`.
    """
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{name}: {shown(text)} is not a frame number; frames count 0, 1, 2 ...")
    digits = text.lstrip("0") or "0"
    # The number of digits comes first: Python converts at most a few thousand of them.
    if len(digits) > len(str(MOST_FRAME)) or int(digits) > MOST_FRAME:
        raise ValueError(f"{name}: frame {shown(text)} is too large; frames go up to {MOST_FRAME}.")
    return int(digits)


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """Colons, and words between them and separators; brackets count as separators."""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token == ":" or not (token in ",;\n()[]" or token.isspace()):
            yield match


def _closed(frame: str | None, values: list[re.Match[str]], text: str) -> Iterator[Entry | str]:
    written = " ".join(text[values[0].start() : values[-1].end()].split()) if values else ""
    if frame is not None:
        yield Entry(frame, tuple(value[0] for value in values), written)
    elif values:
        yield written


def _hint(text: str) -> str:
    match = _NUMBER_AT_START.match(text)
    if match is None:
        return ""
    rest = text[match.end() :].strip()
    if rest == "%":
        return f"; write {float(match[0]) / 100:g} in place of a percentage"
    if rest.isalpha():
        return f"; write {match[0]} without a unit"
    return ""
