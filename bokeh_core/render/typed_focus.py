"""The focus as typed into the command line or the node, and keyframes that a clip does not reach."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..focus.at_point import CENTRE, DEFAULT_BETWEEN_POINTS
from ..focus.script import FocusScript, parse_script
from ..schedule.values import parse_keyframes
from .focus_settings import Focus, MaskFocus, PointFocus, ScriptFocus, ValueFocus
from .strength_settings import StatedStrength
from .typed_text import plain_characters

_QUOTES = "\"'\u201c\u201d\u2018\u2019"
_NUMBER = r"([+-]?(?:\d{1,9}(?:\.\d*)?|\.\d+))"
_PIXEL = r"([+-]?\d{1,9})"
_BETWEEN = r"(?:\s*[,;]\s*|\s+)"
_EXAMPLES = "auto, or 0.8, or 0: 0.9, 24: 0.3, or point, or point: 512, 288, or mask: FILE"
AUTOMATIC = "auto"


def parse_focus(
    text: str,
    *,
    smoothing_frames: float = 2.0,
    radius_px: int = 8,
    between: str = DEFAULT_BETWEEN_POINTS,
    easing: str = "linear",
    find_file: Callable[[str], Path] = Path,
) -> Focus:
    """Read a typed focus.

    Args:
        text: `auto` (the subject of each shot), `0.8` (disparity), `0: 0.9, 24: 0.3` (keyframes of it),
            `point` (the centre), `point: 512, 288` (pixel), `point: 0: 512, 288; 24: 700, 300` (keyframes of
            it), `mask: FILE`, or a focus script.
        smoothing_frames: standard deviation of the smoothing of a measured focus, in frames, 0 to 10000.
        radius_px: radius of the disk that is measured at a point, in px of the frames, 0 to 65536.
        between: what happens between keyframes of points, see `focus.BETWEEN_POINTS`.
        easing: curve between keyframes, one of `schedule.values.EASINGS`.
        find_file: turns the name of a mask into its path.

    Raises:
        ValueError: none of these.
    """
    # Made first, so that settings which this focus does not use are checked too.
    centre = PointFocus(CENTRE, CENTRE, "", smoothing_frames, radius_px, between, easing)
    if plain_characters(text).strip().lower() == AUTOMATIC:
        return ScriptFocus(FocusScript(), smoothing_frames)
    if text.lstrip().startswith("{"):
        return ScriptFocus(parse_script(text), smoothing_frames)
    kind, rest = _split(text)
    if kind == "mask":
        if not rest:
            raise ValueError("The focus names no mask; write mask: FILE, a folder, video or still.")
        return MaskFocus(find_file(rest.strip(_QUOTES)), smoothing_frames)
    rest = plain_characters(rest)
    if kind == "point" and ":" in rest:
        return PointFocus(CENTRE, CENTRE, rest, smoothing_frames, radius_px, between, easing)
    if kind == "point":
        return replace(centre, x_px=_pixel(text, rest)[0], y_px=_pixel(text, rest)[1]) if rest else centre
    plain = plain_characters(text).strip()
    if not plain:
        raise ValueError(f"The focus is empty; write {_EXAMPLES}.")
    is_table = "focal_disparity" in text or "\n" in plain
    if not re.search(r"\d", plain) or (re.match(r"[^\W\d_]", plain) and not is_table):
        raise ValueError(f"The focus {_short(text)} cannot be read; write {_EXAMPLES}.")
    pair = re.fullmatch(rf"{_NUMBER}{_BETWEEN}{_NUMBER}", plain.strip("()[] "))
    if pair and max(float(number) for number in pair.groups()) > 1:
        x_px, y_px = (max(round(float(number)), 0) for number in pair.groups())
        raise ValueError(
            f"The focus {_short(text)} is two numbers, and disparities lie in 0 to 1. If a pixel is meant, "
            f"write point: {x_px}, {y_px} (column, row)."
        )
    return ValueFocus(text, easing)


def late_keyframes(focus: Focus, strength: StatedStrength, num_frames: int) -> str:
    """Warn of typed values past the end of the clip, which are approached and never reached; else empty.

    What is measured tells of its own: see `focus_settings.Focus.over_clip`.
    """
    texts = {
        "focus": getattr(focus, "text", ""),
        "strength": getattr(strength, "text", ""),
    }
    lines = []
    for name, text in texts.items():
        content = plain_characters(text)
        if ":" not in content or content.lstrip().startswith("{"):
            continue
        last = parse_keyframes(content, 1, name).frames[-1]
        if last >= num_frames:
            lines.append(
                f"The last keyframe of the {name} is at frame {last}, but the clip ends at frame "
                f"{num_frames - 1}: it stops on the way there."
            )
    return "\n".join(lines)


def _split(text: str) -> tuple[str, str]:
    """`point` or `mask` and what follows the colon, or two empty texts."""
    match = re.fullmatch(r"\s*(point|mask)\s*(?:[:\uff1a]\s*(.*?))?\s*", text, re.IGNORECASE | re.DOTALL)
    return (match[1].lower(), match[2] or "") if match else ("", "")


def _pixel(text: str, rest: str) -> tuple[int, int]:
    pair = re.fullmatch(rf"{_PIXEL}{_BETWEEN}{_PIXEL}", rest.strip("()[] "))
    if not pair:
        raise ValueError(
            f"The focus {_short(text)} names no pixel; write point: 512, 288 (column, row): whole numbers, "
            "counted from 0 at the top left, not percent."
        )
    return int(pair[1]), int(pair[2])


def _short(text: str) -> str:
    return repr(text) if len(text) <= 100 else f"{text[:80]!r}... ({len(text)} characters)"
