"""Enlargement with hard contours: every enlarged pixel belongs wholly to the near or the far side."""

from __future__ import annotations

import cv2
import numpy as np

from .camera import Array, Indices

SCALE = 3  # layers are kept at this multiple of the photograph's resolution
BAND_PX = 3  # size of the neighbourhood that a disparity step must cross for a pixel to count as mixed


def smooth_weights(offset: float) -> Array:
    """Quadratic B-spline weights of the pixels at -1, 0, 1 for a position `offset` in [-0.5, 0.5] px."""
    return np.array([(0.5 - offset) ** 2 / 2, 0.75 - offset**2, (0.5 + offset) ** 2 / 2], np.float32)


def enlarge_with_hard_edges(image: Array, disparity: Array) -> tuple[Array, Array]:
    """Colour and disparity enlarged SCALE times, each enlarged pixel wholly near or wholly far at a contour.

    Pixels beside a disparity step mix the colours of both sides. Their share of the near side is estimated
    from the clean colours around (the matte), the two colours are told apart, and the share decides where
    inside the pixel the contour runs.
    """
    height, width = disparity.shape
    large = (width * SCALE, height * SCALE)
    kernel = np.ones((BAND_PX, BAND_PX), np.uint8)
    top, bottom = cv2.dilate(disparity, kernel), cv2.erode(disparity, kernel)
    band = top - bottom > 1.5
    rows, columns = np.nonzero(band)
    middle = (top + bottom)[rows, columns] / 2
    gap = (top - bottom)[rows, columns]

    def around(radius: int) -> tuple[Indices, Indices]:
        offsets = np.arange(-radius, radius + 1)
        dy, dx = (o.ravel() for o in np.meshgrid(offsets, offsets, indexing="ij"))
        return np.clip(rows[:, None] + dy, 0, height - 1), np.clip(columns[:, None] + dx, 0, width - 1)

    window = around(3)
    colour_w, disparity_w, clean_w = image[window], disparity[window], ~band[window]
    own = image[rows, columns]
    slack = np.maximum(1, 0.3 * gap)[:, None]

    def side(near: bool) -> tuple[Array, Array, Array]:
        """Mean colour, its variance and the disparity of one side; mixed samples only for want of clean."""
        end = (top if near else bottom)[rows, columns][:, None]
        mine = (disparity_w > middle[:, None]) == near
        mine &= np.abs(disparity_w - end) <= slack + gap[:, None] * 0.2
        weight = np.where(mine, np.where(clean_w, 1.0, 1e-3), 0.0).astype(np.float32)
        total = weight.sum(-1, keepdims=True) + 1e-9
        mean = (weight[..., None] * colour_w).sum(1) / total
        spread = (weight[..., None] * (colour_w - mean[:, None]) ** 2).sum(1) / total
        return mean, spread.mean(-1, keepdims=True) + 2e-4, (weight * disparity_w).sum(1) / total[:, 0]

    near_colour, near_var, near_disparity = side(True)
    far_colour, far_var, far_disparity = side(False)
    prior_map = np.zeros(disparity.shape, np.float32)
    prior_window = around(2)
    distance2 = (np.arange(-2, 3)[:, None] ** 2 + np.arange(-2, 3)[None] ** 2).ravel()
    gauss = np.exp(-distance2 / (2 * 0.7**2)).astype(np.float32)
    prior = ((disparity[prior_window] > middle[:, None]) * gauss).sum(-1) / gauss.sum()

    contrast = ((near_colour - far_colour) ** 2).sum(-1)
    projected = ((own - far_colour) * (near_colour - far_colour)).sum(-1) / (contrast + 1e-6)
    share = prior.copy()
    for _ in range(2):
        noise = share**2 * near_var[:, 0] + (1 - share) ** 2 * far_var[:, 0] + 1e-3
        precision = contrast / noise
        share = np.clip((precision * projected + prior / 0.15**2) / (precision + 1 / 0.15**2), 0, 1)
    a = share[:, None]
    residual = own - a * near_colour - (1 - a) * far_colour
    total = a**2 * near_var + (1 - a) ** 2 * far_var
    near_colour = np.clip(near_colour + a * near_var / total * residual, 0, 1)
    far_colour = np.clip(far_colour + (1 - a) * far_var / total * residual, 0, 1)

    prior_map[rows, columns] = share
    # Inside a band pixel each side is interpolated only from those of the 3x3 pixels that hold that side.
    neighbours = around(1)
    in_band = band[neighbours]
    is_near = disparity[neighbours] > middle[:, None]
    share_n = np.where(in_band, prior_map[neighbours], is_near.astype(np.float32))
    near_map, far_map = image.copy(), image.copy()
    near_map[rows, columns], far_map[rows, columns] = near_colour, far_colour

    colour3 = np.clip(cv2.resize(image, large, interpolation=cv2.INTER_CUBIC), 0, 1)
    disparity3 = cv2.resize(disparity, large, interpolation=cv2.INTER_LINEAR)
    for sub_y in range(SCALE):
        for sub_x in range(SCALE):
            fy, fx = (sub_y - (SCALE - 1) / 2) / SCALE, (sub_x - (SCALE - 1) / 2) / SCALE
            wy = np.array([max(-fy, 0), 1 - abs(fy), max(fy, 0)])
            wx = np.array([max(-fx, 0), 1 - abs(fx), max(fx, 0)])
            weight = np.outer(wy, wx).ravel().astype(np.float32)
            round_weight = np.outer(smooth_weights(fy), smooth_weights(fx)).ravel().astype(np.float32)
            near_here = (share_n * round_weight).sum(-1) >= 0.5
            w_near = weight * (in_band | is_near) + 1e-6 * (np.arange(9) == 4)
            w_far = weight * (in_band | ~is_near) + 1e-6 * (np.arange(9) == 4)
            near_value = (near_map[neighbours] * w_near[..., None]).sum(1) / w_near.sum(-1, keepdims=True)
            far_value = (far_map[neighbours] * w_far[..., None]).sum(1) / w_far.sum(-1, keepdims=True)
            at = (rows * SCALE + sub_y, columns * SCALE + sub_x)
            colour3[at] = np.where(near_here[:, None], near_value, far_value)
            disparity3[at] = np.where(near_here, near_disparity, far_disparity)
    return without_specks(colour3.astype(np.float32), disparity3.astype(np.float32))


