"""Text a user types or pastes -> numbers per frame: keyframes, CSV tables, plain lists."""

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from ..setting_checks import require_number, require_whole_number
from .text import MOST_FRAME, frame_number, keyframe_entries, lines_of, number, shortened, shown

EASINGS = ("linear", "smooth", "ease in", "ease out", "hold")

_LIST_SEPARATOR = re.compile(r"[,;\s()\[\]]+")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
# Longer quotes of what a user wrote would fill the screen.
_SHOWN_COLUMNS = 8


@dataclass(frozen=True)
class Keyframes:
    """Values at given frames: `frames` ascending [N], `values` float64 [N, C]."""

    frames: tuple[int, ...]
    values: Tensor


def ease(progress: Tensor, easing: str = "linear") -> Tensor:
    """Map progress in [0, 1] through an easing curve; 0 stays 0 and 1 stays 1.

    "hold" keeps 0 until the very end.

    Raises:
        ValueError: unknown easing.
    """
    if easing == "linear":
        return progress
    if easing == "smooth":
        return progress * progress * (3 - 2 * progress)
    if easing == "ease in":
        return progress * progress
    if easing == "ease out":
        return progress * (2 - progress)
    if easing == "hold":
        return (progress >= 1).to(progress)
    raise ValueError(f"easing is {easing!r}; choose one of {', '.join(EASINGS)}.")


def ramp(start: float, end: float, num_frames: int, easing: str = "linear") -> Tensor:
    """Ease from `start` at the first frame to `end` at the last: float32 [num_frames].

    Raises:
        ValueError: ends that are not finite, no frame, or an unknown easing.
    """
    for name, value in (("start", start), ("end", end)):
        require_number(name, value, -1e9, 1e9)
    _require_length(num_frames)
    progress = torch.linspace(0, 1, num_frames, dtype=torch.float64)
    return (start + (end - start) * ease(progress, easing)).float()


def parse_keyframes(text: str, num_values: int, name: str) -> Keyframes:
    """Read "frame: value" entries, one a line or separated by commas or semicolons.

    Args:
        text: for example "0: 0.9" and "24: 0.5" on two lines; what follows a # in a line is ignored.
        num_values: numbers behind each colon: 1, or 2 for points.
        name: what the text describes, for messages.

    Raises:
        ValueError: no entry, an unreadable entry, a frame beyond `schedule_text.MOST_FRAME`, or two values
            for one frame.
    """
    return _parsed_keyframes(lines_of(text, name), num_values, name)


def _parsed_keyframes(lines: list[str], num_values: int, name: str) -> Keyframes:
    entries: dict[int, list[float]] = {}
    for entry in keyframe_entries(lines):
        if isinstance(entry, str):
            raise ValueError(f"{name}: cannot read {shown(entry)}; write {_keyframe_example(num_values)}.")
        frame = frame_number(entry.frame, name)
        if len(entry.fields) != num_values:
            hint = _decimal_hint(entry.fields, num_values)
            raise ValueError(
                f"{name}: keyframe {frame} has {len(entry.fields)} values ({shown(entry.text)}); "
                f"write {_keyframe_example(num_values)}{hint}."
            )
        if frame in entries:
            raise ValueError(f"{name}: frame {frame} has two keyframes; keep one.")
        entries[frame] = [number(field, f"{name}, keyframe {frame}") for field in entry.fields]
    if not entries:
        raise ValueError(f"{name}: no keyframe found; write {_keyframe_example(num_values)}.")
    frames = tuple(sorted(entries))
    return Keyframes(frames, torch.tensor([entries[f] for f in frames], dtype=torch.float64))


def keyframe_notes(text: str, num_values: int, num_frames: int) -> str:
    """Say which keyframes of a schedule lie past the end of the clip; empty where none does.

    They are no error: a part of a clip is tried out with the schedule of the whole.

    Args:
        text: as `schedule_values` or, for points, `parse_keyframes` takes it.
        num_values: 1, or 2 for points.
        num_frames: length of the clip.
    """
    lines = lines_of(text, "keyframes")
    if not is_keyframes(lines):
        return ""
    return late_keyframes_line(_parsed_keyframes(lines, num_values, "keyframes"), num_frames)


def late_keyframes_line(keyframes: Keyframes, num_frames: int) -> str:
    """`keyframe_notes` of keyframes that were read."""
    past = [frame for frame in keyframes.frames if frame >= num_frames]
    if not past:
        return ""
    which = f"The keyframe at frame {past[0]} lies" if len(past) == 1 else f"{len(past)} keyframes lie"
    return (
        f"Warning: {which} past the end of the clip, whose last frame is {num_frames - 1} (frames count from "
        "0); the clip ends on the way there. For a part of a longer clip that is right; else give a frame of "
        "this one."
    )


