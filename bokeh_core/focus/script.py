"""A focus script: decisions of what is sharp and how strong the blur is, each at a frame, as one JSON text.

{"version": 1, "frames": 48,
 "focus": [{"frame": 0, "kind": "point", "x": 0.3, "y": 0.4, "radius": 8},
           {"frame": 24, "kind": "lock", "disparity": 0.2, "transition": 12, "ease": "smooth"}],
 "strength": [{"frame": 0, "k": 16}, {"frame": 24, "k": 24, "ease": "linear"}]}

`frames` is the length of the clip that it was made for, 0 or left out where that is not known.
"""

import json
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from itertools import pairwise
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..clip.checks import checked_frames, checked_masks
from ..clip.lengths import broadcast_over_frames
from ..schedule.text import MOST_CHARACTERS, MOST_FRAME, shown
from ..schedule.values import ease as eased
from ..setting_checks import require_whole_number
from ..strength import DEFAULT_STRENGTH
from .boxes import Box
from .decided_path import focal_path
from .decision import FocusDecision, StrengthKey
from .maps import FrameMaps, checked_stream
from .pull import FocusPull

VERSION = 1
_MOST_DIGITS = 100


@dataclass(frozen=True)
class FocusScript:
    """Decisions in the order of their frames.

    Attributes:
        frames: length of the clip that it was made for; 0 = not known.
        focus: what is sharp.
        strength: how strong the blur is.
    """

    frames: int = 0
    focus: tuple[FocusDecision, ...] = ()
    strength: tuple[StrengthKey, ...] = ()

    def focal_disparities(
        self,
        disparity: Tensor | FrameMaps,
        frames: Tensor | FrameMaps | None = None,
        mask: Tensor | FrameMaps | None = None,
        *,
        smoothing_frames: float = 2.0,
    ) -> tuple[Tensor, list[str]]:
        """Return the focal disparity of every frame, and what people should know of it; see `focus_pull`."""
        pull, lines = self.focus_pull(disparity, frames, mask, smoothing_frames=smoothing_frames)
        return pull.focal_disparity, lines

    def focus_pull(
        self,
        disparity: Tensor | FrameMaps,
        frames: Tensor | FrameMaps | None = None,
        mask: Tensor | FrameMaps | None = None,
        *,
        smoothing_frames: float = 2.0,
        boxes: Sequence[Sequence[Box]] | None = None,
    ) -> tuple[FocusPull, list[str]]:
        """Return where the lens is focused in every frame, and what people should know of it.

        Without a decision it is on what is most likely the subject of each shot, see
        `automatic.focus_on_subject`; else see `decided_path.focal_path`.

        Args:
            disparity: [T, H, W] in [0, 1], 1 = near.
            frames: the pictures, [T, H, W, C] in [0, 1]; "follow" needs them, and cuts are told from them.
            mask: [T, h, w] or [1, h, w] in [0, 1]; "mask" needs it.
            smoothing_frames: standard deviation in frames of the smoothing of what is measured, 0 = off; it
                stops at decisions and cuts.
            boxes: around faces or people in each frame, where the subject is looked for without a decision.

        Returns:
            focal disparity float32 [T] in [0, 1] with the points [T, 2] that it was measured at, NaN where it
            was at none, and lines of a report.

        Raises:
            ValueError: no decision in this clip, one that needs what is not connected, masks that are empty
                where they decide, or maps, pictures and masks that do not fit each other.
        """
        maps = checked_stream(disparity)
        num_frames = maps.shape[0]
        if isinstance(frames, Tensor):
            frames = checked_frames(frames)
        if not self.focus:
            from .automatic import focus_on_subject  # only here: the nodes start without OpenCV

            return focus_on_subject(maps, frames, smoothing_frames, boxes)
        if isinstance(mask, Tensor):
            mask = broadcast_over_frames(checked_masks(mask), num_frames, "mask")
        pull, lines = focal_path(self.focus, maps, frames, mask, smoothing_frames)
        return pull, [*self._notes(num_frames), *lines]

    def strengths(self, num_frames: int) -> Tensor:
        """Return K of every frame, float32 [T]; held before the first key and after the last.

        Without a key it is `strength.DEFAULT_STRENGTH`.

        Raises:
            ValueError: less than one frame.
        """
        require_whole_number("The length of the clip", num_frames, 1, MOST_FRAME, "frames")
        keys = self.strength or (StrengthKey(0, DEFAULT_STRENGTH),)
        values = torch.full((num_frames,), float(keys[0].k), dtype=torch.float64)
        for before, key in pairwise(keys):
            span = torch.arange(before.frame, max(before.frame, min(key.frame, num_frames)))
            progress = (span - before.frame).double() / (key.frame - before.frame)
            curve = eased(progress, "hold" if key.ease == "cut" else key.ease)
            values[before.frame : key.frame] = before.k + (key.k - before.k) * curve
            values[key.frame :] = key.k
        return values.float()

    def _notes(self, num_frames: int) -> list[str]:
        notes = []
        if self.frames and self.frames != num_frames:
            notes.append(
                f"Warning: the focus script was made for a clip of {self.frames} frames, and this one has "
                f"{num_frames}; each decision stays at its frame number. For a part of that clip that begins "
                "at its first frame that is right; else check the decisions."
            )
        for name, entries in (("focus decision", self.focus), ("strength key", self.strength)):
            late = [entry.frame for entry in entries if entry.frame >= num_frames]
            if late:
                one = len(late) == 1
                which = f"the {name} at frame {late[0]} lies" if one else f"{len(late)} {name}s lie"
                notes.append(
                    f"Warning: {which} past the end of the clip, whose last frame is {num_frames - 1} "
                    "(frames count from 0)."
                )
        return notes


