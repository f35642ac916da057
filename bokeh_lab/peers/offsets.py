"""Sums over a pixel's neighbours, one whole-frame addition for each offset."""

import math
from collections.abc import Iterator

from torch import Tensor

Offset = tuple[int, int]
Area = tuple[slice, slice]


def rings(reach_px: float) -> Iterator[tuple[float, list[Offset]]]:
    """Offsets (dy, dx) within `reach_px` by their distance, near to far: (distance in px, offsets)."""
    whole = math.floor(reach_px)
    groups: dict[int, list[Offset]] = {}
    for dy in range(-whole, whole + 1):
        for dx in range(-whole, whole + 1):
            squared = dy * dy + dx * dx
            if squared <= reach_px * reach_px:
                groups.setdefault(squared, []).append((dy, dx))
    for squared in sorted(groups):
        yield math.sqrt(squared), groups[squared]


def overlap(height: int, width: int, offset: Offset) -> tuple[Area, Area] | None:
    """Areas of pixels and of their neighbours at `offset`, where both lie in the frame; None if none do."""
    dy, dx = offset
    if abs(dy) >= height or abs(dx) >= width:
        return None
    here = (slice(max(-dy, 0), height - max(dy, 0)), slice(max(-dx, 0), width - max(dx, 0)))
    there = (slice(max(dy, 0), height - max(-dy, 0)), slice(max(dx, 0), width - max(-dx, 0)))
    return here, there


def add_shifted(total: Tensor, planes: Tensor, offset: Offset) -> None:
    """Add planes [C, H, W] to `total`, every pixel to its neighbour at `offset` if that is in the frame."""
    areas = overlap(total.shape[-2], total.shape[-1], offset)
    if areas is not None:
        here, there = areas
        total[:, there[0], there[1]] += planes[:, here[0], here[1]]
