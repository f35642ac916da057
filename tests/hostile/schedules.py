"""Texts of schedules: keyframes, tables and lists, well and badly written, against a slow evaluator."""

import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bokeh_core.schedule.values import EASINGS, parse_keyframes, schedule_values

from .sentences import refusal

NAME = "schedules"
COLUMN = "focal_disparity"
_SIGNS = ",;:()[]{}0123456789.eE+-%pxnaif\n\r\t #\"'/\\=_\ufeff\uff1a\uff0c\uff1b\uff08\uff09\u00a0\u2212\x00"
# The last four: full-width 5, 0.5 and 24:0.5, and an Arabic 3.
_WORDS = [
    *("nan", "inf", "-inf", "infinity", "1e999", "-0", "1_0", "0x10", "16px", "50%", "half", "frame", "1,5"),
    *(".5", "5.", "1e-3", "99999999999", "-1", "00", "0:0.5", "24:", "1/2", "on", "true", "None", "\u5e27"),
    *("\uff15", "\uff10\uff0e\uff15", "\uff12\uff14\uff1a\uff10\uff0e\uff15", "\u0663"),
]


def run(seed: int, count: int, folder: Path) -> Counter[str]:
    """See the package."""
    random_ = random.Random(seed)
    outcomes: Counter[str] = Counter()
    kinds: list[Callable[[random.Random], str]] = [_keyframes, _listed, _table, _garbage, _mutated, _points]
    for number in range(count):
        try:
            outcomes[random_.choice(kinds)(random_)] += 1
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, text {number}: {error}") from error
    return outcomes


def _eased(progress: float, easing: str) -> float:
    """The curves in plain numbers."""
    curves: dict[str, Callable[[float], float]] = {
        "linear": lambda p: p,
        "smooth": lambda p: 3 * p**2 - 2 * p**3,
        "ease in": lambda p: p**2,
        "ease out": lambda p: 1 - (1 - p) ** 2,
        "hold": lambda p: 1.0 if p == 1 else 0.0,
    }
    return curves[easing](progress)


def _at(keys: dict[int, float], frame: int, easing: str) -> float:
    """Value of a frame between keyframes."""
    before = [f for f in keys if f <= frame]
    after = [f for f in keys if f > frame]
    if not before:
        return keys[min(keys)]
    first = max(before)
    if not after:
        return keys[first]
    second = min(after)
    share = _eased((frame - first) / (second - first), easing)
    return keys[first] + (keys[second] - keys[first]) * share


def _close(values: list[float], expected: list[float], text: str) -> None:
    assert len(values) == len(expected), f"{len(values)} values, not {len(expected)}: {text!r}"
    worst = max(abs(a - b) for a, b in zip(values, expected, strict=True))
    assert worst <= 1e-5 * max(1, *map(abs, expected)), f"off by {worst}: {text!r}"


def _written(random_: random.Random, value: float) -> str:
    text = random_.choice([f"{value:.6f}", f"{value:.9g}", f"{value:.6e}", f"+{value:.6f}"])
    if random_.random() < 0.2:
        text = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() or c in ".+-" else c for c in text)
    return f"({text})" if random_.random() < 0.1 else text


def _keyframe_text(random_: random.Random) -> tuple[str, dict[int, float]]:
    keys = {random_.randrange(60): random_.random() for _ in range(random_.randint(1, 8))}
    colon = random_.choice([":", ": ", " : ", "\uff1a", "\uff1a "])
    separator = random_.choice(
        ["\n", ", ", "; ", " ", ",\r\n", "\uff0c", "\uff1b", "\n# note: 7\n", "\t", ",,"]
    )
    order = random_.sample(sorted(keys), len(keys))
    text = separator.join(f"{frame}{colon}{_written(random_, keys[frame])}" for frame in order)
    return random_.choice(["", "\ufeff", "\n", "# 5: 0.1\n"]) + text + random_.choice(["", "\n", " ;"]), keys


def _keyframes(random_: random.Random) -> str:
    text, keys = _keyframe_text(random_)
    frames, easing = random_.randint(1, 70), random_.choice(EASINGS)
    values = schedule_values(text, frames, column=COLUMN, easing=easing, minimum=0, maximum=1).tolist()
    _close(values, [_at(keys, t, easing) for t in range(frames)], text)
    return "keyframes right"


