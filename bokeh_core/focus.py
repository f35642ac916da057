"""Where the lens is focused: one focal disparity per frame, from a number, a point or a mask."""

import math
from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from .clip_length import broadcast_over_frames
from .masks import resize_mask
from .schedule import Keyframes, interpolate_keyframes, parse_keyframes, schedule_values, segment_at_frames

# What happens between two point keyframes: the point travels with one subject, or the focus moves
# from the subject at one point to the subject at the other.
BETWEEN_POINTS = ("follow the point", "rack focus")

CENTRE = -1

# Below this a mask pixel is more background than subject, and its disparity is a mixture.
_INSIDE_MASK = 0.5
_TRIMMED_FRACTION = 0.2
# Sorting more pixels of a mask takes longer and moves the mean in the fourth digit.
_MAX_MASK_SAMPLES = 65_536


class FrameMaps(Protocol):
    """Maps [T, H, W] that are looked at once, in order: a tensor, or a stream that holds one at a time."""

    @property
    def shape(self) -> torch.Size:
        """(T, H, W)."""

    def __iter__(self) -> Iterator[Tensor]:
        """Each map [H, W]."""


def focus_at_value(
    num_frames: int, focal_disparity: float = 0.5, keyframes: str = "", easing: str = "linear"
) -> Tensor:
    """Return a given focal disparity for every frame.

    Args:
        num_frames: length of the clip.
        focal_disparity: in [0, 1], used where `keyframes` is blank.
        keyframes: text for `schedule.schedule_values` with the column "focal_disparity".
        easing: curve between keyframes; see `schedule.EASINGS`.

    Returns:
        float32 [T] in [0, 1].

    Raises:
        ValueError: a value outside [0, 1], unreadable text, or fewer values than frames.
    """
    if keyframes.strip():
        return schedule_values(
            keyframes, num_frames, column="focal_disparity", easing=easing, minimum=0.0, maximum=1.0
        )
    if not 0 <= focal_disparity <= 1:
        raise ValueError(f"focal_disparity is {focal_disparity:g}; it must be 0 (farthest) to 1 (nearest).")
    return torch.full((num_frames,), float(focal_disparity))


def focus_at_point(
    disparity: FrameMaps,
    x_px: int = CENTRE,
    y_px: int = CENTRE,
    radius_px: int = 8,
    smoothing_frames: float = 2.0,
    keyframes: str = "",
    between_keyframes: str = "follow the point",
    easing: str = "linear",
) -> Tensor:
    """Focus on what lies at a point: the median disparity in a disk around it, per frame.

    The median of an even count is the lower one, so that a disk across an edge picks one of the
    two surfaces and never the empty space between.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        x_px: column, 0 = left; -1 = centre of the frame.
        y_px: row, 0 = top; -1 = centre of the frame.
        radius_px: radius of the disk, >= 0.
        smoothing_frames: standard deviation in frames of the smoothing over time, 0 = off.
        keyframes: "frame: x, y" entries that replace x_px and y_px.
        between_keyframes: one of `BETWEEN_POINTS`.
        easing: curve between keyframes; see `schedule.EASINGS`.

    Returns:
        float32 [T] in [0, 1].

    Raises:
        ValueError: a point outside the frame, a negative radius or smoothing, unreadable keyframes.
    """
    num_frames, height, width = disparity.shape
    if radius_px < 0:
        raise ValueError(f"radius is {radius_px} px; it must be 0 (the pixel alone) or more.")
    if keyframes.strip():
        points = parse_keyframes(keyframes, 2, "Point keyframes")
    else:
        x = width // 2 if x_px == CENTRE else x_px
        y = height // 2 if y_px == CENTRE else y_px
        points = Keyframes((0,), torch.tensor([[x, y]], dtype=torch.float64))
    for x, y in points.values.tolist():
        require_inside(x, y, width, height)

    if between_keyframes == "follow the point":
        path = interpolate_keyframes(points, num_frames, easing)
        focal = torch.stack([_median_in_disk(frame, path[t], radius_px) for t, frame in enumerate(disparity)])
    elif between_keyframes == "rack focus":
        before, after, weight = segment_at_frames(points, num_frames, easing)
        ends = [
            [_median_in_disk(frame, points.values[index[t]], radius_px) for index in (before, after)]
            for t, frame in enumerate(disparity)
        ]
        start, end = torch.tensor(ends).unbind(1)
        focal = start + (end - start) * weight.float()
    else:
        raise ValueError(
            f"between_keyframes is {between_keyframes!r}; choose one of {', '.join(BETWEEN_POINTS)}."
        )
    return smooth_over_time(focal, smoothing_frames)


