"""Frames -> DISPARITY by a depth model."""

from __future__ import annotations

import torch
from torch import Tensor

from ..clip.checks import checked_frames
from ..clip.letterbox import picture_area
from ..progress import Progress, no_progress
from .estimator import EACH_BY_ITSELF, DepthEstimator, estimated
from .meaning import DepthMeaning
from .prepare import PreparedDisparity, prepare_disparity
from .refine import RefineSettings, refine_clip


def estimate_disparity(
    frames: Tensor,
    estimator: DepthEstimator,
    meaning: DepthMeaning,
    *,
    at_once: int = 1,
    refine: RefineSettings | None = None,
    progress: Progress = no_progress,
) -> PreparedDisparity:
    """Estimate every frame by itself, normalise over the whole clip, and refine by the frames.

    Args:
        frames: [T, H, W, C] in [0, 1]; alpha is ignored.
        estimator: the model, where it shall compute.
        meaning: of the model's maps, see `EstimatorFiles.meaning`.
        at_once: frames that the model takes together.
        refine: how the maps are steadied and their outlines put on the picture's; None leaves them.
        progress: told of frames; may raise to stop.

    Returns:
        Disparity of the size of the frames.

    Raises:
        ValueError: see `checked_frames` and `prepare_disparity`.
    """
    frames = checked_frames(frames)
    count, height, width, _ = frames.shape
    values = torch.empty(count, *estimator.size_of((height, width)))
    for t, found in enumerate(estimated(estimator, iter(frames), at_once)):
        values[t] = found
        progress(t + 1, count)
    prepared = prepare_disparity(
        values,
        meaning.source,
        meaning.polarity,
        meaning.normalisation,
        height=height,
        width=width,
        area=picture_area(frames),
    )
    if refine is not None:
        refined = refine_clip(frames, prepared.disparity, refine, progress=progress)
        return PreparedDisparity(refined.disparity, f"{prepared.report}\n{refined.report}")
    report = f"{prepared.report}\n{EACH_BY_ITSELF}" if count > 1 else prepared.report
    return PreparedDisparity(prepared.disparity, report)
