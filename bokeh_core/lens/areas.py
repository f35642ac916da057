"""The parts of a frame that a slab's light reaches, as few rectangles; most slabs reach little of it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK_PX = 8
"""Side of the square blocks in which the presence of samples is kept."""

Area = tuple[slice, slice]
"""(rows, columns) of a rectangle within the frame."""

# Cells of the frame are halved down to this many blocks across.
_CELL_BLOCKS = 4
_ABSENT = 1 << 24


def blocks_across(length_px: int) -> int:
    """How many blocks cover a side of the frame."""
    return -(-length_px // BLOCK_PX)


def occupied_blocks(mask: Tensor) -> Tensor:
    """The blocks [blocks down, blocks across] in which any pixel of a bool [..., H, W] mask is set."""
    # Side by side for pooling: the frames of a pass share their blocks.
    planes = mask.float().view(1, -1, *mask.shape[-2:])
    pooled = F.max_pool2d(planes, BLOCK_PX, ceil_mode=True)[0]
    return (pooled[0] if len(pooled) == 1 else pooled.amax(0)) > 0


def occupied_blocks_by_slab(slab: Tensor, present: Tensor, num_slabs: int) -> Tensor:
    """Find the blocks in which any pixel of each slab is present.

    Args:
        slab: [..., H, W] int64, the slab of each pixel, in [0, S); the frames of a pass share their blocks.
        present: bool [..., H, W].
        num_slabs: S.

    Returns:
        bool [S, blocks down, blocks across].
    """
    height, width = slab.shape[-2:]
    down, across = blocks_across(height), blocks_across(width)
    row = torch.arange(height, device=slab.device) // BLOCK_PX * across
    column = torch.arange(width, device=slab.device) // BLOCK_PX
    flat = (slab * (down * across)).add_(row[:, None] + column)
    # Absent pixels mark one block beyond the last, which is cut; listing the others would mean waiting.
    flat = torch.where(present, flat, num_slabs * down * across)
    blocks = torch.zeros(num_slabs * down * across + 1, dtype=torch.bool, device=slab.device)
    blocks.index_fill_(0, flat.flatten(), True)
    return blocks[:-1].view(num_slabs, down, across)


@dataclass(frozen=True)
class Cover:
    """Rectangles around the occupied blocks of a frame.

    Attributes:
        areas: disjoint, together they hold every occupied block.
        outline: one rectangle around them.
    """

    areas: list[Area]
    outline: Area


def areas_of(mask: Tensor, margin_px: int, piece_cost_px: float) -> list[Area]:
    """Cover a bool [..., H, W] mask with rectangles, given the margin that each needs; see `cover`."""
    blocks = occupied_blocks(mask)[None].cpu().numpy()
    height, width = mask.shape[-2:]
    return cover(blocks, [margin_px], (height, width), piece_cost_px)[0].areas


def grown_blocks(blocks: np.ndarray, reach_px: int) -> np.ndarray:
    """The blocks [blocks down, blocks across] that lie within a distance of an occupied one."""
    reach = -(-reach_px // BLOCK_PX)
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return np.asarray(cv2.dilate(blocks.astype(np.uint8), square)).reshape(blocks.shape) > 0


def cover(
    blocks: np.ndarray, margin_px: list[int], frame_size: tuple[int, int], piece_cost_px: float
) -> list[Cover]:
    """Cover the occupied blocks of each slab with rectangles, at the least cost of a halving of the frame.

    The frame is halved again and again across its longer side. From the smallest cells up, a cell is kept
    whole where one rectangle around its blocks, with its margin on each side, costs no more than its halves.

    Args:
        blocks: bool [S, blocks down, blocks across].
        margin_px: [S], px around each rectangle that must be computed with it.
        frame_size: (H, W) in px.
        piece_cost_px: cost of a rectangle besides its pixels; infinite = a single one per slab.

    Returns:
        One entry per slab, without any area where no block is occupied.
    """
    levels = _halvings(_padded(blocks), np.asarray(margin_px), piece_cost_px)
    height, width = frame_size

    def area_of(box: np.ndarray) -> Area:
        top, bottom, left, right = (BLOCK_PX * int(edge) for edge in box)
        return slice(top, min(bottom, height)), slice(left, min(right, width))

    covers = []
    for slab in range(len(blocks)):
        areas = [area_of(box) for box in _chosen(levels, slab)]
        covers.append(Cover(areas, area_of(levels[-1].boxes[slab, 0, 0]) if areas else _NOWHERE))
    return covers


_NOWHERE: Area = (slice(0, 0), slice(0, 0))


def grown_area(area: Area, reach_px: int, within: Area) -> Area:
    """The area with a margin on each side, cut to another one."""
    rows, columns = (
        slice(max(part.start - reach_px, limit.start), min(part.stop + reach_px, limit.stop))
        for part, limit in zip(area, within, strict=True)
    )
    return rows, columns


def part_of(planes: Tensor, area: Area) -> Tensor:
    """View of an area of [..., H, W]."""
    return planes[..., area[0], area[1]]


def inside(area: Area, outer: Area) -> Area:
    """The area as seen from the corner of one that holds it."""
    rows, columns = (
        slice(part.start - origin.start, part.stop - origin.start)
        for part, origin in zip(area, outer, strict=True)
    )
    return rows, columns


def common(first: Area, second: Area) -> Area:
    """What two areas that overlap have in common."""
    rows, columns = (
        slice(max(one.start, other.start), min(one.stop, other.stop))
        for one, other in zip(first, second, strict=True)
    )
    return rows, columns


def any_block(blocks: np.ndarray, area: Area) -> bool:
    """Whether any block of [blocks down, blocks across] that the area touches is occupied."""
    return bool(_touched(blocks, area).any())


def occupied_part(blocks: np.ndarray, area: Area) -> Area | None:
    """The least part of an area with all that lies in occupied blocks; None where there are none.

    Args:
        blocks: bool [blocks down, blocks across] of the frame.
        area: within the frame.
    """
    touched = _touched(blocks, area)
    rows, columns = (
        _occupied_span(np.asarray(touched.any(axis=other)), span)
        for other, span in ((1, area[0]), (0, area[1]))
    )
    return None if rows is None or columns is None else (rows, columns)


def _touched(blocks: np.ndarray, area: Area) -> np.ndarray:
    rows, columns = (slice(part.start // BLOCK_PX, -(-part.stop // BLOCK_PX)) for part in area)
    touched: np.ndarray = blocks[rows, columns]
    return touched


def _occupied_span(occupied: np.ndarray, span: slice) -> slice | None:
    """From the first to the last occupied block along a span, cut to the span."""
    index = occupied.nonzero()[0]
    if len(index) == 0:
        return None
    first = span.start // BLOCK_PX
    start, stop = BLOCK_PX * (first + int(index[0])), BLOCK_PX * (first + int(index[-1]) + 1)
    return slice(max(start, span.start), min(stop, span.stop))


def _padded(blocks: np.ndarray) -> np.ndarray:
    """The blocks in a grid whose sides are powers of two."""
    down, across = (max(_CELL_BLOCKS, 1 << (side - 1).bit_length()) for side in blocks.shape[1:])
    return np.pad(blocks, ((0, 0), (0, down - blocks.shape[1]), (0, across - blocks.shape[2])))


@dataclass(frozen=True)
class _Level:
    """Cells of one size.

    Attributes:
        boxes: [S, rows, columns, 4] int32, top, bottom, left, right in blocks of what lies inside each cell.
        cost: [S, rows, columns], least cost of covering it.
        whole: bool [S, rows, columns], whether that is one rectangle.
        halved: the axis of the array along which each cell consists of two of the level before.
    """

    boxes: np.ndarray
    cost: np.ndarray
    whole: np.ndarray
    halved: int


def _halvings(blocks: np.ndarray, margin_px: np.ndarray, piece_cost_px: float) -> list[_Level]:
    boxes = _smallest_cells(blocks)
    cost = _cost_of_one(boxes, margin_px, piece_cost_px)
    levels = [_Level(boxes, cost, np.ones(cost.shape, bool), 0)]
    while levels[-1].cost[0].size > 1:
        levels.append(_joined(levels[-1], margin_px, piece_cost_px))
    return levels


def _smallest_cells(blocks: np.ndarray) -> np.ndarray:
    """Boxes [S, rows, columns, 4] in the cells that are not halved further."""
    num_slabs, down, across = blocks.shape
    rows, columns = down // _CELL_BLOCKS, across // _CELL_BLOCKS
    cells = blocks.reshape(num_slabs, rows, _CELL_BLOCKS, columns, _CELL_BLOCKS)
    boxes = np.empty((num_slabs, rows, columns, 4), np.int32)
    row, column = _CELL_BLOCKS * np.arange(rows)[:, None], _CELL_BLOCKS * np.arange(columns)
    in_rows, in_columns = np.asarray(cells.any(axis=4)), np.asarray(cells.any(axis=2))
    boxes[..., 0], boxes[..., 1] = _span(np.moveaxis(in_rows, 2, 3), row)
    boxes[..., 2], boxes[..., 3] = _span(in_columns, column)
    return boxes


def _span(present: np.ndarray, corner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From where to where [S, rows, columns, n] is occupied, counted from the cells' corners."""
    occupied = present.any(axis=-1)
    start = corner + present.argmax(axis=-1)
    stop = corner + present.shape[-1] - present[..., ::-1].argmax(axis=-1)
    return np.where(occupied, start, _ABSENT), np.where(occupied, stop, -_ABSENT)


