"""Focus over a clip, with the points that it was measured at where there are any."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..clip.checks import checked_mask, checked_masks
from ..clip.lengths import broadcast_over_frames
from ..clip.masks import INSIDE_MASK, resize_mask


@dataclass(frozen=True)
class FocusPull:
    """Where the lens is focused in every frame.

    Attributes:
        focal_disparity: float32 [T] or [1] in [0, 1], 1 = near.
        points_px: float32 [T, 2] or [1, 2], (x, y) in px of the disparity, 0, 0 = the pixel at the top left:
            what the focus was measured at; None where it was typed.
    """

    focal_disparity: Tensor
    points_px: Tensor | None = None


def centres_of_masks(mask: Tensor, num_frames: int, height: int, width: int) -> Tensor:
    """The pixel of each mask that is nearest to its centre, float32 [T, 2].

    Args:
        mask: [T, h, w] or [1, h, w] in [0, 1], resized to `height` x `width`; a frame whose mask is empty
            keeps the point of the last that had one, leading ones take the first.
        num_frames: T.
        height: of the disparity in px.
        width: of the disparity in px.

    Raises:
        ValueError: no mask, or every mask is empty.
    """
    found: list[Tensor | None] = []
    for t, one in enumerate(broadcast_over_frames(checked_masks(mask), num_frames, "mask")):
        inside = (resize_mask(checked_mask(one, t), height, width)[0] >= INSIDE_MASK).nonzero().float()
        if not len(inside):
            found.append(found[-1] if found else None)
            continue
        from_centre = (inside - inside.mean(0)).square().sum(1)
        # Rows come first in an index, columns in a point.
        found.append(inside[from_centre.argmin()].flip(0).cpu())
    first = next((point for point in found if point is not None), None)
    if first is None:
        raise ValueError(f"The mask is empty in all {num_frames} frames; at least 0.5 is needed somewhere.")
    return torch.stack([first if point is None else point for point in found])
