"""Surfaces that a single frame lacks, or has alone, by what its neighbours in time agree on."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .around import highest, lowest
from .neighbour import Neighbour
from .weighted_median import weighted_median

# What an error of motion by this much could explain is no fault ...
_MOTION_ERROR_PX = 2
# ... but right beside a fault.
_FRINGE_PX = 4
_LEAST_DIFFERENCE = 0.05
_OVER_SPREAD = 3.0
_LEAST_WITNESSES = 1.5
# How much the map itself counts beside its neighbours, of which some may be torn as well.
_OWN_SAY = 0.7
# A surface that is elsewhere nearby has moved: what a map lacks in one place it has too much of in another.
_MOVED_PX = 12
_LACKING = 0.6
_LEAST_SHARE_OF_FRAME = 2e-4
_LEAST_PX = 12


def faulty_region(own: Tensor, seen: Tensor, trust: Tensor) -> Tensor:
    """Find where a map shows another surface than all of its neighbours in time, as where a limb is torn.

    Args:
        own: [h, w].
        seen: [N, h, w], neighbours as seen from the frame, on its scale.
        trust: [N, h, w] in [0, 1].

    Returns:
        bool [h, w].
    """
    agreed = weighted_median(seen, trust)
    witnesses = trust.sum(0)
    # The median, as others may be torn in the same place.
    spread = weighted_median((seen - agreed).abs(), trust)
    least = torch.clamp(_OVER_SPREAD * spread, min=_LEAST_DIFFERENCE)
    agree, side = ((((seen - values).abs() < _LEAST_DIFFERENCE) * trust).sum(0) for values in (agreed, own))
    sure = (witnesses >= _LEAST_WITNESSES) & (agree > side + _OWN_SAY)
    beyond = torch.maximum(_outside(own, agreed), _outside(agreed, own))
    away = torch.where((agreed - own).abs() > least, agreed - own, 0)
    core = _lacking(_large((beyond > least) & sure), away)
    if not bool(core.any()):
        return core
    near = highest(core.float(), _FRINGE_PX) > 0
    return core | (near & sure & ((own - agreed).abs() > least))


def restored(own: Tensor, region: Tensor, neighbours: Sequence[Neighbour]) -> Tensor:
    """Take from the neighbours what a map [H, W] has wrong in a region bool [h, w] of its small size."""
    size = tuple(own.shape)
    full = F.interpolate(region[None, None].float(), size, mode="bilinear", align_corners=False)[0, 0] > 0.5
    result = own.clone()
    _take(result, full, neighbours)
    if size != tuple(region.shape):
        # Where the fault ends between two px of the small map is told by the map itself.
        rim = (highest(full.float(), -(-size[0] // region.shape[0])) > 0) & ~full
        _take(result, rim, neighbours, _LEAST_DIFFERENCE)
    return result


def _take(result: Tensor, where: Tensor, neighbours: Sequence[Neighbour], least: float = 0.0) -> None:
    """Put into pixels bool [H, W] of a map what its neighbours have, where that is at least so far off."""
    y, x = where.nonzero(as_tuple=True)
    if not len(y):
        return
    values, trust = (
        torch.stack(parts)
        for parts in zip(*(neighbour.seen_at(y, x) for neighbour in neighbours), strict=True)
    )
    agreed, before = weighted_median(values, trust), result[y, x]
    if least > 0:
        known = (trust.sum(0) >= _LEAST_WITNESSES) & ((agreed - before).abs() > least)
        agreed = torch.where(known, agreed, before)
    result[y, x] = agreed


def _outside(values: Tensor, others: Tensor) -> Tensor:
    """How far values are from all that others have as near as motion may be wrong."""
    high, low = highest(others, _MOTION_ERROR_PX), lowest(others, _MOTION_ERROR_PX)
    return torch.maximum(low - values, values - high)


def _lacking(mask: Tensor, away: Tensor) -> Tensor:
    """The connected regions of a mask around which a map differs from others one way, not both."""
    if not bool(mask.any()):
        return mask
    differences = away.cpu().numpy()
    pixels = mask.cpu().numpy().astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(pixels, connectivity=8)
    kept = np.zeros(count, np.bool_)
    for label in range(1, count):
        left, top, width, height = (int(boxes[label, i]) for i in range(4))
        around = differences[
            max(0, top - _MOVED_PX) : top + height + _MOVED_PX,
            max(0, left - _MOVED_PX) : left + width + _MOVED_PX,
        ]
        kept[label] = abs(around.sum()) > _LACKING * np.abs(around).sum()
    return torch.from_numpy(kept[labels]).to(mask.device)


def _large(mask: Tensor) -> Tensor:
    """The connected regions of a mask that have a least area and are not thin all over."""
    pixels = mask.cpu().numpy().astype(np.uint8)
    thick = cv2.erode(pixels, np.ones((3, 3), np.uint8), borderValue=1)
    if not thick.any():
        return torch.zeros_like(mask)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(pixels, connectivity=8)
    least = max(_LEAST_PX, round(_LEAST_SHARE_OF_FRAME * pixels.size))
    kept = statistics[:, cv2.CC_STAT_AREA] >= least
    kept &= np.bincount(labels[thick > 0], minlength=count) > 0
    kept[0] = False
    return torch.from_numpy(kept[labels]).to(mask.device)
