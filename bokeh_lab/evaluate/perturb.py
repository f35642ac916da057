"""Disparity maps as estimators spoil them: does a renderer survive contours that are off the picture's?

The paper's Tab. 3 disturbs the disparity by elastic transform, Gaussian blur and morphology, and states
neither amounts nor where. Here the whole map is disturbed, by the amounts of the published training noise
(elastic alpha 50 and sigma 4, kernels of 3, 5 or 7 px) and a blur of sigma 4 px. These are px of a frame
1024 px wide and scale with the frame; "dilate" and "erode" are one px of any frame. What is random is drawn
once a clip and does the same in every frame, so that flicker is the renderer's own. Faults that differ from
frame to frame are in `faults`.
"""

import zlib
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from bokeh_core.reference_width import in_frame_px

from .faults import FAULT_TITLES, FAULTS, Change, Maps

NONE = "none"
ALL = "all"
OVER_TIME = "over_time"
_REFINED = "+refined"

_ELASTIC_ALPHA = 50.0
_ELASTIC_SIGMA_PX = 4.0
_BLUR_SIGMA_PX = 4.0
_MORPHOLOGY_REACH_PX = (1, 2, 3)  # kernels of 3, 5 and 7
_LEVELS = 255


def perturb(disparity: Tensor, name: str, seed: int) -> Tensor:
    """Disturb the disparity of a clip; the same seed and name do the same again.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        name: one of `PERTURBATIONS`.
        seed: of the clip, >= 0.

    Returns:
        float32 [T, H, W] in [0, 1]; for "none" the very same tensor.

    Raises:
        ValueError: an unknown name.
    """
    change = _change_named(name)
    if name == NONE:
        return disparity
    maps = disparity.cpu().numpy().astype(np.float32)
    # The name takes part, so that two kinds of noise do not share one random field.
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    changed = change(maps, in_frame_px(1.0, maps.shape[2]), random)
    return torch.from_numpy(changed).clamp_(0, 1).to(disparity.device)


def parse_perturbations(text: str) -> tuple[str, ...]:
    """Read names separated by commas, of perturbations or of groups.

    "all" are those that do the same in every frame, "over_time" those of `faults`. "none" comes first, as the
    others are compared with it.

    Raises:
        ValueError: an unknown name.
    """
    words = [word.strip() for word in text.split(",")]
    names = [name for word in words for name in _GROUPS.get(word, (word,))]
    for name in names:
        _change_named(name)
    return (NONE, *dict.fromkeys(name for name in names if name != NONE))


def with_refined(names: Sequence[str]) -> tuple[str, ...]:
    """Perturbations, and after them each of them refined by the pack's Refine Disparity."""
    return (*names, *(name + _REFINED for name in names))


def is_refined(name: str) -> bool:
    """Whether a name of `with_refined` is that of refined maps."""
    return name.endswith(_REFINED)


def base_of(name: str) -> str:
    """The perturbation of a name of `with_refined`."""
    return name.removesuffix(_REFINED)


def measured_focus(focal_disparity: Tensor, subject: Tensor, clean: Tensor, disturbed: Tensor) -> Tensor:
    """Focus as a user would measure it: the subject's disparity in the map at hand.

    Args:
        focal_disparity: [T] in the clean map.
        subject: bool [T, H, W]; a frame without any keeps its focus.
        clean: [T, H, W].
        disturbed: [T, H, W].

    Returns:
        [T] in [0, 1]: the focus moved by as much as the median disparity of the subject.
    """
    moved = focal_disparity.clone()
    for t, pixels in enumerate(subject):
        if bool(pixels.any()):
            moved[t] += disturbed[t][pixels].median() - clean[t][pixels].median()
    return moved.clamp_(0, 1)


def _change_named(name: str) -> Change:
    if name not in PERTURBATIONS:
        raise ValueError(
            f"There is no perturbation {name!r}; choose from {', '.join(PERTURBATIONS)}, or {ALL}, or "
            f"{OVER_TIME}."
        )
    return PERTURBATIONS[name]


