"""A disparity for every pixel: the measured map completed with the help of both photographs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .camera import Array, Camera, Indices, Mask, pixel_grid, reproject

# Outlines (x, y) in the left photograph, drawn by hand, of two parts that the measurement mostly missed: the
# mirror above the far handlebar and its stem.
MISSED_PARTS = (
    ((518, 14), (511, 23), (504, 33), (501, 51), (507, 45), (514, 36), (517, 25)),
    ((513, 42), (516, 42), (511, 64), (508, 64)),
)


def guided_filter(cost: Array, guide: Array, radius: int, epsilon: float) -> Array:
    """`cost` [h,w] smoothed along the edges of `guide` (He et al., Guided Image Filtering)."""
    size = (2 * radius + 1, 2 * radius + 1)
    mean_g, mean_c = cv2.blur(guide, size), cv2.blur(cost, size)
    slope = (cv2.blur(guide * cost, size) - mean_g * mean_c) / (
        cv2.blur(guide * guide, size) - mean_g**2 + epsilon
    )
    return cv2.blur(slope, size) * guide + cv2.blur(mean_c - slope * mean_g, size)


def match_costs(left: Array, right: Array, disparities: Array) -> Array:
    """Photometric cost [n,h,w] in [0,1] of each disparity at each left pixel (cost-volume filtering)."""
    grey_l, grey_r = left.mean(-1), right.mean(-1)
    edge_l, edge_r = cv2.Sobel(grey_l, -1, 1, 0, scale=0.25), cv2.Sobel(grey_r, -1, 1, 0, scale=0.25)
    x, y = pixel_grid(*grey_l.shape)
    planes = []
    for disparity in disparities:
        warped = cv2.remap(
            np.dstack([right, edge_r]), x - disparity, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        colour = np.minimum(np.abs(warped[..., :3] - left).mean(-1) / 0.06, 1)
        edge = np.minimum(np.abs(warped[..., 3] - edge_l) / 0.02, 1)
        planes.append(guided_filter(0.4 * colour + 0.6 * edge, grey_l, 3, 1e-3))
    return np.stack(planes)


def forward_disparity(disparity: Array, known: Mask) -> Array:
    """The known left disparity as the right photograph sees it [h,w], nearest wins, -1 where none lands."""
    x, y = pixel_grid(*disparity.shape)
    seen = np.full(disparity.shape, -1, np.float32)
    rows = y[known].astype(int)
    for nudge in (-0.5, 0.5):
        columns = np.round(x[known] - disparity[known] + nudge * 0.99).astype(int)
        inside = (columns >= 0) & (columns < disparity.shape[1])
        np.maximum.at(seen, (rows[inside], columns[inside]), disparity[known][inside])
    return seen


def distrust_mixtures(measured: Array) -> Array:
    """`measured` with inf where a value lies between two surfaces: reducing the map averaged them there."""
    known = np.isfinite(measured)
    kernel = np.ones((3, 3), np.uint8)
    top = cv2.dilate(np.where(known, measured, -1e3).astype(np.float32), kernel)
    bottom = cv2.erode(np.where(known, measured, 1e3).astype(np.float32), kernel)
    mixture = known & (top - measured > 1.2) & (measured - bottom > 1.2)
    trusted = np.where(mixture, np.inf, measured).astype(np.float32)
    for outline in MISSED_PARTS:
        part = np.zeros(measured.shape, np.uint8)
        cv2.fillPoly(part, [np.array(outline, np.int32)], 1)
        # What was measured of the part itself; the shelves behind it are below 30.
        trusted[part > 0] = np.median(measured[(part > 0) & known & (measured > 40)])
    return trusted


def propagate(
    image: Array,
    start: Array,
    unknown: Mask,
    data_cost: Callable[[Array], Array],
    leap_px: tuple[int, ...],
    rounds: int,
) -> Array:
    """`start` [h,w] with each unknown pixel repeatedly taking the best disparity that its surroundings hold.

    Best is the least sum of `data_cost` (of one candidate per unknown pixel, mostly in [0,1]) and of the
    difference from the neighbours, those of like colour in `image` counting most.
    """
    filled = start.copy()
    height, width = start.shape
    rows, columns = np.nonzero(unknown)

    def at(dy: int, dx: int) -> tuple[Indices, Indices]:
        return np.clip(rows + dy, 0, height - 1), np.clip(columns + dx, 0, width - 1)

    near = [at(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3) if (dy, dx) != (0, 0)]
    far = [at(s * dy, s * dx) for s in leap_px for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0))]
    closeness = np.stack([np.exp(-np.abs(image[n] - image[rows, columns]).sum(-1) / 0.12) for n in near])
    closeness = closeness * np.stack([np.where(unknown[n], 0.7, 1.0) for n in near]) + 0.02
    closeness /= closeness.sum(0)

    def energy(candidate: Array) -> Array:
        rough = sum(
            w * np.minimum(np.abs(candidate - filled[n]), 4.0) for w, n in zip(closeness, near, strict=True)
        )
        return data_cost(candidate) + 0.6 * rough + 0.004 * candidate

    for _ in range(rounds):
        value = filled[rows, columns]
        least = energy(value)
        for n in near + far:
            trial = energy(filled[n])
            better = trial < least - 1e-6
            least, value = np.where(better, trial, least), np.where(better, filled[n], value)
        filled[rows, columns] = value
    return filled


def farther_ends(depth: Array, hole: Mask) -> Array:
    """`depth` with holes filled, along rows, by the farther of the two values at their ends."""
    width = depth.shape[1]
    index = np.arange(width)
    before = np.maximum.accumulate(np.where(hole, -1, index), axis=1)
    after = np.minimum.accumulate(np.where(hole, width, index)[:, ::-1], axis=1)[:, ::-1]
    left = np.where(before >= 0, np.take_along_axis(depth, np.maximum(before, 0), 1), np.inf)
    right = np.where(after < width, np.take_along_axis(depth, np.minimum(after, width - 1), 1), np.inf)
    ends = np.minimum(left, right)
    return np.where(np.isfinite(ends), ends, depth[~hole].min()).astype(np.float32)


def like_coloured(image: Array, values: Array, known: Mask, reach_px: int) -> Array:
    """`values` [h,w] with each unknown one taken from the known pixel nearest in colour and place."""
    height, width = values.shape
    filled = farther_ends(np.where(known, values, 0).astype(np.float32), ~known)
    rows, columns = np.nonzero(~known)
    least = np.full(len(rows), np.inf)
    best = filled[rows, columns]
    for dy in range(-reach_px, reach_px + 1):
        for dx in range(-reach_px, reach_px + 1):
            n = (np.clip(rows + dy, 0, height - 1), np.clip(columns + dx, 0, width - 1))
            unlike = np.abs(image[n] - image[rows, columns]).sum(-1) / 0.15 + np.hypot(dy, dx) / 6
            better = known[n] & (unlike < least)
            least, best = np.where(better, unlike, least), np.where(better, values[n], best)
    filled[rows, columns] = best
    return filled


def fill_disparity(left: Array, right: Array, measured: Array) -> Array:
    """Measured disparity [h,w] px with every unknown pixel filled.

    The right photograph decides, and visibility counts: a disparity that would be hidden behind something the
    right photograph sees costs little (that is what an occlusion looks like), one that would hide a measured
    surface costs much.
    """
    known = np.isfinite(measured)
    steps = np.arange(5, 62, 0.5, dtype=np.float32)
    costs = match_costs(left, right, steps)
    seen_by_right = forward_disparity(measured, known)
    rows, columns = np.nonzero(~known)

    def data_cost(candidate: Array) -> Array:
        index = np.clip(np.round((candidate - steps[0]) / 0.5).astype(int), 0, len(steps) - 1)
        target = np.round(columns - candidate).astype(int)
        other = seen_by_right[rows, np.clip(target, 0, known.shape[1] - 1)]
        cost = np.where((other > candidate + 1.5) | (target < 0), 0.30, costs[index, rows, columns])
        return np.where((other >= 0) & (other < candidate - 1.5), 1.2, cost)

    start = like_coloured(left, measured, known, reach_px=12)
    return propagate(left, start, ~known, data_cost, (4, 7), 24)


def hidden_disparity(
    image: Array, seen: Array, camera: Camera, photographs: list[tuple[Camera, Array]]
) -> Array:
    """Full disparity [h,w] of a view, its holes (0 in `seen`) filled with what can be there.

    What fills a hole was hidden in the `photographs` (camera and full disparity each) that left it open: it
    must lie behind the surfaces that they see.
    """
    hole = seen <= 0
    rows, columns = np.nonzero(hole)

    def data_cost(candidate: Array) -> Array:
        cost = np.zeros(len(rows), np.float32)
        for other, surface in photographs:
            x, y, depth = reproject(
                columns.astype(np.float32), rows.astype(np.float32), candidate, camera, other
            )
            col, row = np.round(x).astype(int), np.round(y).astype(int)
            inside = (col >= 0) & (col < surface.shape[1]) & (row >= 0) & (row < surface.shape[0])
            there = surface[np.clip(row, 0, surface.shape[0] - 1), np.clip(col, 0, surface.shape[1] - 1)]
            cost += np.where(
                inside & (there < depth - 1.5), 1.2, np.where(inside & (there < depth + 1.5), 0.25, 0)
            )
        return cost

    filled = propagate(image, farther_ends(seen, hole), hole, data_cost, (4, 8, 16, 32), 30)
    smooth = cv2.bilateralFilter(filled, 9, 1.5, 3)
    return np.where(hole, smooth, seen).astype(np.float32)
