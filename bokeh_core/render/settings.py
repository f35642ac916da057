"""Focus and blur strength in words, as the command and the node take them -> one value per frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ..clip_length import broadcast_over_frames, require_clip_length
from ..disparity_files import DepthMapStream, fingerprint, open_depth_maps
from ..focus import CENTRE, FrameMaps, focus_at_point, focus_at_value, focus_on_mask
from ..schedule import schedule_values
from .clip_stream import StreamedMaps
from .fingerprints import tensor_fingerprint

_EXAMPLES = "0.8, or 0: 0.9, 24: 0.3, or point, or point: 512, 288, or mask: FILE"


class Focus(Protocol):
    """Where the lens is focused."""

    @property
    def measures(self) -> bool:
        """Whether the disparity must be looked at."""

    def values(self, num_frames: int, disparity: FrameMaps) -> Tensor:
        """Focal disparity of every frame, [T] in [0, 1]; `disparity` is read only if `measures`."""

    def fingerprint(self) -> str:
        """A text that differs where the focus differs."""


@dataclass(frozen=True)
class ValueFocus:
    """At a disparity: a number, keyframes, a CSV table or a list."""

    text: str
    easing: str = "linear"
    measures = False

    def values(self, num_frames: int, disparity: FrameMaps) -> Tensor:
        return focus_at_value(num_frames, keyframes=self.text, easing=self.easing)

    def fingerprint(self) -> str:
        return repr(self)


@dataclass(frozen=True)
class PointFocus:
    """On what lies at a point of the frame; see `focus.focus_at_point`."""

    x_px: int = CENTRE
    y_px: int = CENTRE
    keyframes: str = ""
    smoothing_frames: float = 2.0
    radius_px: int = 8
    between: str = "follow the point"
    easing: str = "linear"
    measures = True

    def values(self, num_frames: int, disparity: FrameMaps) -> Tensor:
        return focus_at_point(
            disparity,
            self.x_px,
            self.y_px,
            self.radius_px,
            self.smoothing_frames,
            self.keyframes,
            self.between,
            self.easing,
        )

    def fingerprint(self) -> str:
        return repr(self)


@dataclass(frozen=True)
class MaskFocus:
    """On a subject that masks show: a folder, a video or a still; see `focus.focus_on_mask`."""

    path: Path
    smoothing_frames: float = 2.0
    measures = True

    def values(self, num_frames: int, disparity: FrameMaps) -> Tensor:
        masks = open_depth_maps(self.path)
        first_two = list(islice(masks.frames(), 2))
        if len(first_two) == 1:
            return focus_on_mask(disparity, first_two[0], self.smoothing_frames)
        size = torch.Size((num_frames, *first_two[0].shape))
        streamed = StreamedMaps(partial(_counted, masks, num_frames), size)
        return focus_on_mask(disparity, streamed, self.smoothing_frames)

    def fingerprint(self) -> str:
        return f"{self!r} {fingerprint(self.path)}"


@dataclass(frozen=True)
class GivenFocus:
    """Values that were made elsewhere: [T], or [1] for the whole clip."""

    focal_disparity: Tensor
    measures = False

    def values(self, num_frames: int, disparity: FrameMaps) -> Tensor:
        return broadcast_over_frames(self.focal_disparity.float().cpu(), num_frames, "focus")

    def fingerprint(self) -> str:
        return tensor_fingerprint(self.focal_disparity)


@dataclass(frozen=True)
class Strength:
    """Blur strength K in words: a number, keyframes, a CSV table or a list, for a frame 1024 px wide."""

    text: str
    easing: str = "linear"

    def values(self, num_frames: int) -> Tensor:
        """K of every frame, [T] >= 0."""
        return schedule_values(self.text, num_frames, column="blur_strength", easing=self.easing, minimum=0.0)

    def fingerprint(self) -> str:
        """A text that differs where the strength differs."""
        return repr(self)


@dataclass(frozen=True)
class GivenStrength:
    """Values that were made elsewhere: [T], or [1] for the whole clip."""

    blur_strength: Tensor

    def values(self, num_frames: int) -> Tensor:
        """K of every frame, [T] >= 0."""
        return broadcast_over_frames(self.blur_strength.float().cpu(), num_frames, "blur strength")

    def fingerprint(self) -> str:
        """A text that differs where the strength differs."""
        return tensor_fingerprint(self.blur_strength)


def parse_focus(
    text: str,
    *,
    smoothing_frames: float = 2.0,
    radius_px: int = 8,
    between: str = "follow the point",
    easing: str = "linear",
    find_file: Callable[[str], Path] = Path,
) -> Focus:
    """Read a focus in words.

    Args:
        text: `0.8` (disparity), `0: 0.9, 24: 0.3` (keyframes of it), `point` (the centre), `point: 512, 288`
            (pixel), `point: 0: 512, 288; 24: 700, 300` (keyframes of it), or `mask: FILE`.
        smoothing_frames: of a measured focus over time.
        radius_px: of the disk that is measured at a point.
        between: what happens between keyframes of points, see `focus.BETWEEN_POINTS`.
        easing: curve between keyframes.
        find_file: turns the name of a mask into its path.

    Raises:
        ValueError: none of these.
    """
    kind, _, rest = (part.strip() for part in text.strip().partition(":"))
    if kind == "point" and ":" in rest:
        return PointFocus(CENTRE, CENTRE, rest, smoothing_frames, radius_px, between, easing)
    if kind == "point":
        numbers = re.fullmatch(r"\(?\s*(-?\d+)\s*[,; ]\s*(-?\d+)\s*\)?", rest)
        if rest and not numbers:
            raise ValueError(f"The focus {text!r} names no pixel; write point: 512, 288 (column, row).")
        x_px, y_px = (int(number) for number in numbers.groups()) if numbers else (CENTRE, CENTRE)
        return PointFocus(x_px, y_px, "", smoothing_frames, radius_px, between, easing)
    if kind == "mask":
        if not rest:
            raise ValueError("The focus names no mask; write mask: FILE, a folder, video or still.")
        return MaskFocus(find_file(rest), smoothing_frames)
    if re.match(r"[A-Za-z]", kind) and "focal_disparity" not in text and "\n" not in text.strip():
        raise ValueError(f"The focus {text!r} cannot be read; write {_EXAMPLES}.")
    if not text.strip():
        raise ValueError(f"The focus is empty; write {_EXAMPLES}.")
    return ValueFocus(text, easing)


def _counted(masks: DepthMapStream, num_frames: int) -> Iterator[Tensor]:
    """The masks of a clip, checked to be as many as its frames."""
    count = 0
    for mask in masks.frames():
        count += 1
        if count <= num_frames:
            yield mask
    require_clip_length(count, num_frames, "mask")
