"""Where the lens is focused, as a job states it -> a focal disparity for every frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ..clip.checks import checked_values
from ..clip.lengths import broadcast_over_frames, require_clip_length
from ..disparity.files import DepthMapStream, open_depth_maps, state_of_files
from ..focus.at_point import (
    BETWEEN_POINTS,
    CENTRE,
    DEFAULT_BETWEEN_POINTS,
    TRACK_THE_SUBJECT,
    focus_pull_at_point,
    require_inside,
)
from ..focus.decision import MOST_RADIUS_PX
from ..focus.focal_plane import focus_at_value, focus_on_mask
from ..focus.maps import FrameMaps
from ..focus.script import FocusScript
from ..focus.smoothing import require_smoothing
from ..schedule.values import EASINGS, parse_keyframes
from ..setting_checks import require_choice, require_whole_number
from .clip_stream import StreamedMaps
from .content_hash import tensor_hash
from .typed_text import plain_characters

NO_MAPS = StreamedMaps(lambda: iter(()), torch.Size((0, 0, 0)))


class Focus(Protocol):
    """Where the lens is focused: a focal disparity in [0, 1] for every frame, 1 = near."""

    @property
    def measures(self) -> bool:
        """Whether `over_clip` reads the disparity; if not, it may be given `NO_MAPS`."""

    @property
    def reads_frames(self) -> bool:
        """Whether `over_clip` reads the frames; if not, it may be given none."""

    def require_fits(self, size: tuple[int, int]) -> None:
        """Check the focus against the frames before anything is read.

        Args:
            size: (height, width) of the frames in px.

        Raises:
            ValueError: a point outside of the frame, or no mask.
        """

    def over_clip(
        self, num_frames: int, disparity: FrameMaps, frames: FrameMaps | None = None
    ) -> tuple[Tensor, list[str]]:
        """Focal disparity of every frame, float32 [T] in [0, 1], and lines of a report.

        Args:
            num_frames: T, >= 1.
            disparity: [T, H, W] in [0, 1], 1 = near; read only if `measures`.
            frames: [T, H, W, C] in [0, 1]; read only if `reads_frames`.

        Raises:
            ValueError: values out of range, or for another number of frames.
        """

    def fingerprint(self) -> str:
        """A text that differs where the focus differs."""


@dataclass(frozen=True)
class ValueFocus:
    """Focus at a typed disparity.

    Attributes:
        text: focal disparity in [0, 1], 1 = near: one number, keyframes `frame: value` (frames from 0), a CSV
            table or a list of one value per frame.
        easing: curve between keyframes, one of `schedule.values.EASINGS`.

    Raises:
        ValueError: a text that is none of these, or values out of range.
    """

    text: str
    easing: str = "linear"
    measures = False
    reads_frames = False

    def __post_init__(self) -> None:
        # Of one frame: whether a list is long enough is known once the clip is.
        self.over_clip(1, NO_MAPS)

    def require_fits(self, size: tuple[int, int]) -> None:
        """Fits frames of any size."""

    def over_clip(
        self, num_frames: int, disparity: FrameMaps, frames: FrameMaps | None = None
    ) -> tuple[Tensor, list[str]]:
        return focus_at_value(num_frames, keyframes=plain_characters(self.text), easing=self.easing), []

    def fingerprint(self) -> str:
        return repr(self)


@dataclass(frozen=True)
class PointFocus:
    """Focus on what lies at a point of the frame; see `focus.at_point.focus_pull_at_point`.

    Attributes:
        x_px: column in px of the frames, from 0 at the left to width - 1; -1 = the centre.
        y_px: row in px of the frames, from 0 at the top to height - 1; -1 = the centre.
        keyframes: `frame: x, y` in the same px, frames from 0; replaces `x_px` and `y_px` unless empty.
        smoothing_frames: standard deviation of the smoothing over time in frames, 0 to 10000; 0 = off.
        radius_px: radius of the disk that is measured, in px of the frames, 0 to 65536; 0 = the pixel alone.
        between: what happens between keyframes, one of `focus.BETWEEN_POINTS`.
        easing: curve between keyframes, one of `schedule.values.EASINGS`.

    Raises:
        ValueError: a value out of range.
    """

    x_px: int = CENTRE
    y_px: int = CENTRE
    keyframes: str = ""
    smoothing_frames: float = 2.0
    radius_px: int = 8
    between: str = DEFAULT_BETWEEN_POINTS
    easing: str = "linear"
    measures = True

    def __post_init__(self) -> None:
        require_smoothing(self.smoothing_frames, "focus smoothing")
        require_whole_number("focus radius", self.radius_px, 0, MOST_RADIUS_PX, "px", "0 = the pixel alone")
        require_choice("between points", self.between, BETWEEN_POINTS)
        require_choice("easing", self.easing, EASINGS)
        for name, value in (("x", self.x_px), ("y", self.y_px)):
            if value < CENTRE:
                raise ValueError(
                    f"The focus point's {name} is {value}; pixels count from 0 at the top left, -1 is the "
                    "centre."
                )
        if self.keyframes:
            parse_keyframes(self.keyframes, 2, "Point keyframes")

    @property
    def reads_frames(self) -> bool:
        return self.between == TRACK_THE_SUBJECT

    def require_fits(self, size: tuple[int, int]) -> None:
        height, width = size
        if self.keyframes:
            for x, y in parse_keyframes(self.keyframes, 2, "Point keyframes").values.tolist():
                require_inside(x, y, width, height)
            return
        require_inside(max(self.x_px, 0), max(self.y_px, 0), width, height)

    def over_clip(
        self, num_frames: int, disparity: FrameMaps, frames: FrameMaps | None = None
    ) -> tuple[Tensor, list[str]]:
        pull, lines = focus_pull_at_point(
            disparity,
            self.x_px,
            self.y_px,
            self.radius_px,
            self.smoothing_frames,
            self.keyframes,
            self.between,
            self.easing,
            frames,
        )
        return pull.focal_disparity, lines

    def fingerprint(self) -> str:
        return repr(self)


@dataclass(frozen=True)
class MaskFocus:
    """Focus on a masked subject; see `focus.focus_on_mask`.

    Attributes:
        path: folder, video or still of masks, white on the subject: one per frame, or one for the whole clip,
            of any size.
        smoothing_frames: standard deviation of the smoothing over time in frames, 0 to 10000; 0 = off.

    Raises:
        ValueError: smoothing out of range.
    """

    path: Path
    smoothing_frames: float = 2.0
    measures = True
    reads_frames = False

    def __post_init__(self) -> None:
        require_smoothing(self.smoothing_frames, "focus smoothing")

    def require_fits(self, size: tuple[int, int]) -> None:
        """Check that masks are there and of one kind; they are resized to frames of any size."""
        open_depth_maps(self.path)

    def over_clip(
        self, num_frames: int, disparity: FrameMaps, frames: FrameMaps | None = None
    ) -> tuple[Tensor, list[str]]:
        masks = open_depth_maps(self.path)
        first_two = list(islice(masks.frames(), 2))
        if len(first_two) == 1:
            return focus_on_mask(disparity, first_two[0], self.smoothing_frames), []
        size = torch.Size((num_frames, *first_two[0].shape))
        streamed = StreamedMaps(partial(_counted, masks, num_frames), size)
        return focus_on_mask(disparity, streamed, self.smoothing_frames), []

    def fingerprint(self) -> str:
        return f"{self!r} {state_of_files(self.path)}"


@dataclass(frozen=True)
class ScriptFocus:
    """Focus by the decisions of a script, as the viewfinder makes it; see `focus.script.FocusScript`.

    Attributes:
        script: its decisions; without any the focus is automatic.
        smoothing_frames: standard deviation of the smoothing over time in frames, 0 to 10000; 0 = off.

    Raises:
        ValueError: smoothing out of range, or a decision that focuses on a mask.
    """

    script: FocusScript
    smoothing_frames: float = 2.0
    measures = True
    reads_frames = True

    def __post_init__(self) -> None:
        require_smoothing(self.smoothing_frames, "focus smoothing")
        for decision in self.script.focus:
            if decision.kind == "mask":
                raise ValueError(
                    f"The focus decision at frame {decision.frame} is of the kind mask, and a script alone "
                    "has no mask; choose follow, point or lock there, or give mask: FILE as the focus."
                )

    def require_fits(self, size: tuple[int, int]) -> None:
        """Fits frames of any size."""

    def over_clip(
        self, num_frames: int, disparity: FrameMaps, frames: FrameMaps | None = None
    ) -> tuple[Tensor, list[str]]:
        return self.script.focal_disparities(disparity, frames, smoothing_frames=self.smoothing_frames)

    def fingerprint(self) -> str:
        return repr(self)


@dataclass(frozen=True)
class GivenFocus:
    """Focus from a connected node or another program.

    Attributes:
        focal_disparity: [T], or [1] for the whole clip, in [0, 1], 1 = near.

    Raises:
        ValueError: values out of range or not finite.
    """

    focal_disparity: Tensor
    measures = False
    reads_frames = False

    def __post_init__(self) -> None:
        checked_values(self.focal_disparity, "focal_disparity")

    def require_fits(self, size: tuple[int, int]) -> None:
        """Fits frames of any size."""

    def over_clip(
        self, num_frames: int, disparity: FrameMaps, frames: FrameMaps | None = None
    ) -> tuple[Tensor, list[str]]:
        focal_disparity = checked_values(self.focal_disparity, "focal_disparity").cpu()
        return broadcast_over_frames(focal_disparity, num_frames, "focus"), []

    def fingerprint(self) -> str:
        return tensor_hash(self.focal_disparity)


def _counted(masks: DepthMapStream, num_frames: int) -> Iterator[Tensor]:
    """The masks of a clip, checked to be as many as its frames."""
    count = 0
    for mask in masks.frames():
        count += 1
        if count <= num_frames:
            yield mask
    require_clip_length(count, num_frames, "mask")
