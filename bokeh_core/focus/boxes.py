"""Boxes around faces or people, as detectors give them: where a subject is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..clip.lengths import require_clip_length
from ..setting_checks import require_number

_SIDES = ("x", "y", "width", "height")
# No frame is as wide; beyond, a number is a mistake.
_MOST_PX = 1_000_000


@dataclass(frozen=True)
class Box:
    """A box in a frame, in fractions of its width and height.

    Attributes:
        x, y: of its middle.
        width, height: of it, more than 0.
        score: how sure the detector is of it, 0 to 1.
    """

    x: float
    y: float
    width: float
    height: float
    score: float = 1.0


def boxes_of_frames(given: Any, num_frames: int, size: tuple[int, int]) -> list[list[Box]]:
    """Read boxes as other nodes give them.

    Args:
        given: {"x", "y", "width", "height"} in px of the frames, (x, y) = upper left corner, and "score"
            where it is known; or a list of these, one a frame if there are as many as frames, else all in
            every frame; or a list of such lists, one a frame, or one alone for every frame. None is no box.
        num_frames: of the clip.
        size: (height, width) of the frames in px.

    Returns:
        the boxes of each frame; what of them lies outside of the frame is cut off.

    Raises:
        ValueError: something else, a number that is none, or lists for another number of frames.
    """
    if given is None:
        return [[] for _ in range(num_frames)]
    if isinstance(given, Mapping):
        given = [[given]]
    if not isinstance(given, (list, tuple)):
        raise ValueError(f"boxes are of the type {type(given).__name__}; connect boxes of a detector.")
    if any(isinstance(one, Mapping) for one in given):
        one_a_frame = len(given) == num_frames
        given = [[one] for one in given] if one_a_frame else [list(given)]
    if not given:
        given = [[]]
    if len(given) != 1:
        require_clip_length(len(given), num_frames, "box")
    of_frames = [_boxes(of_frame, t, size) for t, of_frame in enumerate(given)]
    return of_frames if len(of_frames) == num_frames else of_frames * num_frames


def _boxes(given: Any, frame: int, size: tuple[int, int]) -> list[Box]:
    if not isinstance(given, (list, tuple)):
        raise ValueError(
            f"The boxes of frame {frame} are of the type {type(given).__name__}; they must be a list."
        )
    return [box for one in given if (box := _box(one, frame, size)) is not None]


def _box(given: Any, frame: int, size: tuple[int, int]) -> Box | None:
    where = f"a box of frame {frame}"
    if not isinstance(given, Mapping) or any(side not in given for side in _SIDES):
        raise ValueError(f"{where.capitalize()} is {given!r:.60}; it must have {', '.join(_SIDES)}.")
    for side in _SIDES:
        require_number(f"{side} of {where}", given[side], -_MOST_PX, _MOST_PX, "px")
    score = given.get("score")
    if score is None:
        score = 1.0
    require_number(f"score of {where}", score, 0, 1)
    spans = []
    for corner, side, most in (("x", "width", size[1]), ("y", "height", size[0])):
        begin = min(max(float(given[corner]), 0.0), float(most))
        end = min(max(float(given[corner]) + float(given[side]), 0.0), float(most))
        spans.append((begin / most, end / most))
    (left, right), (top, bottom) = spans
    if right <= left or bottom <= top:
        return None
    return Box((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, float(score))