def _cost_of_one(boxes: np.ndarray, margin_px: np.ndarray, piece_cost_px: float) -> np.ndarray:
    margin = 2.0 * margin_px[:, None, None]
    height = BLOCK_PX * (boxes[..., 1] - boxes[..., 0]) + margin
    width = BLOCK_PX * (boxes[..., 3] - boxes[..., 2]) + margin
    return np.where(boxes[..., 1] < 0, 0.0, piece_cost_px + height * width)


def _joined(halves: _Level, margin_px: np.ndarray, piece_cost_px: float) -> _Level:
    _, rows, columns = halves.cost.shape
    axis = 1 if rows >= columns else 2

    def pairs(values: np.ndarray, combine: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        first, second = (values[:, i::2] if axis == 1 else values[:, :, i::2] for i in (0, 1))
        return combine(first, second)

    boxes = np.empty((*pairs(halves.cost, np.add).shape, 4), np.int32)
    boxes[..., ::2] = pairs(halves.boxes[..., ::2], np.minimum)
    boxes[..., 1::2] = pairs(halves.boxes[..., 1::2], np.maximum)
    as_one = _cost_of_one(boxes, margin_px, piece_cost_px)
    # Infinite costs compare as equal: one rectangle then.
    apart = pairs(halves.cost, np.add)
    return _Level(boxes, np.minimum(as_one, apart), as_one <= apart, axis)


def _chosen(levels: list[_Level], slab: int) -> list[np.ndarray]:
    """Boxes of the least cost, from the whole frame down."""
    chosen = []
    waiting = [(len(levels) - 1, 0, 0)]
    while waiting:
        depth, row, column = waiting.pop()
        level = levels[depth]
        box = level.boxes[slab, row, column]
        if box[1] < 0:
            continue
        if level.whole[slab, row, column]:
            chosen.append(box)
        elif level.halved == 1:
            waiting += [(depth - 1, 2 * row + half, column) for half in (1, 0)]
        else:
            waiting += [(depth - 1, row, 2 * column + half) for half in (1, 0)]
    return chosen
