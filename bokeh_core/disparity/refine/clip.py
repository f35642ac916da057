"""Refine Disparity over a clip in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...clip.checks import checked_frames, checked_maps, checked_masks
from ...clip.lengths import broadcast_over_frames, require_clip_length
from ...clip.masks import resize_mask
from ...motion.cuts import is_cut
from ...progress import Progress, no_progress
from .flicker import IsCut, in_span
from .report import RefineReport
from .settings import RefineSettings
from .subject import INSIDE
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
    subject: Tensor | None = None,
    is_cut: IsCut = is_cut,
    progress: Progress = no_progress,
) -> RefinedDisparity:
    """Steady a clip's disparity, and restore what single frames lack from those around.

    Each shot keeps the disparity of its nearest and its farthest point.

    Args:
        frames: [T, H, W, C] in [0, 1]; alpha is ignored.
        disparity: [T, H, W] in [0, 1], 1 = near; or [1, H, W] for all frames.
        settings: what to do; None = the default.
        subject: masks [T, H, W] in [0, 1] of what shall be whole in the disparity, or one for all frames;
            resized to the frames. See `with_whole_subject`.
        is_cut: see `IsCut`.
        progress: told of frames; may raise to stop.

    Returns:
        float32, on the device of the disparity; with everything off the very values given.

    Raises:
        ValueError: no pictures, no maps, or another number or size of them; masks that are none.
    """
    pictures = checked_frames(frames)
    count, height, width, _ = pictures.shape
    maps = checked_maps(disparity, size=(height, width))
    require_clip_length(len(maps), count, "disparity")
    if len(maps) != count:
        maps = maps.expand(count, -1, -1)
    refiner = DisparityRefiner(settings, is_cut)
    refined = torch.empty(count, height, width, device=maps.device)
    finished = 0
    masks = _masks(subject, count, (height, width))
    for t, (picture, one, mask) in enumerate(zip(pictures, maps, masks, strict=True)):
        for done in refiner.add(picture.to(one.device), one, mask):
            refined[finished] = done
            finished += 1
        progress(t + 1, count)
    for done in refiner.finish():
        refined[finished] = done
        finished += 1
    # In place: a second copy of all maps may not fit.
    spans = refiner.spans()
    for t, one in enumerate(refined):
        one.copy_(in_span(one, t, spans))
    return RefinedDisparity(refined, refiner.report)


def _masks(subject: Tensor | None, count: int, size: tuple[int, int]) -> Sequence[Tensor | None]:
    if subject is None:
        return [None] * count
    masks = resize_mask(checked_masks(subject, "subject mask"), *size)
    if masks.max().item() <= INSIDE:
        raise ValueError(
            "The subject mask is nowhere above 0.5; check the segmenter, or disconnect the mask."
        )
    return list(broadcast_over_frames(masks, count, "subject mask"))


def refine_disparity(frames: Tensor, disparity: Tensor, **settings: bool) -> Tensor:
    """`refine_clip` with the fields of `RefineSettings` by name; returns float32 [T, H, W]."""
    return refine_clip(frames, disparity, RefineSettings(**settings)).disparity
