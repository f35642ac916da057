"""Schedules of several numbers in one text, each behind its name."""

import re
from collections.abc import Mapping, Sequence

from .text import lines_of, shortened, shown
from .values import is_keyframes, keyframe_notes, parse_keyframes, schedule_values

_NAMED = re.compile(r"([^\W\d][\w -]*?)\s*[:=](.*)")


def named_schedules(text: str, names: Sequence[str], title: str = "over_time") -> dict[str, str]:
    """Read "name: schedule", one a line; what follows on lines without a name belongs to the name above.

    Args:
        text: for example "near_strength: 0: 1, 24: 0.5"; empty names nothing.
        names: those that may move, with _ between words; - and blanks count as _.
        title: what the text is called, for messages.

    Returns:
        The schedule of each name, as `schedule_values` takes it.

    Raises:
        ValueError: a line before any name, an unknown name, one that comes twice or has no schedule.
    """
    found: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in lines_of(text, title):
        match = _NAMED.fullmatch(line)
        if match is None:
            if lines is None:
                raise ValueError(f"{title}: {shown(line)} has no name; write '{names[0]}: 0: 1, 24: 2'.")
            lines.append(line)
            continue
        name = re.sub(r"[\s-]+", "_", match[1].strip()).lower()
        if name not in names:
            raise ValueError(
                f"{title} names {shortened(match[1])!r}, which does not move; these may: {', '.join(names)}."
            )
        if name in found:
            raise ValueError(f"{title} names {name} twice; put all of its keyframes behind one name.")
        found[name] = lines = [match[2].strip()] if match[2].strip() else []
    for name, given in found.items():
        if not given:
            raise ValueError(f"{title} names {name} and says nothing of it; write '{name}: 0: 1, 24: 2'.")
    return {name: "\n".join(given) for name, given in found.items()}


def stated_range(text: str, name: str) -> tuple[float, float]:
    """Least and greatest number that a schedule states; between them it stays.

    Raises:
        ValueError: a text that cannot be read.
    """
    if is_keyframes(lines_of(text, name)):
        values = parse_keyframes(text, 1, f"{name} keyframes").values
    else:
        values = schedule_values(text, None, column=name)
    least, most = values.aminmax()
    return least.item(), most.item()


def stated_length(schedules: Mapping[str, str]) -> int:
    """Number of frames that schedules speak of: that of the shortest list, or up to the last keyframe."""
    lists, last = [], 0
    for name, text in schedules.items():
        if is_keyframes(lines_of(text, name)):
            last = max(last, parse_keyframes(text, 1, name).frames[-1])
        elif (length := len(schedule_values(text, None, column=name))) > 1:
            lists.append(length)
    return min(lists) if lists else last + 1


def late_notes(schedules: Mapping[str, str], num_frames: int) -> list[str]:
    """What `keyframe_notes` says of each of several schedules, behind its name."""
    notes = ((name, keyframe_notes(text, 1, num_frames)) for name, text in schedules.items())
    return [f"{name}: {note}" for name, note in notes if note]
