"""Blur strength as a job states it -> how strong the blur of every frame is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..camera import Camera, CameraPath, breathe
from ..camera.thin_lens import require_distances
from ..clip.lengths import broadcast_over_frames
from ..focus.script import parse_script
from ..schedule.named import late_notes
from ..strength import checked_strength, scheduled_strength
from .content_hash import tensor_hash
from .typed_text import plain_characters

Distances = tuple[float, float] | None
"""Of disparity 1 and 0, see `DisparityConversion.distances`."""


@dataclass(frozen=True)
class Amount:
    """How strong the blur of every frame is.

    Attributes:
        blur_strength: K >= 0, float32 [T], in px for a frame 1024 px wide.
        magnification: [T], what each blurred frame is magnified by, see `camera.breathe`; None = none is.
        report: one fact a line, or empty.
    """

    blur_strength: Tensor
    magnification: Tensor | None = None
    report: str = ""

    def breathed(self, frames: Iterator[Tensor], start: int) -> Iterator[Tensor]:
        """Blurred frames from number `start` on, as large as they are seen."""
        if self.magnification is None:
            yield from frames
            return
        for frame, magnification in zip(frames, self.magnification[start:].tolist(), strict=False):
            yield breathe(frame, magnification)


class StatedStrength(Protocol):
    """How a job says how strong the blur is."""

    def checked(self, num_frames: int) -> Tensor:
        """K of every frame [T] as far as it is known before the depth is read, else zeros.

        Raises:
            ValueError: what is stated does not fit a clip of this length.
        """

    def focus(self, num_frames: int, distances: Distances) -> Tensor | None:
        """Focal disparity [T] that is stated along with the strength; None leaves it to the job's focus."""

    def amount(self, num_frames: int, focal_disparity: Tensor, distances: Distances) -> Amount:
        """How strong the blur is, given the focal disparity [T] and what the depth says of distances."""

    def fingerprint(self) -> str:
        """A text that differs where the strength differs."""


class _WithoutCamera:
    """A strength that depends on nothing."""

    def values(self, num_frames: int) -> Tensor:
        """K of every frame, float32 [T] >= 0, in px for a frame 1024 px wide."""
        raise NotImplementedError

    def checked(self, num_frames: int) -> Tensor:
        return self.values(num_frames)

    def focus(self, num_frames: int, distances: Distances) -> Tensor | None:
        return None

    def amount(self, num_frames: int, focal_disparity: Tensor, distances: Distances) -> Amount:
        return Amount(self.values(num_frames))


@dataclass(frozen=True)
class Strength(_WithoutCamera):
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
class GivenStrength(_WithoutCamera):
    """Blur strength K from a connected node or another program.

    Attributes:
        blur_strength: K, [T] or [1] for the whole clip, 0 to `strength.MAX_STRENGTH`: px of blur radius per
            unit of disparity on a frame 1024 px wide.
        magnification: [T] or [1], what each blurred frame is magnified by, see `camera.breathe`; None = none.

    Raises:
        ValueError: values out of range or not finite.
    """

    blur_strength: Tensor
    magnification: Tensor | None = None

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
        breathing = "" if self.magnification is None else f" {tensor_hash(self.magnification)}"
        return tensor_hash(self.blur_strength) + breathing

    def amount(self, num_frames: int, focal_disparity: Tensor, distances: Distances) -> Amount:
        """Return the values with their magnification; see `StatedStrength.amount`."""
        if self.magnification is None:
            return Amount(self.values(num_frames))
        grown = broadcast_over_frames(self.magnification.cpu(), num_frames, "magnification")
        return Amount(self.values(num_frames), grown)


@dataclass(frozen=True)
class CameraStrength:
    """Blur strength, and focus where its distance is set, of a camera in millimetres and metres.

    Attributes:
        camera: whose strength it is.
        near_m: distance in metres where disparity is 1; None takes those that metric depth has.
        far_m: where it is 0; infinite is allowed.
        focuses: whether the camera's focus distance counts, in place of the focus of the job.

    Raises:
        ValueError: only one of the distances, or some that no scene has.
    """

    camera: Camera
    near_m: float | None = None
    far_m: float | None = None
    focuses: bool = False

    def __post_init__(self) -> None:
        if (self.near_m is None) != (self.far_m is None):
            raise ValueError(
                "Only one of the distances near and far was given; give both, or neither where the depth is "
                "metric."
            )
        if self.near_m is not None and self.far_m is not None:
            require_distances(self.near_m, self.far_m)

    def checked(self, num_frames: int) -> Tensor:
        """Return K where the focus is set in metres, else zeros; see `StatedStrength.checked`."""
        self.camera.require_length(num_frames)
        if self.focuses and self.near_m is not None:
            return self._path(num_frames, None, None).blur_strength
        return torch.zeros(num_frames)

    def focus(self, num_frames: int, distances: Distances) -> Tensor | None:
        """Return the focus that is set in metres; see `StatedStrength.focus`."""
        return self._path(num_frames, None, distances).focal_disparity if self.focuses else None

    def amount(self, num_frames: int, focal_disparity: Tensor, distances: Distances) -> Amount:
        """Return the thin lens's strength at a focus; see `StatedStrength.amount`."""
        path = self._path(num_frames, None if self.focuses else focal_disparity, distances)
        lines = [path.report, *late_notes(self.camera.schedules, num_frames)]
        return Amount(path.blur_strength, path.magnification, "\n".join(lines))

    def _path(self, num_frames: int, focal_disparity: Tensor | None, distances: Distances) -> CameraPath:
        ends = distances if self.near_m is None or self.far_m is None else (self.near_m, self.far_m)
        if ends is None:
            raise ValueError(
                "A camera needs to know how far the scene is, and this depth does not say it; give "
                "--near-distance and --far-distance in metres, where the disparity is 1 and 0."
            )
        return self.camera.along(num_frames, *ends, focal_disparity=focal_disparity)

    def fingerprint(self) -> str:
        """A text that differs where the strength differs."""
        return repr(self)