def _none(maps: Maps, _scale: float, _random: np.random.Generator) -> Maps:
    return maps


def _elastic(maps: Maps, scale: float, random: np.random.Generator) -> Maps:
    """Move every pixel by smoothed uniform noise in [-1, 1] times alpha (Simard et al. 2003).

    The displacement has a standard deviation of alpha / (2 sigma sqrt(3 pi)) px an axis, 2.04 px at 1024.
    """
    height, width = maps.shape[1:]
    sigma_px = _ELASTIC_SIGMA_PX * scale
    dx, dy = displacement_px(height, width, sigma_px, random)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return _each(
        maps, lambda one: cv2.remap(one, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def displacement_px(
    height: int, width: int, sigma_px: float, random: np.random.Generator
) -> tuple[Maps, Maps]:
    """Two smooth random fields [H, W] in px, x then y, whose size and grain are those of `sigma_px`."""
    # Smoothing noise by sigma divides it by sigma; alpha by sigma squared makes displacement grow with sigma.
    alpha = _ELASTIC_ALPHA * (sigma_px / _ELASTIC_SIGMA_PX) ** 2
    fields = random.uniform(-1, 1, (2, height, width))
    dx, dy = ((alpha * cv2.GaussianBlur(field, (0, 0), sigma_px)).astype(np.float32) for field in fields)
    return dx, dy


def _blur(maps: Maps, scale: float, _random: np.random.Generator) -> Maps:
    sigma_px = _BLUR_SIGMA_PX * scale
    return _each(maps, lambda one: cv2.GaussianBlur(one, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE))


def _morphology(maps: Maps, scale: float, random: np.random.Generator) -> Maps:
    """Dilate or erode the whole clip, by a kernel of 3, 5 or 7 px."""
    reach_px = max(1, round(random.choice(_MORPHOLOGY_REACH_PX) * scale))
    return _grown(maps, reach_px) if random.random() < 0.5 else _shrunk(maps, reach_px)


def _dilate(maps: Maps, _scale: float, _random: np.random.Generator) -> Maps:
    return _grown(maps, 1)


def _erode(maps: Maps, _scale: float, _random: np.random.Generator) -> Maps:
    return _shrunk(maps, 1)


def _grown(maps: Maps, reach_px: int) -> Maps:
    kernel = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    return _each(maps, lambda one: cv2.dilate(one, kernel))


def _shrunk(maps: Maps, reach_px: int) -> Maps:
    kernel = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    return _each(maps, lambda one: cv2.erode(one, kernel))


def _8bit(maps: Maps, _scale: float, _random: np.random.Generator) -> Maps:
    return np.round(maps * _LEVELS).astype(np.float32) / np.float32(_LEVELS)


def _half_resolution(maps: Maps, _scale: float, _random: np.random.Generator) -> Maps:
    height, width = maps.shape[1:]
    half = (max(1, width // 2), max(1, height // 2))

    def through_half(one: Maps) -> Maps:
        small = cv2.resize(one, half, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    return _each(maps, through_half)


def _each(maps: Maps, change: Callable[[Maps], Maps]) -> Maps:
    return np.stack([change(one) for one in maps])


_SAME_IN_EVERY_FRAME: dict[str, Change] = {
    NONE: _none,
    "elastic": _elastic,
    "blur": _blur,
    "morphology": _morphology,
    "8bit": _8bit,
    "half_resolution": _half_resolution,
    "dilate": _dilate,
    "erode": _erode,
}

PERTURBATIONS: dict[str, Change] = {**_SAME_IN_EVERY_FRAME, **FAULTS}

_GROUPS = {ALL: tuple(_SAME_IN_EVERY_FRAME), OVER_TIME: tuple(FAULTS)}

TITLES: dict[str, str] = {
    NONE: "clean",
    "elastic": "elastic",
    "blur": "blur",
    "morphology": "morphology",
    "8bit": "8-bit",
    "half_resolution": "half resolution",
    "dilate": "dilated one px",
    "erode": "eroded one px",
    **FAULT_TITLES,
}
