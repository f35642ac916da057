"""Layers in space, their z-buffered view by any camera, and layers for what no photograph shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .camera import Array, Camera, Indices, Mask, pixel_grid, reproject
from .contours import SCALE, block_median, enlarge_nearest
from .disparity import hidden_disparity


@dataclass(frozen=True)
class Layer:
    """Colour [h,w,3] in [0,1] and full disparity [h,w] (focal / depth, px) that `camera` sees, enlarged.

    `present` [h,w] says which pixels belong to the layer.
    """

    camera: Camera
    colour: Array
    disparity: Array
    present: Mask


def splat(layer: Layer, camera: Camera) -> tuple[Array, Indices]:
    """Z-buffered view of a layer: disparity [h,w] (0 where nothing is), flat index of the winning pixel.

    Inside surfaces a pixel covers the 2x2 cells around it (no cracks), at contours one cell (no growth).
    """
    height, width = layer.disparity.shape
    flat = np.flatnonzero(layer.present)
    disparity = layer.disparity.ravel()[flat]
    y, x = np.divmod(flat, width)
    centre = (SCALE - 1) / 2
    px, py, new = reproject((x - centre) / SCALE, (y - centre) / SCALE, disparity, layer.camera, camera)
    px, py = px * SCALE + centre, py * SCALE + centre
    kernel = np.ones((3, 3), np.uint8)
    step = cv2.dilate(layer.disparity, kernel) - cv2.erode(layer.disparity, kernel)
    edge = (step > 1.0).ravel()[flat]
    # Disparity in the high bits, pixel index in the low ones: one integer maximum keeps the nearest of all.
    key = (np.round(new * 1024).astype(np.int64) << 32) | flat
    buffer = np.full(height * width, -1, np.int64)
    x0, y0 = np.floor(px).astype(np.int64), np.floor(py).astype(np.int64)
    for dy in (0, 1):
        for dx in (0, 1):
            cx, cy = x0 + dx, y0 + dy
            use = (cx >= 0) & (cx < width) & (cy >= 0) & (cy < height)
            use &= ~edge | ((np.abs(px - cx) <= 0.5) & (np.abs(py - cy) <= 0.5))
            np.maximum.at(buffer, cy[use] * width + cx[use], key[use])
    hit = buffer >= 0
    seen = np.where(hit, (buffer >> 32) / 1024, 0).astype(np.float32)
    return seen.reshape(height, width), np.where(hit, buffer & 0xFFFFFFFF, -1).reshape(height, width)


def shade(layer: Layer, camera: Camera, seen: Array, winner: Indices) -> Array:
    """Colour [h,w,3] of a splatted layer, read back at the exact source position of every target pixel."""
    height, width = seen.shape
    x, y = pixel_grid(height, width)
    centre = (SCALE - 1) / 2
    sx, sy, sd = reproject(
        (x - centre) / SCALE, (y - centre) / SCALE, np.maximum(seen, 1), camera, layer.camera
    )
    sx, sy = sx * SCALE + centre, sy * SCALE + centre
    colour = cv2.remap(layer.colour, sx, sy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # Interpolation must not reach over a contour, nor out of the layer.
    kernel = np.ones((3, 3), np.uint8)
    level = np.where(layer.present, layer.disparity, np.float32(0))
    top, bottom = cv2.dilate(level, kernel), cv2.erode(level, kernel)
    span = cv2.remap(np.dstack([top, bottom]), sx, sy, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    stray = (winner >= 0) & ((span[..., 0] > sd + 1.0) | (span[..., 1] < sd - 1.0))
    colour[stray] = layer.colour.reshape(-1, 3)[winner[stray]]
    return colour


def render(layers: list[Layer], camera: Camera) -> tuple[Array, Array]:
    """Colour [h,w,3] and full disparity [h,w] (0 in holes) of the layers, SCALE times enlarged.

    Earlier layers win ties within a pixel of disparity, so the left photograph is used wherever it can be.
    """
    colour, depth = None, None
    for layer in layers:
        seen, winner = splat(layer, camera)
        paint = shade(layer, camera, seen, winner)
        if colour is None or depth is None:
            colour, depth = paint, seen
            continue
        front = (seen > 0) & (seen > depth + np.where(depth > 0, 1.5, 0))
        colour[front], depth[front] = paint[front], seen[front]
    assert colour is not None and depth is not None
    return colour, depth


def fill_from_background(values: Array, hole: Mask, usable: Mask) -> Array:
    """`values` [h,w,c] with holes replaced by a smooth pull-push interpolation of the usable pixels."""
    weight = usable.astype(np.float32)
    levels = [(values * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2:
        total, mass = levels[-1]
        size = ((mass.shape[1] + 1) // 2, (mass.shape[0] + 1) // 2)
        small, light = (
            cv2.resize(total, size, interpolation=cv2.INTER_AREA),
            cv2.resize(mass, size, interpolation=cv2.INTER_AREA),
        )
        gain = np.minimum(1, 4 * light) / np.maximum(light, 1e-8)
        levels.append((small.reshape(*light.shape, -1) * gain[..., None], light * gain))
    guess = levels[-1][0] / np.maximum(levels[-1][1], 1e-8)[..., None]
    for total, mass in reversed(levels[:-1]):
        guess = cv2.resize(guess, (mass.shape[1], mass.shape[0]), interpolation=cv2.INTER_LINEAR).reshape(
            total.shape
        )
        guess = total + (1 - mass)[..., None] * guess
    return np.where(hole[..., None], guess, values).astype(np.float32)


def fill_colour(colour: Array, depth: Array, hole: Mask, step_px: float = 4.0) -> Array:
    """`colour` [h,w,3] with holes continued from surroundings of like disparity (`depth`, filled)."""
    result = colour.copy()
    levels = np.floor(depth / step_px)
    for level in np.unique(levels[hole]):
        mine = hole & (levels == level)
        usable = ~hole & (np.abs(depth - (level + 0.5) * step_px) < step_px)
        if not usable.any():
            usable = ~hole
        result[mine] = fill_from_background(colour, mine, usable)[mine]
    return result


def hole_layer(
    layers: list[Layer], camera: Camera, photographs: list[tuple[Camera, Array]], inside: Mask
) -> Layer:
    """A layer, seen by `camera`, of what no layer shows `inside` the picture, from the background."""
    colour, depth = render(layers, camera)
    hole = depth <= 0
    small = np.where(block_median(hole.astype(np.float32)) > 0.5, 0, block_median(depth))
    colourless = np.zeros((*small.shape, 3), np.float32)
    hidden = hidden_disparity(colourless, small, camera, photographs)
    depth = np.where(hole, enlarge_nearest(hidden), depth)
    colour = fill_colour(colour, depth, hole)
    return Layer(camera, colour, depth, hole & inside)
