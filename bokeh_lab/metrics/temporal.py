"""Likeness of the change from frame to frame: RM, the relation metric."""

import torch

from .clip_pair import ClipPair, frame_chunks
from .missing import Missing, Value

_PAIRS_AT_ONCE = 8


def rm(pair: ClipPair, device: torch.device | str = "cpu") -> Value:
    """Mean absolute error of the frame differences, |(p[t+1] - p[t]) - (g[t+1] - g[t])|, values in [0, 1]."""
    if pair.num_frames < 2:
        return Missing("needs 2 frames")
    total = 0.0
    for part in frame_chunks(pair.num_frames - 1, _PAIRS_AT_ONCE):
        frames = slice(part.start, part.stop + 1)
        change = pair.prediction[frames].to(device).diff(dim=0) - pair.truth[frames].to(device).diff(dim=0)
        total += float(change.abs().mean(dim=(1, 2, 3)).sum())
    return total / (pair.num_frames - 1)
