"""Holes and torn limbs of a subject whose mask is known, filled by its own disparity."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...reference_width import in_frame_px
from ..extremes import Plane

INSIDE = 0.5
"""Masks from here on are of the subject."""

# Of frames 1024 px wide.
_AROUND_PX = 40.0
_BORDER_PX = 6.0
# Hair beside a tear is torn too.
_FRINGE_PX = 28.0
# Maps are judged at this width; what lies around is looked at smaller still.
_MOST_WIDTH_PX = 512
_AROUND_WIDTH_PX = 128
# Of disparity: a subject that stands out by less has nothing to lose.
_LEAST_DIFFERENCE = 0.06
# Of the way from what is behind to the subject: a value below is that of what is behind.
_TORN_SHARE = 0.35
_MOST_ABOVE = 0.08
_LEAST_PX = 16
_ROUNDS = 2

Mask = NDArray[np.bool_]


def with_whole_subject(disparity: Tensor, mask: Tensor) -> Tensor:
    """Give a subject its own disparity where its map has that of what is behind it.

    What is behind is taken from around the mask, the subject's own from around the tear. Computed on the CPU.

    Args:
        disparity: [H, W] in [0, 1], 1 = near.
        mask: [H, W] in [0, 1], 1 = subject. What hair covers in part is filled in part, from a half on.

    Returns:
        [H, W] in [0, 1]; the very tensor given where nothing is torn.
    """
    own, covered = disparity.cpu().numpy(), mask.float().cpu().numpy()
    height, width = own.shape
    scale = min(1.0, _MOST_WIDTH_PX / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small, inside = _picked(own, size), _picked(covered, size) > INSIDE
    if inside.sum() < _LEAST_PX or inside.all():
        return disparity
    around_px = max(1.0, in_frame_px(_AROUND_PX, size[0]))
    beside_px = max(1, round(in_frame_px(_BORDER_PX, size[0])))
    behind = _spread(small, ~_grown(inside, beside_px), around_px)
    if behind is None:
        return disparity
    # The border of a map's subject may lie beside that of the mask.
    core = _shrunk(inside, beside_px)
    level = np.full_like(small, np.median(small[core if core.sum() >= _LEAST_PX else inside]))
    for _ in range(_ROUNDS):
        whole = inside & ~_torn(small, behind, level)
        found = _spread(small, whole & core if (whole & core).sum() >= _LEAST_PX else whole, around_px)
        if found is None:
            return disparity
        level = found
    # A mask that is a little too large is no tear.
    deep = _torn(small, behind, level) & core
    if not deep.any():
        return disparity
    fringe_px = beside_px + max(1, round(in_frame_px(_FRINGE_PX, size[0])))
    near_tear = _grown(deep, fringe_px).astype(np.float32)
    if scale < 1:
        level, behind, near_tear = (
            np.asarray(cv2.resize(values, (width, height))) for values in (level, behind, near_tear)
        )
    part = np.clip((covered - INSIDE) / (1 - INSIDE), 0, 1)
    part = np.where((near_tear > 0) & _torn(own, behind, level), part, 0)
    filled = own + part * (level - own)
    return torch.from_numpy(filled.astype(np.float32)).to(disparity.device)


def _torn(disparity: Plane, behind: Plane, level: Plane) -> Mask:
    ahead = level - behind
    return (ahead > _LEAST_DIFFERENCE) & (disparity < behind + np.minimum(_TORN_SHARE * ahead, _MOST_ABOVE))


def _spread(values: Plane, known: Mask, sigma_px: float) -> Plane | None:
    """Values at every pixel as the mean of those known around it, from farther away the fewer are near."""
    if known.sum() < _LEAST_PX:
        return None
    height, width = values.shape
    scale = min(1.0, _AROUND_WIDTH_PX / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    weights = known.astype(np.float32)
    weighted, weights = (
        np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))
        for plane in (values * weights, weights)
    )
    total, amount = np.zeros_like(weighted), np.zeros_like(weights)
    sigma_px, share = max(0.5, sigma_px * scale), 1.0
    # Each wider window counts only where the narrower ones have next to nothing.
    while sigma_px < 2 * max(size):
        total += share * cv2.GaussianBlur(weighted, (0, 0), sigma_px)
        amount += share * cv2.GaussianBlur(weights, (0, 0), sigma_px)
        sigma_px, share = 2 * sigma_px, share * 1e-3
    return np.asarray(cv2.resize(total / np.maximum(amount, 1e-30), (width, height)))


def _grown(mask: Mask, reach_px: int) -> Mask:
    side = np.ones((2 * reach_px + 1,) * 2, np.uint8)
    return cv2.dilate(mask.astype(np.uint8), side) > 0


def _shrunk(mask: Mask, reach_px: int) -> Mask:
    side = np.ones((2 * reach_px + 1,) * 2, np.uint8)
    return cv2.erode(mask.astype(np.uint8), side, borderValue=1) > 0


def _picked(values: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_NEAREST_EXACT))
