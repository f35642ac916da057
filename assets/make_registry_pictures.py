"""Icon and banner of the pack, drawn: lamps out of focus behind an aperture of seven blades.

python -m assets.make_registry_pictures docs/images
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

# Drawn at this many times the size, so that edges are smooth.
OVERSAMPLING = 3
BLADES = 7
ICON_PX = (400, 400)
BANNER_PX = (1260, 540)
LAMPS_BGR = ((70, 160, 255), (90, 200, 255), (150, 120, 255), (230, 190, 120), (120, 220, 240))

Picture = NDArray[np.float32]


def polygon(centre: tuple[float, float], radius: float, turn: float) -> NDArray[np.int32]:
    """Corners [BLADES, 2] of the aperture's opening, in px."""
    angles = turn + 2 * math.pi * np.arange(BLADES) / BLADES
    return np.rint(np.stack([np.cos(angles), np.sin(angles)], 1) * radius + centre).astype(np.int32)


def night(width: int, height: int) -> Picture:
    """A dark gradient [height, width, 3], light 0 to 1."""
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    picture: Picture = np.float32([0.11, 0.06, 0.05]) * (1 - down) + np.float32([0.24, 0.13, 0.10]) * down
    return np.ascontiguousarray(np.broadcast_to(picture, (height, width, 3)))


def add_lamps(picture: Picture, count: int, seed: int) -> None:
    """Add lamps out of focus, whose disks have the shape of the opening and a brighter rim."""
    height, width = picture.shape[:2]
    random = np.random.default_rng(seed)
    for _ in range(count):
        centre = (random.uniform(0, width), random.uniform(0, height))
        radius = height * random.uniform(0.05, 0.15)
        mask = np.zeros((height, width), np.float32)
        corners = polygon(centre, radius, 0.3)
        cv2.fillPoly(mask, [corners], 0.8)
        cv2.polylines(mask, [corners], True, 1.0, max(1, round(radius / 14)))
        mask = cv2.GaussianBlur(mask, (0, 0), max(0.6, radius / 40))
        colour = np.float32(LAMPS_BGR[random.integers(len(LAMPS_BGR))]) / 255
        picture += random.uniform(0.25, 0.6) * mask[..., None] * colour


def draw_aperture(picture: Picture, centre: tuple[float, float], radius: float) -> None:
    """Draw the iris: a ring, and blades that leave the opening free."""
    height, width = picture.shape[:2]
    at = (round(centre[0]), round(centre[1]))
    opening = polygon(centre, 0.5 * radius, 0.3)
    shade = np.zeros((height, width), np.float32)
    cv2.circle(shade, at, round(radius), 1.0, -1)
    cv2.fillPoly(shade, [opening], 0.0)
    picture *= 1 - 0.82 * shade[..., None]
    rim = np.float32([0.98, 0.96, 0.93]).tolist()
    line = round(radius / 34)
    cv2.circle(picture, at, round(radius), rim, 2 * line, cv2.LINE_AA)
    cv2.polylines(picture, [opening], True, rim, line, cv2.LINE_AA)
    outer = polygon(centre, radius, 0.3 + 2 * math.pi / BLADES * 1.35)
    for inner, end in zip(opening, outer, strict=True):
        cv2.line(picture, inner.tolist(), end.tolist(), rim, line, cv2.LINE_AA)


def drawn(
    size_px: tuple[int, int], lamps: int, centre: tuple[float, float], radius: float
) -> NDArray[np.uint8]:
    """A picture [height, width, 3] in 8 bits; centre and radius as shares of width and height."""
    width, height = (OVERSAMPLING * side for side in size_px)
    picture = night(width, height)
    add_lamps(picture, lamps, seed=11)
    draw_aperture(picture, (centre[0] * width, centre[1] * height), radius * height)
    small = cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA)
    return np.rint(255 * np.clip(small, 0, 1)).astype(np.uint8)


def write(picture: NDArray[np.uint8], text: str, line_px: int, scale: float, thickness_px: int) -> None:
    """Write a line of text whose foot is at a row."""
    font = cv2.FONT_HERSHEY_DUPLEX
    cv2.putText(picture, text, (70, line_px), font, scale, (245, 245, 240), thickness_px, cv2.LINE_AA)


def main() -> None:
    """Write icon.png and banner.png into a folder."""
    parser = argparse.ArgumentParser(description="Draw icon.png and banner.png into a folder.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    icon = drawn(ICON_PX, 14, (0.5, 0.5), 0.4)
    banner = drawn(BANNER_PX, 42, (0.78, 0.5), 0.36)
    write(banner, "Any-to-Bokeh", 250, 2.6, 6)
    write(banner, "a real lens for any video", 330, 1.3, 2)
    for name, picture in (("icon.png", icon), ("banner.png", banner)):
        cv2.imwrite(str(folder / name), picture)


if __name__ == "__main__":
    main()
