"""Where the lens is focused: one focal disparity per frame, from a number or a mask."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..clip.checks import checked_mask, checked_masks
from ..clip.lengths import broadcast_over_frames
from ..clip.masks import empty_mask_advice
from ..motion.map_cuts import MapCutFinder
from ..schedule.text import MOST_FRAME
from ..schedule.values import schedule_values
from ..setting_checks import require_number, require_whole_number
from .cuts import picture_cuts, shots_by_both
from .maps import FrameMaps, checked_stream, require_frames_fit
from .measure import hold_gaps, mean_inside
from .smoothing import require_smoothing, smooth_within_pieces


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
    if not isinstance(keyframes, str) or keyframes.strip():
        return schedule_values(
            keyframes, num_frames, column="focal_disparity", easing=easing, minimum=0.0, maximum=1.0
        )
    require_whole_number("The length of the clip", num_frames, 1, MOST_FRAME, "frames")
    require_number("focal_disparity", focal_disparity, 0, 1, meaning="0 = farthest, 1 = nearest")
    return torch.full((num_frames,), float(focal_disparity))


def focus_on_mask(
    disparity: FrameMaps,
    mask: Tensor | FrameMaps,
    smoothing_frames: float = 2.0,
    frames: FrameMaps | None = None,
) -> Tensor:
    """Focus on a masked subject: the mean disparity inside the mask without its extremes, per frame.

    Pixels count where the mask is at least 0.5, weighted by the mask; the lowest and highest 20 %
    of that weight are left out. A frame with an empty mask keeps the value of the last frame that
    had one; leading empty frames take the first.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        mask: [T, h, w] or [1, h, w] in [0, 1], resized to the disparity.
        smoothing_frames: standard deviation in frames of the smoothing over time, 0 = off; it stops at cuts,
            see `motion.cuts` and `motion.map_cuts`.
        frames: [T, h, w, C] in [0, 1], of any size: cuts are told from them as well.

    Returns:
        float32 [T] in [0, 1].

    Raises:
        ValueError: every mask is empty, another number of masks or frames than maps, negative smoothing.
    """
    disparity = checked_stream(disparity)
    num_frames = disparity.shape[0]
    require_smoothing(smoothing_frames)
    require_frames_fit(frames, num_frames)
    masks: FrameMaps
    if isinstance(mask, FrameMaps) and not isinstance(mask, Tensor):
        masks = mask
    else:
        masks = broadcast_over_frames(checked_masks(mask), num_frames, "mask")
    focal = torch.full((num_frames,), math.nan)
    largest = -math.inf
    pieces = MapCutFinder()
    for (t, frame), frame_mask in zip(_looked_at(disparity, pieces), masks, strict=True):
        frame_mask = checked_mask(frame_mask, t)
        largest = max(largest, frame_mask.max().item())
        focal[t] = mean_inside(frame, frame_mask)
    if bool(focal.isnan().all()):
        raise ValueError(
            f"The mask is empty in all {num_frames} frames (its largest value is {largest:g}, 0.5 "
            f"is needed somewhere); {empty_mask_advice(frame_mask.shape, largest)}."
        )
    cuts = shots_by_both(pieces, picture_cuts(frames))
    return smooth_within_pieces(hold_gaps(focal), smoothing_frames, cuts)


def _looked_at(disparity: FrameMaps, pieces: MapCutFinder) -> Iterator[tuple[int, Tensor]]:
    """Each map with its number, shown to the finder of pieces on the way."""
    for t, frame in enumerate(disparity):
        pieces.add(frame)
        yield t, frame
