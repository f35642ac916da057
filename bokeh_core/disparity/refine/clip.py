"""Refine Disparity over a clip in memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...clip.checks import checked_frames, checked_maps
from ...clip.lengths import require_clip_length
from ...motion.cuts import is_cut
from ...progress import Progress, no_progress
from .flicker import IsCut, in_span
from .report import RefineReport
from .settings import RefineSettings
from .window import DisparityRefiner


@dataclass(frozen=True)
class RefinedDisparity:
    """A refined clip.

    Attributes:
        disparity: [T, H, W] in [0, 1], 1 = near.
        report: what was done.
    """

    disparity: Tensor
    report: RefineReport


def refine_clip(
    frames: Tensor,
    disparity: Tensor,
    settings: RefineSettings | None = None,
    *,
    is_cut: IsCut = is_cut,
    progress: Progress = no_progress,
) -> RefinedDisparity:
    """Steady a clip's disparity, and restore what single frames lack from those around.

    Each shot keeps the disparity of its nearest and its farthest point.

    Args:
        frames: [T, H, W, C] in [0, 1]; alpha is ignored.
        disparity: [T, H, W] in [0, 1], 1 = near; or [1, H, W] for all frames.
        settings: what to do; None = the default.
        is_cut: see `IsCut`.
        progress: told of frames; may raise to stop.

    Returns:
        float32, on the device of the disparity; with everything off the very values given.

    Raises:
        ValueError: no pictures, no maps, or another number or size of them.
    """
    pictures = checked_frames(frames)
    count, height, width, _ = pictures.shape
    maps = checked_maps(disparity, size=(height, width))
    require_clip_length(len(maps), count, "disparity")
    if len(maps) != count:
        maps = maps.expand(count, -1, -1)
    refiner = DisparityRefiner(settings, is_cut)
    refined: list[Tensor] = []
    for t, (picture, one) in enumerate(zip(pictures, maps, strict=True)):
        refined += refiner.add(picture.to(one.device), one)
        progress(t + 1, count)
    refined += refiner.finish()
    spans = refiner.spans()
    return RefinedDisparity(
        torch.stack([in_span(one, t, spans) for t, one in enumerate(refined)]), refiner.report
    )


def refine_disparity(frames: Tensor, disparity: Tensor, **settings: bool) -> Tensor:
    """`refine_clip` with the fields of `RefineSettings` by name; returns float32 [T, H, W]."""
    return refine_clip(frames, disparity, RefineSettings(**settings)).disparity
