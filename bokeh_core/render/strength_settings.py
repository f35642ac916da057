"""Blur strength as a job states it -> K of every frame."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..clip.lengths import broadcast_over_frames
from ..focus.script import parse_script
from ..strength import checked_strength, scheduled_strength
from .content_hash import tensor_hash
from .typed_text import plain_characters


@dataclass(frozen=True)
class Strength:
    """Blur strength K as typed.

    Attributes:
        text: K >= 0, px of blur radius per unit of disparity on a frame 1024 px wide (Eq. 1): one number,
            keyframes `frame: value` (frames from 0), a CSV table, a list of one value per frame, or a focus
            script.
        easing: curve between keyframes, one of `schedule.values.EASINGS`.

    Raises:
        ValueError: a text that is none of these, or values out of 0 to `strength.MAX_STRENGTH`.
    """

    text: str
    easing: str = "linear"

    def __post_init__(self) -> None:
        self.values(1)

    def values(self, num_frames: int) -> Tensor:
        """K of every frame, float32 [T] >= 0, in px for a frame 1024 px wide.

        Raises:
            ValueError: a list or table for another number of frames.
        """
        if self.text.lstrip().startswith("{"):
            return parse_script(self.text).strengths(num_frames)
        return scheduled_strength(plain_characters(self.text), num_frames, self.easing)

    def fingerprint(self) -> str:
        """A text that differs where the strength differs."""
        return repr(self)


@dataclass(frozen=True)
class GivenStrength:
    """Blur strength K from a connected node or another program.

    Attributes:
        blur_strength: K, [T] or [1] for the whole clip, 0 to `strength.MAX_STRENGTH`: px of blur radius per
            unit of disparity on a frame 1024 px wide.

    Raises:
        ValueError: values out of range or not finite.
    """

    blur_strength: Tensor

    def __post_init__(self) -> None:
        checked_strength(self.blur_strength)

    def values(self, num_frames: int) -> Tensor:
        """K of every frame, float32 [T] >= 0, in px for a frame 1024 px wide.

        Raises:
            ValueError: values for another number of frames.
        """
        blur_strength = checked_strength(self.blur_strength).cpu()
        return broadcast_over_frames(blur_strength, num_frames, "blur strength")

    def fingerprint(self) -> str:
        """A text that differs where the strength differs."""
        return tensor_hash(self.blur_strength)