def focus_on_mask(disparity: FrameMaps, mask: Tensor | FrameMaps, smoothing_frames: float = 2.0) -> Tensor:
    """Focus on a masked subject: the mean disparity inside the mask without its extremes, per frame.

    Pixels count where the mask is at least 0.5, weighted by the mask; the lowest and highest 20 %
    of that weight are left out. A frame with an empty mask keeps the value of the last frame that
    had one; leading empty frames take the first.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        mask: [T, h, w] or [1, h, w] in [0, 1], resized to the disparity.
        smoothing_frames: standard deviation in frames of the smoothing over time, 0 = off.

    Returns:
        float32 [T] in [0, 1].

    Raises:
        ValueError: every mask is empty, another number of masks than frames, negative smoothing.
    """
    num_frames, height, width = disparity.shape
    masks: FrameMaps
    if isinstance(mask, Tensor):
        masks = broadcast_over_frames(mask if mask.dim() == 3 else mask[None], num_frames, "mask")
    else:
        masks = mask
    focal = torch.full((num_frames,), math.nan)
    largest = -math.inf
    for t, (frame, frame_mask) in enumerate(zip(disparity, masks, strict=True)):
        largest = max(largest, frame_mask.max().item())
        weight = resize_mask(frame_mask, height, width)[0].to(frame)
        inside = weight >= _INSIDE_MASK
        if bool(inside.any()):
            focal[t] = _trimmed_mean(frame[inside], weight[inside])
    if bool(focal.isnan().all()):
        raise ValueError(
            f"The mask is empty in all {num_frames} frames (its largest value is {largest:g}, 0.5 "
            "is needed somewhere); check the segmenter, or use Focus at Point."
        )
    return smooth_over_time(_hold_gaps(focal), smoothing_frames)


def smooth_over_time(values: Tensor, smoothing_frames: float) -> Tensor:
    """Blur values [T] over time with a Gaussian of that standard deviation; the ends are repeated.

    Raises:
        ValueError: negative smoothing.
    """
    if not smoothing_frames >= 0:
        raise ValueError(f"smoothing is {smoothing_frames:g} frames; it must be 0 (off) or more.")
    reach = math.ceil(3 * smoothing_frames)
    if reach == 0:
        return values
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (offsets / smoothing_frames) ** 2)
    kernel /= kernel.sum()
    padded = functional.pad(values.double()[None, None], (reach, reach), mode="replicate")
    smoothed = functional.conv1d(padded, kernel[None, None])[0, 0].to(values)
    # Rounding must not carry a focal disparity out of its range.
    return smoothed.clamp(values.min(), values.max())


def require_inside(x: float, y: float, width: int, height: int) -> None:
    """Check that a point lies in a frame.

    Raises:
        ValueError: it does not.
    """
    if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
        raise ValueError(
            f"The point ({x:g}, {y:g}) is outside the frame of {width} x {height} px; "
            f"x must be 0 to {width - 1} and y 0 to {height - 1}."
        )


def _median_in_disk(disparity: Tensor, point: Tensor, radius_px: int) -> Tensor:
    height, width = disparity.shape
    x, y = (round(value) for value in point.tolist())
    top, left = max(y - radius_px, 0), max(x - radius_px, 0)
    window = disparity[top : min(y + radius_px + 1, height), left : min(x + radius_px + 1, width)]
    rows = torch.arange(top, top + window.shape[0])[:, None] - y
    columns = torch.arange(left, left + window.shape[1])[None, :] - x
    disk = (rows**2 + columns**2 <= radius_px**2).to(window.device)
    return window[disk].median().cpu()


def _trimmed_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of values [N] weighted by weights [N] > 0 without the outer weight on either side."""
    stride = -(-len(values) // _MAX_MASK_SAMPLES)
    ordered, order = values[::stride].double().sort()
    weight = weights[::stride].double()[order]
    upper = weight.cumsum(0)
    total = upper[-1]
    # Each sample keeps the part of its weight that falls inside the central interval, so a
    # single pixel, or two, still have a mean.
    kept_upper = upper.clamp_max((1 - _TRIMMED_FRACTION) * total)
    kept_lower = (upper - weight).clamp_min(_TRIMMED_FRACTION * total)
    kept = (kept_upper - kept_lower).clamp_min(0)
    return (ordered * kept).sum() / kept.sum()


def _hold_gaps(values: Tensor) -> Tensor:
    """Fill NaN in values [T] from the last number before, leading ones from the first number."""
    known = ~values.isnan()
    frames = torch.arange(len(values))
    last_known = torch.where(known, frames, -1).cummax(0).values
    first_known = int(known.nonzero()[0])
    return values[last_known.clamp_min(first_known)]
