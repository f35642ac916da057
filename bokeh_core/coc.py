"""Circle of confusion (paper Eq. 1): how far a point out of focus spreads, and how users bend that."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .setting_checks import require_number

# No frame is as wide; beyond, a number is a mistake.
_MOST_LIMIT_PX = 1_000_000


@dataclass(frozen=True)
class Falloff:
    """How the blur radius grows with the distance from the focal plane; by default as Eq. 1 says.

    Attributes:
        focus_range: disparity, 0 to 1, over which all is sharp: half of it on each side of the focal plane.
        near_strength: factor on the radius in front of the focal plane, 0 to 100.
        far_strength: factor on the radius behind it, 0 to 100.
        largest_radius_px: what no radius exceeds, 0 or more px; infinite = no limit.

    Raises:
        ValueError: a setting out of range.
    """

    focus_range: float = 0.0
    near_strength: float = 1.0
    far_strength: float = 1.0
    largest_radius_px: float = math.inf

    def __post_init__(self) -> None:
        require_number("focus_range", self.focus_range, 0, 1, "of disparity", "0 = only the focal plane")
        require_number("near_strength", self.near_strength, 0, 100)
        require_number("far_strength", self.far_strength, 0, 100)
        if self.largest_radius_px != math.inf:
            require_number("largest_radius", self.largest_radius_px, 0, _MOST_LIMIT_PX, "px", "0 = no blur")

    @property
    def strongest(self) -> float:
        """The greater of the factors in front of and behind the focal plane."""
        return max(self.near_strength, self.far_strength)

    def bent(self, distance: Tensor, largest: Tensor | float = math.inf) -> Tensor:
        """Bend signed distances from the focal plane, in any unit of radius per unit of disparity.

        Args:
            distance: [T, H, W] signed, positive in front, already less the focus range.
            largest: what no distance exceeds, in the same unit.
        """
        distance = torch.where(distance > 0, self.near_strength * distance, self.far_strength * distance)
        if isinstance(largest, Tensor):
            return torch.minimum(torch.maximum(distance, -largest), largest)
        return distance if largest == math.inf else distance.clamp(-largest, largest)

    def beyond_range(self, distance: Tensor) -> Tensor:
        """Signed distance from the range in focus, 0 inside of it, given that from the focal plane."""
        if self.focus_range == 0:
            return distance
        return distance.sign() * (distance.abs() - self.focus_range / 2).clamp(min=0)

    def scaled_to_one(self) -> tuple["Falloff", float]:
        """The same with factors of at most 1, and what the strength K is to be multiplied by in return."""
        if self.strongest in (0, 1):
            return (self, 1.0) if self.strongest else (replace(self, near_strength=1, far_strength=1), 0.0)
        near, far = self.near_strength / self.strongest, self.far_strength / self.strongest
        return replace(self, near_strength=near, far_strength=far), self.strongest

    def disparity_that_blurs_alike(
        self, disparity: Tensor, focal_disparity: Tensor, blur_strength_px: Tensor
    ) -> Tensor:
        """Disparity whose radius by Eq. 1 is what this falloff gives.

        It lies between the focal plane and the disparity where no factor is above 1, see `scaled_to_one`.

        Args:
            disparity: [T, H, W] in [0, 1], 1 = near.
            focal_disparity: [T] in [0, 1].
            blur_strength_px: [T], K >= 0 in px.

        Returns:
            [T, H, W].
        """
        if self == EQ_1:
            return disparity
        focal = focal_disparity.to(disparity)[:, None, None]
        # Where K is 0 any limit divided by it is infinite, and nothing blurs.
        limit = self.largest_radius_px / blur_strength_px.to(disparity)[:, None, None]
        return focal + self.bent(
            self.beyond_range(disparity - focal), limit.nan_to_num(nan=0.0, posinf=math.inf)
        )


EQ_1 = Falloff()
"""The paper's: r = K |d - d_f|."""


def disparity_that_blurs_alike(
    disparity: Tensor,
    focal_disparity: Tensor,
    blur_strength_px: Tensor,
    falloff: Falloff | Sequence[Falloff],
) -> Tensor:
    """`Falloff.disparity_that_blurs_alike`, of one falloff or of one for each frame."""
    if isinstance(falloff, Falloff):
        return falloff.disparity_that_blurs_alike(disparity, focal_disparity, blur_strength_px)
    each = zip(falloff, disparity[:, None], focal_disparity[:, None], blur_strength_px[:, None], strict=True)
    return torch.cat([bends.disparity_that_blurs_alike(*values) for bends, *values in each])


def _per_frame(values: Tensor, disparity: Tensor, name: str) -> Tensor:
    if values.shape != disparity.shape[:1]:
        raise ValueError(
            f"{name} has shape {tuple(values.shape)} for {disparity.shape[0]} disparity frames; "
            "give one value per frame."
        )
    if not bool(values.isfinite().all()):
        frame = int((~values.isfinite()).nonzero()[0])
        raise ValueError(f"{name} is {values[frame].item()} in frame {frame}; it must be a finite number.")
    return values.to(disparity)[:, None, None]


def signed_circle_of_confusion_px(
    disparity: Tensor,
    focal_disparity: Tensor,
    blur_strength_px: Tensor,
    falloff: Falloff | Sequence[Falloff] = EQ_1,
) -> Tensor:
    """Signed blur radius K (d - d_f) in pixels: positive in front of the focal plane, negative behind.

    With a falloff it is K max(0, |d - d_f| - w / 2) with the sign of d - d_f, times the strength of its side,
    and no more than the largest radius.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        focal_disparity: [T] in [0, 1].
        blur_strength_px: [T], K >= 0 in px of this frame.
        falloff: how the radius grows, or one for each frame; largest radii are in px of this frame.

    Returns:
        [T, H, W] in pixels, dtype and device of `disparity`.

    Raises:
        ValueError: a per-frame value has another length than the clip or is not finite, or K is negative.
    """
    strength = _per_frame(blur_strength_px, disparity, "blur_strength_px")
    focal = _per_frame(focal_disparity, disparity, "focal_disparity")
    if bool((blur_strength_px < 0).any()):
        raise ValueError(
            f"blur_strength_px is {blur_strength_px.min().item():g}; it must be 0 or more pixels."
        )
    distance = disparity - focal
    if isinstance(falloff, Falloff):
        return _radius_px(distance, strength, falloff)
    frames = range(len(disparity))
    if len(falloff) != len(frames):
        raise ValueError(f"{len(falloff)} falloffs for {len(frames)} frames; give one a frame.")
    return torch.stack([_radius_px(distance[t], strength[t], falloff[t]) for t in frames])


def _radius_px(distance: Tensor, strength_px: Tensor, falloff: Falloff) -> Tensor:
    radius_px = strength_px * falloff.beyond_range(distance)
    return radius_px if falloff == EQ_1 else falloff.bent(radius_px, falloff.largest_radius_px)


def circle_of_confusion_px(disparity: Tensor, focal_disparity: Tensor, blur_strength_px: Tensor) -> Tensor:
    """Blur radius r = K |d - d_f| in pixels (Eq. 1); arguments as `signed_circle_of_confusion_px`."""
    return torch.abs(signed_circle_of_confusion_px(disparity, focal_disparity, blur_strength_px))