def without_specks(colour: Array, disparity: Array) -> tuple[Array, Array]:
    """Both with enlarged pixels that share their disparity with few others given to a neighbour's surface.

    Left alone they would fly off as single dots. A line one photograph pixel wide has more company than that.
    """
    height, width = disparity.shape
    offsets = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)]
    padded = np.pad(disparity, 2, mode="edge")
    company = np.zeros(disparity.shape, np.uint8)
    for dy, dx in offsets:
        company += np.abs(padded[2 + dy : 2 + dy + height, 2 + dx : 2 + dx + width] - disparity) < 0.7
    rows, columns = np.nonzero(company < 10)
    around = [(np.clip(rows + dy, 0, height - 1), np.clip(columns + dx, 0, width - 1)) for dy, dx in offsets]
    # The best kept surface nearby, the closer the better; never another speck.
    merit = np.stack(
        [company[n] - 1.5 * np.hypot(dy, dx) for n, (dy, dx) in zip(around, offsets, strict=True)]
    )
    best = merit.argmax(0)
    pick = np.arange(len(rows))
    row = np.stack([n[0] for n in around])[best, pick]
    column = np.stack([n[1] for n in around])[best, pick]
    calm_colour, calm_disparity = colour.copy(), disparity.copy()
    calm_colour[rows, columns], calm_disparity[rows, columns] = colour[row, column], disparity[row, column]
    return calm_colour, calm_disparity


def block_median(disparity3: Array) -> Array:
    """Disparity reduced SCALE times by the median of each block: edges stay hard."""
    h, w = disparity3.shape
    blocks = disparity3.reshape(h // SCALE, SCALE, w // SCALE, SCALE).transpose(0, 2, 1, 3)
    return np.median(blocks.reshape(h // SCALE, w // SCALE, -1), axis=-1).astype(np.float32)


def enlarge_nearest(image: Array) -> Array:
    """An image [h,w] with every pixel repeated SCALE times both ways."""
    return np.repeat(np.repeat(image, SCALE, axis=0), SCALE, axis=1)
