"""Geometry of a depth model, as ComfyUI's own nodes for Depth Anything 3 and MoGe hand it on -> DISPARITY."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..clip.checks import as_plain_float
from ..clip.lengths import broadcast_over_frames
from ..clip.letterbox import PictureArea
from ..clip.masks import resize_mask
from ..setting_checks import require_choice
from .fit import MapFit
from .holes import HOLES, LEAST_DISTANCE, fill_from_around
from .in_words import count_frames, percent
from .prepare import prepare_disparity

# The probability of sky at which the model is undecided.
_SKY_FROM = 0.5
# Principal points lie near the middle: 0.5 of the picture, or hundreds of pixels.
_MOST_NORMALISED = 2.0
_KINDS = "ComfyUI's Depth Anything 3 or MoGe"


@dataclass(frozen=True)
class GeometryDisparity:
    """What a lens needs of a geometry.

    Attributes:
        disparity: [T, H, W] in [0, 1], near = 1.
        sky: [T, H, W] in [0, 1]: the model's probability of sky, and 1 where it has no depth and that is
            taken for far.
        confidence: [T, H, W] in [0, 1], over the whole clip; 0 where the model masked its depth, 1 everywhere
            where it says nothing.
        nearest: distance where disparity is 1 in the model's unit, which is the metre for metric models and
            has no meaning else.
        farthest: distance where it is 0, infinite where there is sky.
        intrinsics: [T, 3, 3], the camera's matrix with its first row divided by the width and its second by
            the height, so that it holds at any size: focal length fx / W and fy / H on the diagonal,
            principal point (0.5, 0.5) in the middle of the picture; None where the model gives none.
        report: one fact a line.
    """

    disparity: Tensor
    sky: Tensor
    confidence: Tensor
    nearest: float
    farthest: float
    intrinsics: Tensor | None
    report: str


def disparity_from_geometry(
    geometry: Any,
    holes: str = "far",
    normalisation: str = "min-max",
    *,
    num_frames: int | None = None,
    height: int | None = None,
    width: int | None = None,
    area: PictureArea | None = None,
) -> GeometryDisparity:
    """Take 1 / depth, normalised over the whole clip; sky gets disparity 0.

    Args:
        geometry: `depth` [T, H, W], farther = larger; as far as there are: `sky` [T, H, W] probability,
            `mask` bool [T, H, W] of valid depth, `confidence` [T, H, W], `intrinsics` [..., 3, 3] in px or
            divided by the picture's size, `mode`.
        holes: what becomes of depth that is NaN, infinite, masked, or 0 or less, and not sky; see
            `prepare_disparity`.
        normalisation: see `prepare_disparity`.
        num_frames: length of the clip, which one map is repeated over; as the geometry if None.
        height: rows of the result; as the geometry if None.
        width: columns of the result; as the geometry if None.
        area: of the frames, whose depth decides what becomes 0 and 1; None is all.

    Raises:
        ValueError: no geometry, maps that do not fit together, holes that are refused, no depth at all, or a
            clip of another length.
    """
    require_choice("holes", holes, HOLES)
    depth = _maps(geometry, "depth")
    if depth is None:
        raise ValueError(f"The geometry has no depth; connect the geometry output of {_KINDS}.")
    shape = depth.shape
    sky, mask, certainty = (_maps(geometry, name, shape) for name in ("sky", "mask", "confidence"))
    is_sky = torch.zeros(shape, dtype=torch.bool) if sky is None else sky > _SKY_FROM
    hole = ~depth.isfinite() | (depth < LEAST_DISTANCE)
    if mask is not None:
        hole |= mask < 0.5
    hole &= ~is_sky
    lines = _lines(geometry, is_sky, hole, holes)
    depth = depth.masked_fill(is_sky, math.inf)
    depth = _filled(depth, hole) if holes == "fill from around" else depth.masked_fill(hole, math.inf)
    height, width = height or shape[1], width or shape[2]
    size = (height, width)
    rows, columns = (
        (slice(None),) * 2 if area is None else MapFit().in_map(area.unsmeared(size), shape[1:], size)
    )
    known = depth[:, rows, columns]
    known = known[known.isfinite()]
    if not len(known):
        raise ValueError("The geometry has no depth in any pixel; check the model and its frames.")
    nearest, farthest = (value.item() for value in known.aminmax())
    prepared = prepare_disparity(
        depth,
        "metric depth",
        normalisation=normalisation,
        holes="far",
        num_frames=num_frames,
        height=height,
        width=width,
        area=area,
    )
    unseen = sky if sky is not None else torch.zeros(shape)
    if holes == "far":
        unseen = unseen.masked_fill(hole, 1)
    masks = [resize_mask(values, height, width) for values in (unseen, _confidence(certainty, mask, shape))]
    count = len(prepared.disparity)
    unseen, sure = (broadcast_over_frames(values, count, "geometry") for values in masks)
    intrinsics, line = _intrinsics(geometry.get("intrinsics"), count, shape)
    lines += [
        f"Distances {nearest:.4g} to {farthest:.4g} in the model's unit: metres of Depth Anything 3 "
        "Metric-Large and of MoGe 2 and newer, without meaning from others.",
        line,
        prepared.report,
    ]
    report = "\n".join(line for line in lines if line)
    # What a camera needs: with percentiles or sky they are not those of the nearest and farthest point.
    ends = prepared.distances or (nearest, farthest)
    return GeometryDisparity(prepared.disparity, unseen, sure, *ends, intrinsics, report)


def _maps(geometry: Any, name: str, shape: torch.Size | None = None) -> Tensor | None:
    """A map of the geometry as float32 [T, H, W] in main memory; None where there is none."""
    if not isinstance(geometry, Mapping):
        raise ValueError(
            f"The geometry is of the type {type(geometry).__name__}; connect the geometry output of {_KINDS}."
        )
    given = geometry.get(name)
    if given is None:
        return None
    values = as_plain_float(given, f"{name} of the geometry").cpu()
    if values.ndim == 4 and 1 in (values.shape[1], values.shape[-1]):
        values = values.squeeze(-1 if values.shape[-1] == 1 else 1)
    if values.ndim != 3 or values.numel() == 0 or shape not in (None, values.shape):
        wanted = "[T, H, W]" if shape is None else f"that of its depth, {tuple(shape)}"
        raise ValueError(f"{name} of the geometry has the shape {tuple(given.shape)}; it must be {wanted}.")
    return values


def _filled(depth: Tensor, hole: Tensor) -> Tensor:
    if bool((hole.flatten(1).all(1)).any()):
        empty = int(hole.flatten(1).all(1).nonzero()[0])
        raise ValueError(
            f"Frame {empty} has no depth at all, so its holes cannot be filled from around; set holes to far."
        )
    return torch.stack(
        [fill_from_around(d, h) if bool(h.any()) else d for d, h in zip(depth, hole, strict=True)]
    )


def _lines(geometry: Mapping[str, Any], is_sky: Tensor, hole: Tensor, holes: str) -> list[str]:
    """What came and how it is read.

    Raises:
        ValueError: holes that are refused.
    """
    frames = count_frames(len(hole))
    mode = geometry.get("mode")
    lines = [f"Geometry of {frames}, {hole.shape[2]} x {hole.shape[1]} px{f', {mode}' if mode else ''}."]
    if mode == "mono" and len(hole) > 1:
        lines.append(
            "Each frame was seen by itself, so its scale may drift from the next: if the blur flickers, use "
            "the mode multiview, or steady the disparity."
        )
    if bool(is_sky.any()):
        lines.append(f"Sky: {_share(is_sky)} of all pixels; disparity 0.")
    if bool(hole.any()):
        if holes == "refuse":
            t, row, column = hole.nonzero()[0].tolist()
            raise ValueError(
                f"{_share(hole)} of the geometry's pixels have no depth (masked, infinite, NaN, or 0 or "
                f"less), first in frame {t} at column {column}, row {row}. If they are sky set holes to far, "
                "else to fill from around."
            )
        treated = "taken as infinitely far" if holes == "far" else "filled from around"
        lines.append(f"Without depth: {_share(hole)} of all pixels; {treated}.")
    return lines


def _share(where: Tensor) -> str:
    return percent(where.float().mean(dtype=torch.float64).item())


def _confidence(certainty: Tensor | None, mask: Tensor | None, shape: torch.Size) -> Tensor:
    """In [0, 1] over the clip."""
    if certainty is not None:
        values = certainty.nan_to_num(0, 0, 0)
        low, high = (value.item() for value in values.aminmax())
        sure = (values - low) / (high - low) if high > low else torch.ones(shape)
    else:
        sure = torch.ones(shape)
    return sure if mask is None else sure * mask


def _intrinsics(given: Any, count: int, shape: torch.Size) -> tuple[Tensor | None, str]:
    """Intrinsics of every frame divided by the picture's size, and the field of view in words."""
    if given is None:
        return None, ""
    values = as_plain_float(given, "intrinsics of the geometry").cpu()
    if values.ndim < 2 or values.shape[-2:] != (3, 3) or values.numel() // 9 not in (1, count, shape[0]):
        raise ValueError(
            f"intrinsics of the geometry have the shape {tuple(values.shape)}; they must be one 3 x 3 "
            "matrix a frame."
        )
    values = values.reshape(-1, 3, 3).clone()
    if values[:, :2, 2].max().item() > _MOST_NORMALISED:
        values[:, 0] /= shape[2]
        values[:, 1] /= shape[1]
    focal, centre = values[:, 0, 0], values[:, :2, 2]
    if (
        not bool(values.isfinite().all())
        or focal.min().item() <= 0
        or not bool(((centre > 0) & (centre < 1)).all())
    ):
        return None, "Warning: the intrinsics are not those of this picture and are left out."
    degrees = torch.rad2deg(2 * torch.atan(0.5 / focal))
    low, high = (value.item() for value in degrees.aminmax())
    seen = f"{low:.1f}" if high - low < 0.05 else f"{low:.1f} to {high:.1f}"
    values = broadcast_over_frames(values, count, "intrinsics")
    return values, f"The camera sees {seen} degrees from left to right."