def segment_at_frames(keyframes: Keyframes, num_frames: int, easing: str) -> tuple[Tensor, Tensor, Tensor]:
    """Locate every frame between two keyframes.

    Returns:
        index of the keyframe before [T], index of the one after [T] (both int64), and how far the
        eased transition has come [T] in [0, 1]. Before the first and after the last keyframe both
        indices are the same.
    """
    _require_length(num_frames)
    times = torch.arange(num_frames, dtype=torch.float64)
    key_times = torch.tensor(keyframes.frames, dtype=torch.float64)
    last = len(keyframes.frames) - 1
    after = torch.searchsorted(key_times, times, right=True)
    before = (after - 1).clamp(0, last)
    after = after.clamp(0, last)
    span = (key_times[after] - key_times[before]).clamp_min(1)
    progress = ((times - key_times[before]) / span).clamp(0, 1)
    return before, after, ease(progress, easing)


def interpolate_keyframes(keyframes: Keyframes, num_frames: int, easing: str = "linear") -> Tensor:
    """Ease between keyframes and hold the first and last value outside them: float32 [T, C]."""
    before, after, weight = segment_at_frames(keyframes, num_frames, easing)
    start, end = keyframes.values[before], keyframes.values[after]
    return (start + (end - start) * weight[:, None]).float()


def schedule_values(
    text: str,
    num_frames: int | None,
    *,
    column: str,
    easing: str = "linear",
    minimum: float = -math.inf,
    maximum: float = math.inf,
) -> Tensor:
    """Read a schedule of one number per frame: keyframes, a CSV table or a plain list.

    A text whose first line begins with a word is CSV: the column named `column`, or the only one besides
    "frame", gives the values and the optional "frame" column must count 0, 1, 2 ... Another text with a colon
    is keyframes ("0: 0.9"). Anything else is a list of numbers. Lists and tables may be longer than the clip;
    a list of one number serves the whole clip. Full-width digits and signs count as plain ones, brackets and
    what follows a # in a line do not count.

    Args:
        text: the schedule, up to `schedule_text.MOST_CHARACTERS` long.
        num_frames: length of the clip, or None to take the length of the list or table.
        column: what the numbers are; also the name of their CSV column.
        easing: curve between keyframes; see `EASINGS`.
        minimum: smallest allowed value.
        maximum: largest allowed value.

    Returns:
        float32 [T].

    Raises:
        ValueError: empty or unreadable text, a value out of range, a schedule shorter than the
            clip, or keyframes without a known clip length.
    """
    if num_frames is not None:
        _require_length(num_frames)
    lines = lines_of(text, f"The {column} schedule")
    if not any(_LIST_SEPARATOR.sub("", line) for line in lines):
        raise ValueError(
            f"The {column} schedule is empty; write one number per frame, a CSV table with a header, "
            "or keyframes such as '0: 0.9'."
        )
    if is_keyframes(lines):
        keyframes = _parsed_keyframes(lines, 1, f"{column} keyframes")
        _check_range(keyframes.values[:, 0], keyframes.frames, column, minimum, maximum)
        if num_frames is None:
            raise ValueError(
                f"The {column} schedule has keyframes but the length of the clip is unknown; connect the "
                "disparity, or write one value per frame."
            )
        return interpolate_keyframes(keyframes, num_frames, easing)[:, 0]

    numbers = _table_column(lines, column) if _is_table(lines) else _plain_list(lines, column)
    values = torch.tensor(numbers, dtype=torch.float64)
    _check_range(values, range(len(numbers)), column, minimum, maximum)
    if num_frames is None:
        return values.float()
    if len(numbers) == 1:
        return values.float().repeat(num_frames)
    if len(numbers) < num_frames:
        raise ValueError(
            f"The {column} schedule has {len(numbers)} values for {num_frames} video frames; give at least "
            f"{num_frames}, a single value, or keyframes such as '0: {numbers[0]:g}', which hold their last."
        )
    return values[:num_frames].float()


def _require_length(num_frames: int) -> None:
    require_whole_number("The length of the clip", num_frames, 1, MOST_FRAME, "frames")


def is_keyframes(lines: list[str]) -> bool:
    """Whether the lines of a schedule are keyframes, and neither a table nor a list."""
    return not _is_table(lines) and any(":" in line for line in lines)


