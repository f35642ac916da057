"""Numbers that a user sets, checked before anything is computed with them."""

import math
import numbers
from typing import Any

_WRITTEN_OUT = 1e9


def require_number(
    name: str, value: float, least: float, most: float, unit: str = "", meaning: str = ""
) -> None:
    """Check that a setting is a finite number between two bounds.

    Args:
        name: of the setting, as its user knows it.
        value: what was set.
        least: smallest allowed value.
        most: greatest allowed value; infinite where there is none.
        unit: behind the value, such as "px".
        meaning: what the ends of the range do, put in brackets.

    Raises:
        ValueError: it is something else; the message names the setting, the value and the range.
    """
    # Whatever the annotation says: nodes hand over what a workflow holds.
    given: Any = value
    if isinstance(given, bool) or not isinstance(given, numbers.Real):
        raise ValueError(f"{name} is {given!r:.60}; it must be a number{_rule(least, most, unit, meaning)}.")
    # Written so that NaN fails too.
    if not least <= value <= most or not math.isfinite(value):
        shown = f"{_short(value)} {unit}".rstrip()
        raise ValueError(f"{name} is {shown}; it must be{_rule(least, most, unit, meaning)}.")


def require_whole_number(
    name: str, value: int, least: float, most: float, unit: str = "", meaning: str = ""
) -> None:
    """Check that a setting is a whole number between two bounds; arguments as `require_number`.

    Raises:
        ValueError: it is something else.
    """
    given: Any = value
    if isinstance(given, bool) or not isinstance(given, numbers.Integral):
        plain = isinstance(given, bool) or not isinstance(given, numbers.Real)
        shown = f"{given!r:.60}" if plain else _short(value)
        raise ValueError(f"{name} is {shown}; it must be a whole number{_rule(least, most, unit, meaning)}.")
    require_number(name, value, least, most, unit, meaning)


def require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Check that a setting is one of the given choices.

    Raises:
        ValueError: it is something else; the message names the choices.
    """
    if value not in choices:
        raise ValueError(f"{name} is {value!r:.60}; choose one of {', '.join(choices)}.")


def _rule(least: float, most: float, unit: str, meaning: str) -> str:
    """What is allowed, with a blank before it; empty where everything is."""
    rule = f" {_bound(least)} or more" if most == math.inf else f" {_bound(least)} to {_bound(most)}"
    if least == -math.inf:
        rule = "" if most == math.inf else f" {_bound(most)} or less"
    return f"{rule} {unit}".rstrip() + (f" ({meaning})" if meaning else "")


def _bound(value: float) -> str:
    return f"{value:.0f}" if value == round(value) and abs(value) < _WRITTEN_OUT else f"{value:g}"


def _short(value: float) -> str:
    try:
        return f"{value:g}"
    except OverflowError:
        # A whole number beyond every float.
        return "a number of hundreds of digits"
