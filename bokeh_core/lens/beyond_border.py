"""Light beyond the border of the frame: the mean along the border, over the longer the farther out.

Of pictures in general the most likely light beyond a border is harmonic: at a distance, the mean over a
stretch of the border that is as long. How far what is on the border itself goes on, the rows within tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Each level is a mean over so many times the length of the one before, for as many times the distance.
_STEP = 4
_TAPS = (1, 2, 3, 4, 5, 4, 3, 2, 1)
# Level k, of taps STEP ** k px apart, also takes in this share of that of the rows behind the border.
_DEPTH_SHARE, _MOST_DEPTH_PX = 0.3, 32
# Taps are no farther apart than this share of the frame's longer side.
_MOST_APART_SHARE = 1 / 2
# Samples so many rungs of the ladder of radii apart are not of one surface.
_OTHER_SURFACE_RUNGS = 2
_LEAST_PRESENCE = 1e-3
# A lamp is short: of each level no more goes on than so many times the next one. Beside the straight
# outline of something wide, the bright side is just twice the mean.
_MOST_OF_NEXT = 2
# How far along the border likeness is measured, of the frame's longer side.
_LIKENESS_SHARE = 1 / 16
# Squared light of a contrast that is none.
_NO_CONTRAST = 1e-6


def light_beyond(color: Tensor, presence: Tensor, position: Tensor, reach_px: int) -> Tensor:
    """Let light go on beyond the border.

    At the distance d it is f + q (v - f). v and f are means along the border over lengths of about d and
    16 d, of the surface that meets the border there. q is the root of the correlation of the border with the
    row that lies as far within.

    Args:
        color: [C, ..., H, W] linear light of samples; alpha may be a fourth channel.
        presence: [..., H, W] in [0, 1], their weight.
        position: [..., H, W], of their radii on the ladder of slabs.
        reach_px: how far to go on, 1 or more.

    Returns:
        [C, ..., H + 2 reach, W + 2 reach].
    """
    plan = _Plan.of(*color.shape[-2:])
    index = torch.from_numpy(plan.index).to(color.device)
    rows, apart = index.split([len(plan.depths), index.shape[0] - len(plan.depths)])
    lines = _along(color, rows)
    border = lines[..., :1, :]
    means = _means(lines, _along(presence, rows), _along(position, rows), apart, plan)
    levels = torch.cat([border, means], -2)
    _limit(levels[:3])
    near, far = levels[..., :-2, :], levels[..., 2:, :]
    border, within = border[:3], torch.stack([lines[:3, ..., at, :] for at in plan.within], -2)
    beyond = torch.lerp(far, near, _likeness(border - far[:3], within - far[:3], plan.window_px))
    return _framed(color, beyond, reach_px)


@dataclass(frozen=True)
class _Plan:
    """Where to look along the border: N = 2 (H + W) positions, clockwise from the upper left corner.

    Attributes:
        depths: rows behind the border, ascending; 0 is the border.
        taken: of each level, up to which of these rows it takes in.
        within: of each level but the last, which of these rows lies as far within as it stands for beyond.
        index: int64 [depths + (levels * taps), N], first flat positions in the frame of the pixels of these
            rows, then positions along the border of the taps of each level.
        window_px: to each side, where likeness is measured.
    """

    depths: tuple[int, ...]
    taken: tuple[int, ...]
    within: tuple[int, ...]
    index: np.ndarray
    window_px: int

    @staticmethod
    @lru_cache(maxsize=8)
    def of(height: int, width: int) -> _Plan:
        """The plan for frames of a size."""
        longest, deepest = max(height, width), min(height, width) - 1
        apart = [1, _STEP]
        while apart[-1] * _STEP <= _MOST_APART_SHARE * longest:
            apart.append(apart[-1] * _STEP)
        taken = [min(max(round(_DEPTH_SHARE * px), 1), _MOST_DEPTH_PX, deepest + 1) for px in apart]
        within = [min(px, deepest) for px in apart[:-1]]
        depths = sorted({*range(max(taken)), *within})
        around = 2 * (height + width)
        offsets = np.arange(len(_TAPS)) - len(_TAPS) // 2
        taps = (np.multiply.outer(apart, offsets)[..., None] + np.arange(around)) % around
        index = np.concatenate([_rows(height, width, np.array(depths)), taps.reshape(-1, around)])
        return _Plan(
            tuple(depths),
            tuple(taken),
            tuple(map(depths.index, within)),
            index,
            max(1, round(_LIKENESS_SHARE * longest)),
        )


def _rows(height: int, width: int, depths: np.ndarray) -> np.ndarray:
    """Flat positions [D, 2 (H + W)] of the pixels that lie so many rows behind the border."""
    depth, y, x = depths[:, None], np.arange(height), np.arange(width)
    above, right = depth * width + x, y * width + (width - 1 - depth)
    below, left = (height - 1 - depth) * width + x[::-1], y[::-1] * width + depth
    return np.concatenate([above, right, below, left], 1)


def _along(planes: Tensor, rows: Tensor) -> Tensor:
    """Values [..., D, N] of [..., H, W] in rows along the border."""
    return planes.flatten(-2).index_select(-1, rows.flatten()).unflatten(-1, tuple(rows.shape))


def _means(lines: Tensor, presence: Tensor, position: Tensor, apart: Tensor, plan: _Plan) -> Tensor:
    """Means [C, ..., levels, N] along the border of the rows behind it, of one surface each.

    Args:
        lines: [C, ..., D, N] light.
        presence, position: [..., D, N], likewise.
        apart: int64 [levels * taps, N].
        plan: see there.
    """
    deepest, around, num_taps = max(plan.taken), lines.shape[-1], len(_TAPS)
    border = position[..., :1, :]
    weight = _one_surface(position[..., :deepest, :] - border) * (
        presence[..., :deepest, :] + _LEAST_PRESENCE
    )
    light = torch.cat([lines[..., :deepest, :] * weight, weight[None]]).cumsum(-2)
    up_to = torch.stack([light[..., rows - 1, :] for rows in plan.taken], -2)
    taps = torch.tensor(_TAPS, dtype=lines.dtype, device=lines.device)[:, None] / sum(_TAPS)
    at_taps = border[..., 0, :].index_select(-1, apart.flatten()).unflatten(-1, (-1, num_taps, around))
    share = _one_surface(at_taps - border[..., None, :]).mul_(taps)
    rings = torch.cat([up_to[..., :1, :], up_to.diff(dim=-2)], -2)
    levels: list[Tensor] = []
    for level, places in enumerate(apart.view(-1, num_taps * around)):
        total = rings[..., level, :] + levels[-1] if levels else rings[..., level, :]
        gathered = total.index_select(-1, places).unflatten(-1, (num_taps, around))
        levels.append((gathered * share[..., level, :, :]).sum(-2))
    stacked = torch.stack(levels, -2)
    return stacked[:-1] / stacked[-1:]


def _one_surface(rungs: Tensor) -> Tensor:
    """How much samples are of one surface, by how many rungs of the ladder lie between them."""
    return rungs.abs().mul_(-1 / _OTHER_SURFACE_RUNGS).add_(1).clamp_(min=0)


def _limit(means: Tensor) -> None:
    """Cut what is brighter than so many times the next level: light [3, ..., levels, N], in place."""
    for level in range(means.shape[-2] - 2, -1, -1):
        light, most = means[..., level, :], means[..., level + 1, :].clamp(min=0) * _MOST_OF_NEXT
        torch.minimum(light, most, out=light)


def _likeness(border: Tensor, within: Tensor, window_px: int) -> Tensor:
    """Root of the correlation [..., levels, N] of the contrast on the border with that within, around there.

    Both are [3, ..., levels, N].
    """
    both = torch.stack([(border * within).sum(0), border.square().sum(0)])
    line = both.view(1, -1, both.shape[-1])
    side = 2 * min(window_px, line.shape[-1] // 4)
    line = F.avg_pool1d(torch.cat([line[..., -side:], line, line[..., :side]], -1), side + 1, 1)
    common, of_border = F.avg_pool1d(line, side + 1, 1).view_as(both)
    return (common / (of_border + _NO_CONTRAST)).clamp_(0, 1).sqrt_()


def _framed(color: Tensor, beyond: Tensor, reach_px: int) -> Tensor:
    """Planes [C, ..., H, W] with light around them, of levels [C, ..., L, N] along the border."""
    height, width = color.shape[-2:]
    farthest_first = np.arange(reach_px, 0, -1)
    at_side = _shares(farthest_first, beyond.shape[-2])
    at_corner = _shares(np.maximum.outer(farthest_first, farthest_first), beyond.shape[-2])
    at_corners = np.stack([at_corner, at_corner[:, ::-1], at_corner[::-1, ::-1], at_corner[::-1]])
    table = np.concatenate([at_side, at_side[::-1], at_corners.reshape(-1, at_side.shape[-1])])
    of_sides, of_corners = torch.from_numpy(table).to(beyond).split([2 * reach_px, 4 * reach_px**2])

    first, last = slice(0, reach_px), slice(-reach_px, None)
    rows, columns = slice(reach_px, reach_px + height), slice(reach_px, reach_px + width)
    framed = color.new_empty(*color.shape[:-2], height + 2 * reach_px, width + 2 * reach_px)
    framed[..., rows, columns] = color
    outwards, inwards = (of_sides @ beyond).split(reach_px, -2)
    sides = [width, height, width, height]
    above, _, _, left = outwards.split(sides, -1)
    _, right, below, _ = inwards.split(sides, -1)
    framed[..., first, columns] = above
    framed[..., rows, last] = right.transpose(-1, -2)
    framed[..., last, columns] = below.flip(-1)
    framed[..., rows, first] = left.flip(-1).transpose(-1, -2)
    # Of both sides that meet there.
    ends = [beyond[..., start - end] for start in (0, width, width + height, -height) for end in (0, 1)]
    met = torch.stack(ends, -1).unflatten(-1, (4, 2)).mean(-1)
    corners = (of_corners @ met).unflatten(-2, (4, reach_px, reach_px))
    places = ((first, first), (first, last), (last, last), (last, first))
    for place, (down, across) in enumerate(places):
        framed[..., down, across] = corners[..., place, :, :, place]
    return framed


def _shares(distance_px: np.ndarray, num_levels: int) -> np.ndarray:
    """How much of each level [..., L] there is at distances in px."""
    level = np.minimum(np.log(distance_px) / np.log(_STEP), num_levels - 1)
    return np.maximum(1 - np.abs(level[..., None] - np.arange(num_levels)), 0)
