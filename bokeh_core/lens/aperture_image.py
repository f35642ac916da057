"""A picture in the lens opening: hearts, scratched glass, anything that light passes unevenly."""

import hashlib
import math
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from ..clip.checks import checked_frames, checked_masks
from .coverage import Weight
from .light import LUMA_WEIGHTS
from .swirl import Plane

# Finer than any kernel that a frame of 4K takes at a usual strength.
_MOST_SIDE_PX = 512
# Darker than this share of the brightest point is dark: noise of a photograph would widen the picture.
_DARK = 0.01
# Some light passes the dark parts too, over the whole round opening. At a corner of the frame a picture with
# large gaps would else see nothing of what lies within.
_LEAK = 1e-3
_SAMPLES_AT_A_TIME = 2**20
# OpenCV takes no wider maps.
_MOST_ACROSS = 32_000
_FEWEST_SAMPLES, _MOST_SAMPLES = 4, 16


@dataclass(frozen=True, eq=False, repr=False)
class ApertureImage:
    """Light through each point of the opening; two are equal where their pixels are.

    Attributes:
        light: [h, w] float32, 0 or more, sides of at most 512 px.
        centre_px: (x, y) of the middle of its light, which comes to lie where the point of light would.
        reach_px: from there to the farthest pixel that is lit, which lies on the round opening.
        digest: of the pixels.
    """

    light: np.ndarray
    centre_px: tuple[float, float] = field(init=False)
    reach_px: float = field(init=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        rows, columns = self.light.nonzero()
        total = float(self.light.sum(dtype=np.float64))
        y, x = (
            float((self.light.sum(other, dtype=np.float64) * (np.arange(length) + 0.5)).sum() / total)
            for other, length in ((1, self.light.shape[0]), (0, self.light.shape[1]))
        )
        corners = np.hypot(np.abs(columns + 0.5 - x) + 0.5, np.abs(rows + 0.5 - y) + 0.5)
        pixels = np.ascontiguousarray(self.light)
        digest = hashlib.blake2b(pixels.tobytes() + repr(pixels.shape).encode(), digest_size=16).hexdigest()
        for name, value in (("centre_px", (x, y)), ("reach_px", float(corners.max())), ("digest", digest)):
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApertureImage) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"ApertureImage({self.light.shape[1]} x {self.light.shape[0]} px, {self.digest})"

    def on_grid(
        self,
        half_px: int,
        unit_px: tuple[float, float],
        to_opening: Plane,
        passing: Weight,
        flip: float,
        rotation_deg: float,
    ) -> np.ndarray:
        """Mean light [n, n] of the pixels of a kernel, n = 2 half + 1.

        Args:
            half_px: the grid reaches this far from its middle.
            unit_px: px that a distance of 1 along x and along y takes.
            to_opening: points of the kernel -> points of the opening, (x, y) with y downwards.
            passing: share of light that passes at points of the opening besides.
            flip: 1 shows the picture upright, -1 upside down.
            rotation_deg: turns the picture anticlockwise.
        """
        width = 2 * half_px + 1
        finest = math.ceil(2 * self.reach_px / width)
        samples = min(max(finest, _FEWEST_SAMPLES), _MOST_SAMPLES, max(1, _MOST_ACROSS // width))
        light, scale_x, scale_y = self._shrunk(samples * width)
        axis = (np.arange(width * samples) + 0.5) / samples - width / 2
        cosine, sine = (trig(math.radians(rotation_deg)) for trig in (math.cos, math.sin))
        rows_at_a_time = max(1, _SAMPLES_AT_A_TIME // (width * samples * samples))
        passed = np.empty((width, width))
        for top in range(0, width, rows_at_a_time):
            rows = slice(top, min(top + rows_at_a_time, width))
            x, y = to_opening(
                *np.meshgrid(axis / unit_px[0], axis[rows.start * samples : rows.stop * samples] / unit_px[1])
            )
            share = passing(x, y)
            # Seen with y downwards, a turn backwards has the signs of one forwards with y upwards.
            x, y = flip * (cosine * x - sine * y), flip * (sine * x + cosine * y)
            column = (self.centre_px[0] + x * self.reach_px) * scale_x - 0.5
            row = (self.centre_px[1] + y * self.reach_px) * scale_y - 0.5
            found = cv2.remap(
                light,
                column.astype(np.float32),
                row.astype(np.float32),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=0.0,
            )
            shape = (rows.stop - rows.start, samples, width, samples)
            passed[rows] = (found * share).reshape(shape).mean(axis=(1, 3))
        return passed

    def with_leak(self, passed: np.ndarray, opening: np.ndarray) -> np.ndarray:
        """Light [n, n] with a thousandth of it over all of the opening [n, n]; all, where none is left."""
        total = passed.sum()
        if total <= 0:
            return opening
        return np.asarray((1 - _LEAK) * passed / total + _LEAK * opening / opening.sum())

    def _shrunk(self, side_px: int) -> tuple[np.ndarray, float, float]:
        """The picture so small that samples a kernel apart miss nothing, and the factors on x and y."""
        height, width = self.light.shape
        factor = side_px / (2 * self.reach_px)
        if factor >= 1:
            return self.light, 1.0, 1.0
        size = max(1, round(width * factor)), max(1, round(height * factor))
        return cv2.resize(self.light, size, interpolation=cv2.INTER_AREA), size[0] / width, size[1] / height


def aperture_image_of(picture: Tensor) -> ApertureImage:
    """Take a picture as light through the opening: its brightness counts, its colours do not.

    Args:
        picture: [1, H, W, C], grey, RGB or RGBA, alpha dims; or a mask [1, H, W] or [H, W].

    Raises:
        ValueError: several pictures, none, values that are not finite, or no light at all.
    """
    light = _brightness(picture)
    if len(light) != 1:
        raise ValueError(f"The aperture image is {len(light)} pictures; give one, as a lens has one opening.")
    pixels = np.ascontiguousarray(light[0].cpu().clamp(min=0).numpy())
    longest = max(pixels.shape)
    if longest > _MOST_SIDE_PX:
        height, width = (max(1, round(side * _MOST_SIDE_PX / longest)) for side in pixels.shape)
        pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
    brightest = float(pixels.max())
    if brightest <= 0:
        raise ValueError(
            "The aperture image is black all over, so no light would pass; make white what light passes."
        )
    return ApertureImage(np.where(pixels > _DARK * brightest, pixels / brightest, np.float32(0)))


def _brightness(picture: Any) -> Tensor:
    """[N, H, W] float32."""
    try:
        if not isinstance(picture, Tensor) or picture.ndim in (2, 3):
            return checked_masks(picture).float()
        channels = checked_frames(picture).float()
    except ValueError as error:
        raise ValueError(f"The aperture image cannot be used: {error}") from error
    light = channels[..., 0]
    if channels.shape[-1] >= 3:
        light = (channels[..., :3] * torch.tensor(LUMA_WEIGHTS).to(channels)).sum(-1)
    return light * channels[..., 3].clamp(0, 1) if channels.shape[-1] == 4 else light
