"""Text a user types or pastes -> numbers per frame: keyframes, CSV tables, plain lists."""

import math
import re
from dataclasses import dataclass

import torch
from torch import Tensor

EASINGS = ("linear", "smooth", "ease in", "ease out", "hold")

# "24: 0.5", "24: (0.5)" or, for points, "24: 512, 288"; an entry ends where the next "frame:" begins.
_KEYFRAME = re.compile(r"(?P<frame>[^\s,;:]+)\s*:\s*(?P<values>[^:]*?)\s*(?=[,;\s]+[^\s,;:]+\s*:|[,;\s]*$)")
_FIELD_SEPARATOR = re.compile(r"[,;\t]")
_NUMBER_SEPARATOR = re.compile(r"[,;\s]+")


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
    """Ease from `start` at the first frame to `end` at the last: float32 [num_frames]."""
    progress = torch.linspace(0, 1, num_frames, dtype=torch.float64)
    return (start + (end - start) * ease(progress, easing)).float()


def parse_keyframes(text: str, num_values: int, name: str) -> Keyframes:
    """Read "frame: value" entries, one a line or separated by commas or semicolons.

    Args:
        text: for example "0: 0.9" and "24: 0.5" on two lines; lines that start with # are ignored.
        num_values: numbers behind each colon: 1, or 2 for points.
        name: what the text describes, for messages.

    Raises:
        ValueError: no entry, an unreadable entry, a negative frame, or two values for one frame.
    """
    content = "\n".join(_lines(text))
    entries: dict[int, list[float]] = {}
    position = 0
    for match in _KEYFRAME.finditer(content):
        _reject_leftover(content[position : match.start()], name, num_values)
        position = match.end()
        frame = _frame_number(match["frame"], name)
        fields = [f for f in _NUMBER_SEPARATOR.split(match["values"].strip("() \t")) if f]
        if len(fields) != num_values:
            raise ValueError(
                f"{name}: keyframe {frame} has {len(fields)} values ({match['values'].strip()!r}); "
                f"write {_keyframe_example(num_values)}."
            )
        if frame in entries:
            raise ValueError(f"{name}: frame {frame} has two keyframes; keep one.")
        entries[frame] = [_number(field, f"{name}, keyframe {frame}") for field in fields]
    _reject_leftover(content[position:], name, num_values)
    if not entries:
        raise ValueError(f"{name}: no keyframe found; write {_keyframe_example(num_values)}.")
    frames = tuple(sorted(entries))
    return Keyframes(frames, torch.tensor([entries[f] for f in frames], dtype=torch.float64))


def segment_at_frames(keyframes: Keyframes, num_frames: int, easing: str) -> tuple[Tensor, Tensor, Tensor]:
    """Locate every frame between two keyframes.

    Returns:
        index of the keyframe before [T], index of the one after [T] (both int64), and how far the
        eased transition has come [T] in [0, 1]. Before the first and after the last keyframe both
        indices are the same.
    """
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

    A text with a colon is keyframes ("0: 0.9"). A text whose first line is not a number is CSV: the
    column named `column`, or the only one besides "frame", gives the values and the optional
    "frame" column must count 0, 1, 2 ... Anything else is a list of numbers. Lists and tables may
    be longer than the clip; a list of one number serves the whole clip.

    Args:
        text: the schedule.
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
    lines = _lines(text)
    if not lines:
        raise ValueError(
            f"The {column} schedule is empty; write one number per frame, a CSV table with a header, "
            "or keyframes such as '0: 0.9'."
        )
    is_keyframes = any(":" in line for line in lines)
    if is_keyframes:
        keyframes = parse_keyframes(text, 1, f"{column} keyframes")
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


def _lines(text: str) -> list[str]:
    # Spreadsheets and Windows editors put a byte order mark before the first header.
    stripped = (line.strip().lstrip("\ufeff") for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def _is_table(lines: list[str]) -> bool:
    first_field = _FIELD_SEPARATOR.split(lines[0])[0].strip().strip('"')
    return bool(re.match(r"[A-Za-z_]", first_field)) and first_field.lower() not in ("nan", "inf", "infinity")


def _table_column(lines: list[str], column: str) -> list[float]:
    header = [field.strip().strip('"').lower() for field in _FIELD_SEPARATOR.split(lines[0])]
    candidates = [name for name in header if name and name != "frame"]
    if column in header:
        index = header.index(column)
    elif len(candidates) == 1:
        index = header.index(candidates[0])
    else:
        raise ValueError(
            f"The {column} table has the columns {', '.join(header)}; name one of them {column!r} "
            "or keep only one besides 'frame'."
        )
    numbers = []
    for row, line in enumerate(lines[1:]):
        fields = [field.strip().strip('"') for field in _FIELD_SEPARATOR.split(line)]
        if len(fields) != len(header):
            raise ValueError(
                f"The {column} table, row {row}: {len(fields)} fields for {len(header)} columns ({line!r})."
            )
        if "frame" in header:
            frame = fields[header.index("frame")]
            if _number(frame, f"The {column} table, row {row}") != row:
                raise ValueError(
                    f"The {column} table: row {row} is frame {frame}; the frame column must count 0, 1, 2 "
                    "... without gaps. For values at some frames only, write keyframes such as '24: 0.5'."
                )
        numbers.append(_number(fields[index], f"The {column} table, row {row}"))
    if not numbers:
        raise ValueError(f"The {column} table has a header and no rows; add one row per frame.")
    return numbers


def _plain_list(lines: list[str], column: str) -> list[float]:
    rows = [[field for field in _NUMBER_SEPARATOR.split(line.strip("[](), ")) if field] for line in lines]
    if len(rows) > 1 and all(len(row) == 2 for row in rows):
        raise ValueError(
            f"The {column} schedule has two numbers in every line ({lines[0]!r}); put a header such as "
            f"'frame,{column}' above a table, or write one number per line."
        )
    numbers = [field for row in rows for field in row]
    return [_number(field, f"The {column} schedule, value {i}") for i, field in enumerate(numbers)]


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{where}: {text!r} is not a number.") from None
    if not math.isfinite(value):
        raise ValueError(f"{where}: {text!r} is not a finite number.")
    return value


def _frame_number(text: str, name: str) -> int:
    if not re.fullmatch(r"\d+", text):
        raise ValueError(f"{name}: {text!r} is not a frame number; frames count 0, 1, 2 ...")
    return int(text)


def _reject_leftover(text: str, name: str, num_values: int) -> None:
    leftover = text.strip(" \t\n,;")
    if leftover:
        raise ValueError(f"{name}: cannot read {leftover!r}; write {_keyframe_example(num_values)}.")


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
