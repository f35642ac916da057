"""Faults of disparity that differ from frame to frame, as of estimators that see one frame at a time."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float32]
Change = Callable[[Maps, float, np.random.Generator], Maps]

_SCALE_DEVIATION = 0.06
_SHIFT_DEVIATION = 0.03
_WOBBLE_DEVIATION = 0.02
# Cells of a wobble across the width of a frame.
_WOBBLE_CELLS = 6
_ESTIMATOR_SIGMA_PX = 0.7
_JITTER_PX = 1.0
_JITTER_GRAIN_PX = 4.0
_JPEG_QUALITY = 75
_TORN_EVERY = 3
_TORN_SHARE = 0.2
_BACKGROUND_PERCENTILE = 5
_IN_FRONT = 0.1


def flicker(maps: Maps, _scale: float, random: np.random.Generator) -> Maps:
    """Give each frame a scale (deviation 6 %) and a shift (0.03) of its own."""
    scales = 1 + _SCALE_DEVIATION * random.standard_normal(len(maps))
    shifts = _SHIFT_DEVIATION * random.standard_normal(len(maps))
    changed = maps * scales[:, None, None] + shifts[:, None, None]
    return clipped(changed.astype(np.float32))


def min_max_by_frame(maps: Maps, _scale: float, _random: np.random.Generator) -> Maps:
    """Stretch each frame from 0 to 1, as nodes do that see no clip; a map of one value becomes 0."""
    least = maps.min((1, 2), keepdims=True)
    span = maps.max((1, 2), keepdims=True) - least
    return ((maps - least) / np.where(span > 0, span, 1)).astype(np.float32)


def estimator(maps: Maps, _scale: float, _random: np.random.Generator) -> Maps:
    """Half the size, a Gaussian of 0.7 px there, and cubic interpolation back up."""
    height, width = maps.shape[1:]
    half = (max(1, width // 2), max(1, height // 2))

    def seen(one: Maps) -> Maps:
        small = cv2.resize(one, half, interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), _ESTIMATOR_SIGMA_PX, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)

    return clipped(np.stack([seen(one) for one in maps]))


def outline_jitter(maps: Maps, _scale: float, random: np.random.Generator) -> Maps:
    """Move every frame's pixels by smooth noise of its own, 1 px (deviation) an axis."""
    height, width = maps.shape[1:]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    moved = []
    for one in maps:
        noise = [smooth_noise(height, width, _JITTER_GRAIN_PX, random) * _JITTER_PX for _ in range(2)]
        moved.append(
            cv2.remap(one, x + noise[0], y + noise[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )
    return np.stack(moved)


def wobble(maps: Maps, _scale: float, random: np.random.Generator) -> Maps:
    """Add a field without fine detail to each frame, deviation 0.02."""
    height, width = maps.shape[1:]
    grain_px = width / _WOBBLE_CELLS
    fields = [smooth_noise(height, width, grain_px, random) for _ in maps]
    return clipped(maps + _WOBBLE_DEVIATION * np.stack(fields))


def jpeg(maps: Maps, _scale: float, _random: np.random.Generator) -> Maps:
    """Store each frame as an 8-bit JPEG of quality 75."""

    def stored(one: Maps) -> Maps:
        levels = np.round(one * 255).astype(np.uint8)
        _, content = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        return cv2.imdecode(content, cv2.IMREAD_GRAYSCALE).astype(np.float32) / np.float32(255)

    return np.stack([stored(one) for one in maps])


def torn_limb(maps: Maps, _scale: float, random: np.random.Generator) -> Maps:
    """Lose a band of what stands in front, in every third frame, to the background (the paper's Fig. 9).

    The band takes a fifth of the height of what is nearer than the background by 0.1.
    """
    torn = maps.copy()
    place = random.uniform(0.1, 0.9 - _TORN_SHARE)
    for t in range(1, len(maps), _TORN_EVERY):
        background = np.percentile(maps[t], _BACKGROUND_PERCENTILE)
        in_front = maps[t] > background + _IN_FRONT
        rows = np.flatnonzero(in_front.any(1))
        if not len(rows):
            continue
        extent = rows[-1] + 1 - rows[0]
        first = rows[0] + int(place * extent)
        band = slice(first, first + max(1, round(_TORN_SHARE * extent)))
        torn[t, band][in_front[band]] = background
    return torn


def everything(maps: Maps, scale: float, random: np.random.Generator) -> Maps:
    """Jitter, then estimator, wobble and flicker: all but JPEG and torn limbs."""
    for change in (outline_jitter, estimator, wobble, flicker):
        maps = change(maps, scale, random)
    return maps


def smooth_noise(height: int, width: int, grain_px: float, random: np.random.Generator) -> Maps:
    """Gaussian noise without detail finer than `grain_px`, of mean square 1 over the frame."""
    rows, columns = (max(2, round(side / grain_px)) for side in (height, width))
    coarse = random.standard_normal((rows, columns)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field / np.sqrt(np.mean(field**2)), np.float32)


def clipped(maps: Maps) -> Maps:
    """Disparity has no values outside of [0, 1]."""
    return np.clip(maps, 0, 1).astype(np.float32)


FAULTS: dict[str, Change] = {
    "flicker": flicker,
    "min_max_by_frame": min_max_by_frame,
    "estimator": estimator,
    "outline_jitter": outline_jitter,
    "wobble": wobble,
    "jpeg": jpeg,
    "torn_limb": torn_limb,
    "everything": everything,
}

FAULT_TITLES: dict[str, str] = {
    "flicker": "flicker",
    "min_max_by_frame": "min-max a frame",
    "estimator": "estimator",
    "outline_jitter": "outline jitter",
    "wobble": "wobble",
    "jpeg": "8-bit JPEG",
    "torn_limb": "torn limb",
    "everything": "jitter, estimator, wobble, flicker",
}
