"""Soft steps of a map become steps where the picture has its edges."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...reference_width import in_frame_px
from ..between_pixels import sampled
from ..extremes import Plane, highest_around, lowest_around
from .guided_filter import guide

Pixels = NDArray[np.int64]

# Of frames 1024 px wide: half of the widest ramp, and how far the colours of the two sides are gathered.
_REACH_PX = 12.0
# Narrower ramps are left to Lens Blur, which follows the picture's edges as far by itself.
_LEAST_WIDTH_PX = 6.0
# Of any frame: a step from one px to the next counts as 2.
_SHARP_PX = 2.5
_GATHERED_PX = 18.0
# Wider maps are judged at this width; where the outline runs is told by all pixels of the frame.
_MOST_WIDTH_PX = 512
_LEAST_STEP = 0.1
# A slanted surface rises evenly over the window, in 2 px by a small part; a ramp by more than this.
_RAMP_SHARE = 0.16
_STEEP_SHARE = 0.1
_END_SHARE = 0.5
_SOFT_SHARE = 0.3
_STEEP_SAMPLE_SHARE = 0.3
_LEAST_STEEP = 0.0075
# Fewer ramps than this part of all steps are chance: where contours meet, or thin things stand close.
_LEAST_RAMPS = 0.05
_WEIGHT_OF_STEEP = 0.05
# A surface beside a ramp is flat to this part of the ramp's rise, and to the noise of 8 bits.
_FLAT_SHARE = 0.15
_SAME_SHARE = 0.08
_NOISE = 0.005
_NO_SURFACE = 9.0
# Where a ramp has ended, putting it on a surface moves it by less than this part of its rise; where more of
# the ends than a share do not, it is no ramp between two surfaces.
_ENDED_SHARE = 0.15
_NOT_ENDED_SHARE = 0.3
_SHARE_OF_RAMP = 0.3


def sharpened_outlines(disparity: Tensor, frame: Tensor) -> Tensor:
    """Put each pixel of a soft step on one of the surfaces beside it, by its colour.

    Sharp steps, slanted surfaces and all that is not on a ramp stay as they are. Computed on the CPU.

    Args:
        disparity: [H, W] in [0, 1].
        frame: [H, W, C] in [0, 1], C = 1, 3 or 4; alpha is ignored.

    Returns:
        [H, W] in [0, 1]; the very tensor given where nothing is soft.
    """
    own = disparity.cpu().numpy()
    height, width = own.shape
    scale = min(1.0, _MOST_WIDTH_PX / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = own if scale == 1 else _picked(own, size)
    reach_px = max(3, round(in_frame_px(_REACH_PX, size[0])))
    ramps = _ramps(small, reach_px)
    if not ramps.any():
        return disparity
    picture = frame[..., :3].float().expand(-1, -1, 3).contiguous().cpu().numpy()
    seen = picture if scale == 1 else np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    sides, steps = _sides(small, ramps, reach_px)
    gathered_px = max(4, round(in_frame_px(_GATHERED_PX, size[0])))
    slopes, offset = guide(seen, steps, _weights(small, reach_px), gathered_px)
    if scale < 1:
        slopes, offset = (np.asarray(cv2.resize(values, (width, height))) for values in (slopes, offset))
        sides = sides.of_size((width, height))
    by_colour = (slopes * picture).sum(-1) + offset
    # The middle of a ramp is the better witness where colours of the two sides are alike.
    told = sides.nearest(by_colour + _SHARE_OF_RAMP * (own - by_colour))
    result = np.where(sides.band, told, own).astype(np.float32)
    # Single pixels of the other side's colour are noise of the picture.
    result = np.where(sides.band, cv2.medianBlur(result, 3), result)
    result = np.where(_goes_on(sides, np.abs(result - own)), own, result)
    return torch.from_numpy(result.clip(0, 1)).to(disparity.device)


@dataclass(frozen=True)
class _Sides:
    """What lies beside ramps, each [H, W].

    Attributes:
        band: bool, pixels of ramps.
        near: disparity of the surface in front.
        far: of the one behind.
        between: of a third one; `_NO_SURFACE` where there is none.
    """

    band: NDArray[np.bool_]
    near: Plane
    far: Plane
    between: Plane

    def of_size(self, size: tuple[int, int]) -> _Sides:
        """Enlarged to (width, height)."""
        band = _picked(self.band.astype(np.float32), size) > 0
        return _Sides(band, *(_picked(values, size) for values in (self.near, self.far, self.between)))

    def nearest(self, values: Plane) -> Plane:
        """Of the surfaces at each pixel the one that is closest to a value."""
        chosen = np.where(self.near - values < values - self.far, self.near, self.far)
        return np.where(np.abs(self.between - values) < np.abs(chosen - values), self.between, chosen)


def _goes_on(sides: _Sides, moved: Plane) -> NDArray[np.bool_]:
    """Pixels [H, W] of ramps that go on beyond their ends, as slopes do: a step would be put beside them.

    Args:
        sides: what lies beside ramps.
        moved: [H, W], by how much their pixels change.
    """
    reach_px = max(3, round(in_frame_px(_REACH_PX, moved.shape[1])))
    ends = sides.band & (lowest_around(sides.band.astype(np.uint8), 1) == 0)
    rise = highest_around(sides.near - sides.far, reach_px)
    going_on = ends & (moved > _ENDED_SHARE * rise + _NOISE)
    return sides.band & (_amount(going_on, reach_px) > _NOT_ENDED_SHARE * _amount(ends, reach_px))


def _ramps(disparity: Plane, reach_px: int) -> NDArray[np.bool_]:
    """Pixels of soft steps, which end on both sides within reach."""
    rise, local = _range(disparity, reach_px), _range(disparity, 1)
    steepest = highest_around(local, reach_px)
    soft = (rise > _LEAST_STEP) & (steepest > _RAMP_SHARE * rise)
    width_px = max(_SHARP_PX, in_frame_px(_LEAST_WIDTH_PX, disparity.shape[1]))
    beside_px = int(np.ceil(width_px))
    # A ramp as wide as that rises over 2 px by 2 / width of its height.
    soft &= highest_around(local, beside_px) * width_px < 2 * _range(disparity, beside_px)
    steep = local > np.maximum(_STEEP_SHARE * rise, _LEAST_STEEP)
    ridge = steep & (local > _END_SHARE * steepest)
    middle = ridge & soft
    # Where sharp steps meet they look soft, for a few px.
    middle &= _amount(middle, reach_px) > _SOFT_SHARE * _amount(ridge, reach_px)
    y, x = np.nonzero(middle)
    if not len(y):
        return middle
    middle[y, x] = _ends(disparity, y, x, reach_px)
    around = highest_around(middle.astype(np.uint8), (reach_px + 1) // 2) > 0
    found = highest_around((steep & around).astype(np.uint8), 1) > 0
    return found & bool(
        np.count_nonzero(found) >= _LEAST_RAMPS * np.count_nonzero(ridge & (rise > _LEAST_STEP))
    )


def _ends(disparity: Plane, y: Pixels, x: Pixels, reach_px: int) -> NDArray[np.bool_]:
    """Whether the slope at pixels [N] ends within reach, both upwards and downwards."""
    smooth = cv2.GaussianBlur(disparity, (0, 0), 1.0)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *axes, ksize=3)[y, x] for axes in ((1, 0), (0, 1)))
    length = np.maximum(np.hypot(across, down), 1e-6)
    away = np.arange(-reach_px - 1, reach_px + 2, dtype=np.float32)
    at_x, at_y = (
        (places[:, None] + away * (part / length)[:, None]).astype(np.float32)
        for places, part in ((x, across), (y, down))
    )
    line = sampled(smooth, at_y, at_x)
    slopes = line[:, 2:] - line[:, :-2]
    inside = (at_x >= 0) & (at_x <= disparity.shape[1] - 1) & (at_y >= 0) & (at_y <= disparity.shape[0] - 1)
    slopes = np.where(inside[:, 2:] & inside[:, :-2], slopes, np.inf)
    least = _END_SHARE * slopes[:, reach_px]
    return (slopes[:, :reach_px].min(1) < least) & (slopes[:, reach_px + 1 :].min(1) < least)


def _sides(disparity: Plane, band: NDArray[np.bool_], reach_px: int) -> tuple[_Sides, Plane]:
    """The surfaces beside ramps, and the map with steps in the middle of its ramps."""
    steps = _stepped(disparity, reach_px)
    top, bottom = highest_around(steps, reach_px), lowest_around(steps, reach_px)
    rise = top - bottom
    ramp_rise = _range(disparity, reach_px)
    flat = _range(disparity, 2) < _FLAT_SHARE * ramp_rise + _NOISE
    near_part = flat & (top - disparity < _FLAT_SHARE * rise + _NOISE)
    far_part = flat & (disparity - bottom < _FLAT_SHARE * rise + _NOISE)
    near = _mean_of(disparity, near_part, reach_px, top)
    far = _mean_of(disparity, far_part, reach_px, bottom)
    margin = _FLAT_SHARE * ramp_rise
    third = _is_around(steps, flat, _SAME_SHARE * ramp_rise + _NOISE, reach_px)
    third &= (steps - bottom > margin) & (top - steps > margin)
    between = np.where(third, steps, _NO_SURFACE).astype(np.float32)
    return _Sides(band, near, far, between), steps


def _stepped(disparity: Plane, passes: int) -> Plane:
    """Move ramp pixels to the nearer extreme of their 3 x 3 neighbourhood, again and again."""
    for _ in range(passes):
        top, bottom = highest_around(disparity, 1), lowest_around(disparity, 1)
        local = top - bottom
        on_ramp = local > np.maximum(0.25 * highest_around(local, passes), _NOISE)
        nearer = np.where(top - disparity < disparity - bottom, top, bottom)
        disparity = np.where(on_ramp, nearer, disparity)
    return disparity


def _weights(disparity: Plane, reach_px: int) -> Plane:
    """How much the colour of a pixel says of its surface: little on a ramp."""
    steep = _range(disparity, 1) > np.maximum(_STEEP_SAMPLE_SHARE * _range(disparity, reach_px), _LEAST_STEEP)
    return np.where(steep, _WEIGHT_OF_STEEP, 1.0).astype(np.float32)


def _picked(values: Plane, size: tuple[int, int]) -> Plane:
    """Values at another (width, height), none of them mixed."""
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_NEAREST_EXACT))


def _mean_of(disparity: Plane, part: NDArray[np.bool_], reach_px: int, otherwise: Plane) -> Plane:
    """Disparity of a part as the mean around each pixel, where there is enough of it."""
    counted = part.astype(np.float32)
    amount = cv2.GaussianBlur(counted, (0, 0), reach_px / 2)
    mean = cv2.GaussianBlur(disparity * counted, (0, 0), reach_px / 2) / np.maximum(amount, 1e-6)
    return np.where(amount > 0.01, mean, otherwise).astype(np.float32)


def _is_around(values: Plane, flat: NDArray[np.bool_], tolerance: Plane, reach_px: int) -> NDArray[np.bool_]:
    """Whether a flat part within reach, in eight directions, has the value of a pixel."""
    height, width = values.shape
    padded = np.pad(np.where(flat, values, _NO_SURFACE), reach_px, constant_values=_NO_SURFACE)
    found = np.zeros_like(flat)
    for away in {max(1, round(reach_px * part)) for part in (0.2, 0.4, 0.6, 0.8, 1.0)}:
        for down in (-away, 0, away):
            for right in (-away, 0, away):
                rows = slice(reach_px + down, reach_px + down + height)
                columns = slice(reach_px + right, reach_px + right + width)
                found |= np.abs(padded[rows, columns] - values) < tolerance
    return found


def _amount(mask: NDArray[np.bool_], reach_px: int) -> Plane:
    side = (2 * reach_px + 1,) * 2
    return np.asarray(cv2.boxFilter(mask.astype(np.float32), -1, side))


def _range(values: Plane, reach_px: int) -> Plane:
    return highest_around(values, reach_px) - lowest_around(values, reach_px)