def _is_table(lines: list[str]) -> bool:
    if not lines or ":" in lines[0]:
        return False
    first = re.split(r"[,;\t]", lines[0], maxsplit=1)[0].strip(" \"'").lower()
    return (first[:1].isalpha() or first[:1] == "_") and first not in ("nan", "inf", "infinity")


def _table_column(lines: list[str], column: str) -> list[float]:
    # Where commas are decimal, tables are separated by semicolons or tabs.
    separator = next((sign for sign in "\t;" if sign in lines[0]), ",")
    rows = _table_rows(lines, separator, f"The {column} table")
    header = [field.lower() for field in next(rows)]
    candidates = [name for name in header if name and name != "frame"]
    if column in header:
        index = header.index(column)
    elif len(candidates) == 1:
        index = header.index(candidates[0])
    else:
        names = ", ".join(shortened(name) for name in header[:_SHOWN_COLUMNS])
        raise ValueError(
            f"The {column} table has the columns {names}; name one of them {column!r} "
            "or keep only one besides 'frame'."
        )
    frame_index = header.index("frame") if "frame" in header else None
    numbers = []
    for row, fields in enumerate(rows):
        where = f"The {column} table, row {row}"
        if len(fields) != len(header):
            hint = _decimal_hint(fields, len(header) - (frame_index is not None)) if separator == "," else ""
            raise ValueError(
                f"{where}: {len(fields)} fields for {len(header)} columns "
                f"({shown(separator.join(fields))}){hint}."
            )
        if separator != ",":
            fields = [f.replace(",", ".") if _DECIMAL_COMMA.fullmatch(f) else f for f in fields]
        if frame_index is not None and number(fields[frame_index], where) != row:
            raise ValueError(
                f"The {column} table: row {row} is frame {shortened(fields[frame_index])}; the frame column "
                "must count 0, 1, 2 ... without gaps. For values at some frames only, write keyframes such "
                "as '24: 0.5'."
            )
        numbers.append(number(fields[index], where))
    if not numbers:
        raise ValueError(f"The {column} table has a header and no rows; add one row per frame.")
    return numbers


def _table_rows(lines: list[str], separator: str, name: str) -> Iterator[list[str]]:
    try:
        for row in csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True):
            yield [field.strip() for field in row]
    except csv.Error as error:
        raise ValueError(f"{name} is not CSV ({error}); check its quotation marks.") from None


def _plain_list(lines: list[str], column: str) -> list[float]:
    rows = [[field for field in _LIST_SEPARATOR.split(line) if field] for line in lines]
    if len(rows) > 1 and all(len(row) == 2 for row in rows):
        raise ValueError(
            f"The {column} schedule has two numbers in every line ({shown(lines[0])}); put a header such as "
            f"'frame,{column}' above a table, or write one number per line"
            f"{_decimal_hint(rows[0], 1) if _DECIMAL_COMMA.fullmatch(lines[0]) else ''}."
        )
    if len(lines) == 1 and _DECIMAL_COMMA.fullmatch(lines[0].strip("()[] ")):
        first, second = rows[0]
        raise ValueError(
            f"The {column} schedule {shown(lines[0])} may be one number or two; write "
            f"{shortened(first)}.{shortened(second)} for one, or put a blank behind the comma for two frames."
        )
    fields = [field for row in rows for field in row]
    return [number(field, f"The {column} schedule, value {i}") for i, field in enumerate(fields)]


def _decimal_hint(fields: Sequence[str], expected: int) -> str:
    """What to write where a decimal comma may have made two numbers of one."""
    if len(fields) < 2 * expected or not all(field.lstrip("+-").isdigit() for field in islice(fields, 8)):
        return ""
    return f"; decimals are written with a point, {shortened(fields[-2])}.{shortened(fields[-1])}"


def _keyframe_example(num_values: int) -> str:
    return (
        "'frame: value', for example '24: 0.5'"
        if num_values == 1
        else "'frame: x, y', for example '24: 512, 288'"
    )


def _check_range(
    values: Tensor, frames: range | tuple[int, ...], column: str, minimum: float, maximum: float
) -> None:
    for frame, value in zip(frames, values.tolist(), strict=True):
        if not minimum <= value <= maximum:
            rule = f"at least {minimum:g}" if maximum == math.inf else f"{minimum:g} to {maximum:g}"
            raise ValueError(f"{column} is {value:g} at frame {frame}; it must be {rule}.")