def parse_script(text: str) -> FocusScript:
    """Read a focus script.

    Raises:
        ValueError: no JSON, another version, an unknown or missing field, a value of another type or out of
            range, or two decisions for one frame.
    """
    data = _object(_json(text), "The focus script", ("version", "frames", "focus", "strength"))
    version = data.get("version")
    if isinstance(version, bool) or version != VERSION:
        raise ValueError(
            f"The version of the focus script is {version!r:.60}; this program reads version {VERSION}. Make "
            "the script anew, or use the program that it was made with."
        )
    frames = data.get("frames", 0)
    require_whole_number("frames of the focus script", frames, 0, MOST_FRAME, meaning="0 = not known")
    return FocusScript(
        frames,
        _entries(data.get("focus", []), FocusDecision, "focus", "focus decision"),
        _entries(data.get("strength", []), StrengthKey, "strength", "strength key"),
    )


Kind = TypeVar("Kind", FocusDecision, StrengthKey)


def _entries(given: Any, kind: type[Kind], field: str, name: str) -> tuple[Kind, ...]:
    """Read a list of decisions, in the order of their frames."""
    if not isinstance(given, list):
        raise ValueError(f"{field} of the focus script is {given!r:.60}; it must be a list of {name}s.")
    entries: dict[int, Kind] = {}
    for i, item in enumerate(given):
        where = f"{name.capitalize()} {i + 1} of {len(given)}"
        known = fields(kind)
        values = _object(item, where, [field.name for field in known])
        for missing in (f.name for f in known if f.default is MISSING and f.name not in values):
            raise ValueError(f"{where} has no {missing}; every {name} needs one.")
        if isinstance(values["frame"], int):
            where = f"{where} (frame {values['frame']:d})" if abs(values["frame"]) < 1e9 else where
        try:
            entry = kind(**values)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        if entry.frame in entries:
            raise ValueError(f"{where}: frame {entry.frame} has two {name}s; keep one.")
        entries[entry.frame] = entry
    return tuple(entries[frame] for frame in sorted(entries))


def _json(text: str) -> Any:
    if not isinstance(text, str):
        raise ValueError(f"The focus script is of the type {type(text).__name__}; it must be a text.")
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"The focus script has {len(text)} characters; {MOST_CHARACTERS} are read at most.")
    if not text.strip():
        raise ValueError(f'The focus script is empty; the shortest is {{"version": {VERSION}}}.')
    try:
        return json.loads(
            text, object_pairs_hook=_without_repeats, parse_constant=_no_constant, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        raise ValueError(
            f"The focus script {shown(text)} is no JSON: {error.msg} in line {error.lineno}, column "
            f"{error.colno}."
        ) from None
    except RecursionError:
        raise ValueError(f"The focus script {shown(text)} has too many brackets within brackets.") from None


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"The focus script has the field {shown(name)} twice in one place; keep one.")
        found[name] = value
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"The focus script holds {name}; every number must be finite.")


def _whole(digits: str) -> int:
    # Python itself converts at most a few thousand digits, and says nothing of the script when it does not.
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"The focus script holds the number {shown(digits)}, which is too large.")
    return int(digits)


def _object(value: Any, name: str, known: Sequence[str]) -> dict[str, Any]:
    """Check that a value of JSON is an object whose fields are known."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {value!r:.60}; it must be an object in braces.")
    for field in value:
        if field not in known:
            raise ValueError(f"{name} has the field {shown(field)}; known are {', '.join(known)}.")
    return value
