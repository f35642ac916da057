"""Maps as estimators spoil them, no two alike: what the network learns to mend, and what it must leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from bokeh_lab.evaluate.faults import FAULTS, Maps, clipped, smooth_noise

# Shares of the clips.
_AS_EVALUATED = 0.4
_CLEAN = 0.3
_EVALUATED = ("estimator", "outline_jitter", "torn_limb", "jpeg", "everything")
# A surface that is rounded, in disparity; the truth has it too.
_MOST_RELIEF = 0.06
_SCALES = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)

Smooth = Callable[[Maps], Maps]


@dataclass(frozen=True)
class SpoiltMaps:
    """Maps of a clip, [T, H, W] in [0, 1].

    Attributes:
        given: spoilt.
        wanted: the truth, with the scale, shift and slow waves that the given ones have.
    """

    given: Maps
    wanted: Maps


def spoilt(maps: Maps, random: np.random.Generator) -> SpoiltMaps:
    """Spoil maps [T, H, W] by faults of random kinds and strengths."""
    if random.random() < 0.3:
        maps = clipped(maps + _relief(maps, random))
    kind = random.random()
    given = maps
    if kind < _AS_EVALUATED:
        given = FAULT_OF_CONTOURS[str(random.choice(_EVALUATED))](maps, random)
    elif kind >= _AS_EVALUATED + _CLEAN:
        given = _mixture(maps, random)
    smooth = _smooth_change(maps, random)
    given, wanted = clipped(smooth(given)), clipped(smooth(maps))
    if random.random() < 0.15:
        quality = int(random.integers(50, 96))
        given = np.stack([_stored(one, quality) for one in given])
    return SpoiltMaps(given, wanted)


def _everything(maps: Maps, random: np.random.Generator) -> Maps:
    """Its jitter and softness; waves and flicker come on top."""
    return FAULTS["estimator"](FAULTS["outline_jitter"](maps, 1.0, random), 1.0, random)


FAULT_OF_CONTOURS: dict[str, Callable[[Maps, np.random.Generator], Maps]] = {
    **{
        name: lambda maps, random, name=name: FAULTS[name](maps, 1.0, random)  # type: ignore[misc]
        for name in _EVALUATED
        if name != "everything"
    },
    "everything": _everything,
}


def _mixture(maps: Maps, random: np.random.Generator) -> Maps:
    if random.random() < 0.4:
        maps = _torn(maps, random)
    if random.random() < 0.15:
        maps = _grown(maps, random)
    if random.random() < 0.5:
        maps = _moved(maps, random)
    if random.random() < 0.55:
        maps = _softened(maps, random)
    return maps


def _torn(maps: Maps, random: np.random.Generator) -> Maps:
    """Lose bands or blobs of what is in front in some frames to what is far, or have some of it too much."""
    torn = maps.copy()
    height, width = maps.shape[1:]
    often = random.uniform(0.15, 0.5)
    together = _blob(height, width, random) if random.random() < 0.5 else None
    for one in torn:
        if random.random() >= often:
            continue
        place = together if together is not None else _blob(height, width, random)
        far = float(np.percentile(one, random.uniform(2, 40)))
        near = float(np.percentile(one, random.uniform(60, 98)))
        if random.random() < 0.75:
            one[place & (one > far + random.uniform(0.05, 0.3))] = far
        else:
            one[place & (one < near - 0.05)] = near
    return torn


def _blob(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """A band across the frame or a round region, bool [H, W]."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle = 0.0 if random.random() < 0.4 else random.uniform(0, np.pi)
    middle_x, middle_y = random.uniform(0, width), random.uniform(0, height)
    across = (x - middle_x) * np.sin(angle) + (y - middle_y) * np.cos(angle)
    along = (x - middle_x) * np.cos(angle) - (y - middle_y) * np.sin(angle)
    thick = random.uniform(0.02, 0.12) * height
    long = width if random.random() < 0.5 else random.uniform(0.03, 0.25) * width
    ragged = smooth_noise(height, width, random.uniform(4, 20), random) * random.uniform(0, 0.3) * thick
    return np.asarray((np.abs(across + ragged) < thick) & (np.abs(along + ragged) < long))


def _grown(maps: Maps, random: np.random.Generator) -> Maps:
    side = 2 * int(random.integers(1, 3)) + 1
    change = cv2.dilate if random.random() < 0.5 else cv2.erode
    return np.stack([change(one, np.ones((side, side), np.uint8)) for one in maps])


def _moved(maps: Maps, random: np.random.Generator) -> Maps:
    """Move pixels by smooth noise, in most clips by another one in each frame."""
    height, width = maps.shape[1:]
    amount, grain_px = random.uniform(0.4, 1.7), random.uniform(3, 9)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    still = random.random() < 0.25
    noise: list[Maps] = []
    moved = []
    for one in maps:
        if not (still and noise):
            noise = [smooth_noise(height, width, grain_px, random) * np.float32(amount) for _ in range(2)]
        moved.append(
            cv2.remap(one, x + noise[0], y + noise[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )
    return np.stack(moved)


def _softened(maps: Maps, random: np.random.Generator) -> Maps:
    """Smaller, soft, and back to size."""
    height, width = maps.shape[1:]
    smaller, sigma_px = random.uniform(1, 3.5), random.uniform(0.2, 1.2)
    size = (max(1, round(width / smaller)), max(1, round(height / smaller)))
    back = int(random.choice(_SCALES))

    def seen(one: Maps) -> Maps:
        small = cv2.resize(one, size, interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.resize(soft, (width, height), interpolation=back), np.float32)

    return clipped(np.stack([seen(one) for one in maps]))


def _smooth_change(maps: Maps, random: np.random.Generator) -> Smooth:
    """Scale, shift and slow waves that differ from frame to frame; in many clips none."""
    count, height, width = maps.shape
    scales, shifts = np.ones((count, 1, 1), np.float32), np.zeros((count, 1, 1), np.float32)
    if random.random() < 0.4:
        amount = random.uniform(0.2, 1.2)
        scales = (1 + 0.06 * amount * random.standard_normal((count, 1, 1))).astype(np.float32)
        shifts = (0.03 * amount * random.standard_normal((count, 1, 1))).astype(np.float32)
    waves = np.zeros((count, 1, 1), np.float32)
    if random.random() < 0.4:
        grain_px = width / random.uniform(3, 8)
        amount = random.uniform(0.005, 0.025)
        waves = np.stack([amount * smooth_noise(height, width, grain_px, random) for _ in maps])
    return lambda values: (values * scales + shifts + waves).astype(np.float32)


def _relief(maps: Maps, random: np.random.Generator) -> Maps:
    """One smooth field for the whole clip: surfaces are not planes."""
    height, width = maps.shape[1:]
    field = smooth_noise(height, width, width / random.uniform(3, 14), random)
    return random.uniform(0.005, _MOST_RELIEF) * field[None]


def _stored(one: Maps, quality: int) -> Maps:
    levels = np.round(one * 255).astype(np.uint8)
    if quality > 90:
        return levels.astype(np.float32) / np.float32(255)
    _, content = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(content, cv2.IMREAD_GRAYSCALE).astype(np.float32) / np.float32(255)
