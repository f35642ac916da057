"""A camera as it is set, whose numbers may move -> what it does in every frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..clip.checks import checked_values
from ..clip.lengths import broadcast_over_frames
from ..schedule.named import stated_range
from ..schedule.values import EASINGS, schedule_values
from ..setting_checks import require_choice, require_number
from ..strength import MAX_STRENGTH
from .sensors import require_sensor_width
from .thin_lens import (
    MOST_DISTANCE_M,
    breathing_magnification,
    disparity_at,
    distance_at,
    f_stop_label,
    in_words,
    require_distances,
    thin_lens_strength,
)

DEFAULT_FOCAL_LENGTH_MM, DEFAULT_F_NUMBER, DEFAULT_FOCUS_DISTANCE_M = 50.0, 2.8, 2.0
MOVING_NUMBERS = ("focal_length", "f_number", "focus_distance")
LEAST_FOCAL_LENGTH_MM, MOST_FOCAL_LENGTH_MM = 1.0, 2000.0
LEAST_F_NUMBER, MOST_F_NUMBER = 0.5, 128.0
# Cameras in millimetres, with the principal point in the middle of the picture.
_MIDDLE = 0.5


@dataclass(frozen=True)
class CameraPath:
    """What a camera does over a clip.

    Attributes:
        focal_length_mm: float64 [T].
        f_number: float64 [T].
        focus_distance_m: float64 [T]; may be infinite.
        focal_disparity: float32 [T] in [0, 1], where that lies in the clip.
        blur_strength: float32 [T], K in px on a frame 1024 px wide, exactly the thin lens's; of the frames
            before they breathe.
        magnification: float32 [T], what `breathe` magnifies the blurred frames by; None = not at all.
        report: one fact a line.
    """

    focal_length_mm: Tensor
    f_number: Tensor
    focus_distance_m: Tensor
    focal_disparity: Tensor
    blur_strength: Tensor
    magnification: Tensor | None
    report: str

    @property
    def numbers(self) -> dict[str, Tensor]:
        """What a plot shows, by name and unit; a focus at infinity as the farthest that a plot can hold."""
        numbers = {
            "focal length, mm": self.focal_length_mm,
            "f-number": self.f_number,
            "focus distance, m": self.focus_distance_m.clamp(max=MOST_DISTANCE_M),
            "K, px at 1024 px": self.blur_strength,
        }
        if self.magnification is not None:
            numbers["magnification by breathing"] = self.magnification
        return numbers


@dataclass(frozen=True)
class Camera:
    """A camera, whose numbers are numbers or schedules as `schedule.values.schedule_values` takes them.

    Attributes:
        sensor_width: what the width of the frame shows, 1 to 300 mm.
        focal_length: 1 to 2000 mm.
        f_number: 0.5 to 128.
        focus_distance: in metres from the lens, above the focal length; infinite is allowed. Not used where a
            focus is given.
        breathing: whether the picture grows as the focus comes nearer.
        easing: curve between keyframes.

    Raises:
        ValueError: a number out of its range, or a schedule that cannot be read.
    """

    sensor_width: float = 36.0
    focal_length: float | str = DEFAULT_FOCAL_LENGTH_MM
    f_number: float | str = DEFAULT_F_NUMBER
    focus_distance: float | str = DEFAULT_FOCUS_DISTANCE_M
    breathing: bool = False
    easing: str = "linear"

    def __post_init__(self) -> None:
        require_choice("easing", self.easing, EASINGS)
        require_sensor_width(self.sensor_width)
        for name in MOVING_NUMBERS:
            given = getattr(self, name)
            for value in stated_range(given, name) if isinstance(given, str) else (given,):
                _require(name, value)

    def along(
        self,
        num_frames: int,
        near_m: float,
        far_m: float,
        focal_disparity: Tensor | None = None,
        intrinsics: Tensor | None = None,
    ) -> CameraPath:
        """What the camera does in every frame of a clip.

        Args:
            num_frames: T.
            near_m: distance in metres where disparity is 1.
            far_m: where it is 0; infinite where that is the sky.
            focal_disparity: [T] or [1] in [0, 1], in place of the focus distance.
            intrinsics: [T, 3, 3] or [1, 3, 3] with the first row divided by the frame's width: the focal
                length is their fx times the sensor's width, in place of `focal_length`.

        Raises:
            ValueError: a focus within the focal length or outside of the scene, a schedule shorter than the
                clip, a K above `strength.MAX_STRENGTH`; see `thin_lens.require_distances`.
        """
        require_distances(near_m, far_m)
        f_number = self._values("f_number", num_frames)
        focal_length = self._values("focal_length", num_frames)
        lines = []
        if intrinsics is not None:
            focal_length = _focal_length_mm(intrinsics, self.sensor_width, num_frames)
            lines.append("Focal length by the camera's intrinsics and the sensor's width.")
            lines += self._unused_line("focal_length", "intrinsics are")
        if focal_disparity is None:
            distance = self._values("focus_distance", num_frames)
            disparity = disparity_at(distance, near_m, far_m)
        else:
            disparity = checked_values(focal_disparity, "focal_disparity").cpu().double()
            disparity = broadcast_over_frames(disparity, num_frames, "focus")
            distance = distance_at(disparity, near_m, far_m)
            lines += self._unused_line("focus_distance", "a focus is")
        strength = thin_lens_strength(focal_length, f_number, self.sensor_width, distance, near_m, far_m)
        magnification = None
        if self.breathing:
            magnification = breathing_magnification(focal_length, distance)
            # Frames breathe after the blur, which makes the blur as much larger.
            strength = strength / magnification
            most = magnification.max().item()
            lines.append(
                f"The picture breathes by up to {100 * (most - 1):.2g} %, about its middle, after the blur."
            )
        _require_strength(strength, f_number, near_m)
        said = (
            f"{in_words(focal_length, 'mm')} {f_stop_label(f_number)}",
            f"a sensor {self.sensor_width:g} mm wide",
            f"focus at {in_words(distance, 'm')}",
            f"the scene at {near_m:g} m to {'infinity' if math.isinf(far_m) else f'{far_m:g} m'}",
            f"K = {in_words(strength, 'px on a frame 1024 px wide')}",
        )
        return CameraPath(
            focal_length,
            f_number,
            distance,
            disparity.float(),
            strength.float(),
            None if magnification is None else magnification.float(),
            "\n".join([f"{', '.join(said)}.", *lines]),
        )

    @property
    def schedules(self) -> dict[str, str]:
        """The numbers that move, by name."""
        given = {name: getattr(self, name) for name in MOVING_NUMBERS}
        return {name: text for name, text in given.items() if isinstance(text, str)}

    def require_length(self, num_frames: int) -> None:
        """Check that no list or table is shorter than a clip.

        Raises:
            ValueError: one is.
        """
        for name in MOVING_NUMBERS:
            self._values(name, num_frames)

    def _unused_line(self, name: str, what: str) -> list[str]:
        return [f"{name} over time is not used, as {what} given."] if name in self.schedules else []

    def _values(self, name: str, num_frames: int) -> Tensor:
        given = getattr(self, name)
        if isinstance(given, str):
            return schedule_values(given, num_frames, column=name, easing=self.easing).double()
        return torch.full((num_frames,), float(given), dtype=torch.float64)


def _require(name: str, value: float) -> None:
    if name == "focal_length":
        require_number(name, value, LEAST_FOCAL_LENGTH_MM, MOST_FOCAL_LENGTH_MM, "mm")
    elif name == "f_number":
        require_number(name, value, LEAST_F_NUMBER, MOST_F_NUMBER, meaning="1.4 is wide open, 16 small")
    elif value != math.inf:
        require_number(name, value, 0.001, MOST_DISTANCE_M, "m")


def _focal_length_mm(intrinsics: Tensor, sensor_width_mm: float, num_frames: int) -> Tensor:
    """Focal length of every frame, float64 [T].

    Raises:
        ValueError: matrices of another shape, or that are not divided by the size of the frame.
    """
    if not isinstance(intrinsics, Tensor) or intrinsics.shape[-2:] != (3, 3) or intrinsics.ndim != 3:
        found = tuple(intrinsics.shape) if isinstance(intrinsics, Tensor) else type(intrinsics).__name__
        raise ValueError(f"The intrinsics are {found}; they must be one 3 x 3 matrix a frame.")
    values = broadcast_over_frames(intrinsics.cpu().double(), num_frames, "intrinsics")
    off = (values[:, 0, 2] - _MIDDLE).abs()
    if not bool(values.isfinite().all()) or bool((values[:, 0, 0] <= 0).any()) or off.max().item() > _MIDDLE:
        raise ValueError(
            "The intrinsics are not those of a camera with its first row divided by the width of the frame: "
            f"fx is {values[0, 0, 0].item():g} and the principal point {values[0, 0, 2].item():g} in frame 0."
        )
    focal_length = values[:, 0, 0] * sensor_width_mm
    for value in focal_length.aminmax():
        require_number(
            "The focal length by the intrinsics",
            value.item(),
            LEAST_FOCAL_LENGTH_MM,
            MOST_FOCAL_LENGTH_MM,
            "mm",
        )
    return focal_length


def _require_strength(strength: Tensor, f_number: Tensor, near_m: float) -> None:
    frame = int(strength.argmax())
    greatest = strength[frame].item()
    if greatest > MAX_STRENGTH:
        enough = f_number[frame].item() * greatest / MAX_STRENGTH
        raise ValueError(
            f"The blur strength K is {greatest:.0f} px in frame {frame}, and at most {MAX_STRENGTH:g} px is "
            f"rendered: a point at the near distance of {near_m:g} m would fill the frame. Stop down to "
            f"f/{math.ceil(enough * 10) / 10:g}, or if nothing is as near give a greater near_distance."
        )