def _listed(random_: random.Random) -> str:
    numbers = [random_.random() for _ in range(random_.randint(1, 40))]
    separator = random_.choice(["\n", ", ", "; ", " ", "\r\n", "\uff0c", ",\n", "\t"])
    text = separator.join(f"{n:.6f}" for n in numbers)
    text = random_.choice(["{}", "[{}]", "({})", "\ufeff{}\n\n"]).format(text)
    frames = random_.choice([None, random_.randint(1, 45)])
    try:
        values = schedule_values(text, frames, column=COLUMN, minimum=0, maximum=1).tolist()
    except ValueError as error:
        assert frames is not None and 1 < len(numbers) < frames, f"refused ({error}): {text!r}"
        return refusal(error)
    expected = numbers if frames is None else (numbers * frames if len(numbers) == 1 else numbers)[:frames]
    _close(values, expected, text)
    return "list right"


def _table(random_: random.Random) -> str:
    numbers = [random_.random() for _ in range(random_.randint(1, 40))]
    separator = random_.choice([",", ";", "\t", ", "])
    comma = separator in (";", "\t") and random_.random() < 0.5
    header, rows = ["frame", random_.choice([COLUMN, "Focus", COLUMN.upper()])], []
    for frame, value in enumerate(numbers):
        cell = f"{value:.6f}".replace(".", "," if comma else ".")
        rows.append([str(frame), cell])
    if random_.random() < 0.5:
        header, rows = header[::-1], [row[::-1] for row in rows]
    quote = random_.choice(["{}", '"{}"'])
    lines = [separator.join(quote.format(cell) for cell in row) for row in [header, *rows]]
    text = random_.choice(["", "\ufeff", "# made by hand\n"]) + random_.choice(["\n", "\r\n"]).join(lines)
    values = schedule_values(text, None, column=COLUMN, minimum=0, maximum=1).tolist()
    _close(values, numbers, text)
    return "table right"


def _points(random_: random.Random) -> str:
    points = {random_.randrange(60): (random_.randrange(4000), random_.randrange(3000)) for _ in range(5)}
    pair = random_.choice(["{}, {}", "{},{}", "({}, {})", "{} {}", "{}\uff0c{}"])
    separator = random_.choice(["\n", "; ", ", ", " "])
    text = separator.join(f"{frame}: {pair.format(*points[frame])}" for frame in points)
    keyframes = parse_keyframes(text, 2, "Points")
    assert keyframes.frames == tuple(sorted(points)), text
    assert keyframes.values.tolist() == [list(map(float, points[f])) for f in sorted(points)], text
    return "points right"


def _garbage(random_: random.Random) -> str:
    if random_.random() < 0.3:
        return _tried(
            random_,
            random_.choice(["9", "0", ":", ",", "(", "1,", "0:", "a", '"', "#", "\n0: 1"])
            * (random_.choice([1, 2, 399, 5000, 20000])),
        )
    pieces = random_.choices([*_SIGNS, *_WORDS], k=random_.randint(0, 30))
    return _tried(random_, random_.choice(["", " ", ""]).join(pieces))


def _mutated(random_: random.Random) -> str:
    characters = list(_keyframe_text(random_)[0])
    for _ in range(random_.randint(1, 6)):
        place = random_.randrange(len(characters) + 1)
        if random_.random() < 0.5:
            characters.insert(place, random_.choice([*_SIGNS, *_WORDS]))
        else:
            del characters[place : place + random_.randint(1, 3)]
    return _tried(random_, "".join(characters))


def _tried(random_: random.Random, text: str) -> str:
    """Whatever a text is: refused, or as many finite numbers in range as there are frames."""
    frames = random_.choice([None, 1, 7, 48])
    try:
        values = schedule_values(text, frames, column=COLUMN, minimum=0, maximum=1).tolist()
    except ValueError as error:
        return refusal(error)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}: {text[:200]!r}") from error
    assert frames is None or len(values) == frames, text
    assert all(math.isfinite(v) and 0 <= v <= 1 for v in values), text
    plain = text.isascii() and not set(text) & set("#\"'()[]\x00\x0b\x0c\x1c\x1d\x1e")
    if plain and frames and ":" in text.strip().splitlines()[0]:
        keys = _slow_keyframes(text)
        _close(values, [_at(keys, t, "linear") for t in range(frames)], text)
        return "odd keyframes right"
    return "odd text read"


def _slow_keyframes(text: str) -> dict[int, float]:
    """Entries of a text that was taken: cut at colons, and what precedes one is a frame."""
    parts = [part.replace(",", " ").replace(";", " ").split() for part in text.split(":")]
    frame, keys = parts[0][-1], {}
    for part in parts[1:-1]:
        keys[int(frame)], frame = float(part[0]), part[1]
    keys[int(frame)] = float(parts[-1][0])
    return keys
