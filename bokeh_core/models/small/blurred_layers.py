"""A frame as a foreground over a background, each blurred by disks of fixed radii."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .disks import NUM_DISKS, RADII_PX, Disks, shares_of_radii

NUM_LAYERED = 2
"""Pictures that `near_over_far` gives."""

# A pixel beside one whose radius is greater by more than this (px) may show some of that nearer surface. It
# loses weight in the picture without outlines, from twice of this on all of it.
_OUTLINE_PX = 0.5
_OUTLINE_WINDOW = 3

# A mean over less than this part of its disk is not trusted alone.
_FEW = 0.05
_NONE = 1e-4


def near_over_far(frames: Tensor, radius_px: Tensor, disks: Disks) -> list[Tensor]:
    """What is near, scattered over a background that only what is not near contributes to, [N, C, H, W] each.

    Behind what is near the background goes on as around it. In the second picture it is also taken from
    around there along the outlines of whatever lies in front of it: thin things leave no trace in it, and its
    outlines are coarse.

    Args:
        frames: [N, C, H, W], all in focus.
        radius_px: signed blur radius, [N, 1, H, W], near positive.
        disks: for these frames.
    """
    frames, radius_px = frames.float(), radius_px.float()
    # What is blurred by none of the first radius is in focus, and counts as background.
    near_shares = shares_of_radii(radius_px.clamp(min=0))[:, 1:]
    far = 1 - near_shares.sum(dim=1, keepdim=True)
    near, cover = torch.zeros_like(frames), torch.zeros_like(radius_px)
    for number, share in enumerate(near_shares.split(1, dim=1), start=1):
        inside = disks.inside(number)
        near += disks.blur(frames * share, number) / inside
        cover += disks.blur(share, number) / inside
    near /= cover.clamp(min=1)
    seen = (1 - cover).clamp(min=0)
    size_px = -radius_px.clamp(max=0)
    return [
        near + seen * _background(frames, size_px, weight, disks)
        for weight in (far, far * (1 - _outlines(radius_px)))
    ]


def _outlines(radius_px: Tensor) -> Tensor:
    """1 where a pixel may show some of a nearer surface beside it, [N, 1, H, W]."""
    nearest = F.max_pool2d(radius_px, _OUTLINE_WINDOW, stride=1, padding=_OUTLINE_WINDOW // 2)
    return ((nearest - radius_px - _OUTLINE_PX) / _OUTLINE_PX).clamp(0, 1)


def _background(frames: Tensor, size_px: Tensor, weight: Tensor, disks: Disks) -> Tensor:
    """Samples with weight, each pixel the mean over a disk of its own radius, or of the radius around it."""
    filled = _filled(torch.cat([frames, size_px], dim=1), weight, disks)
    sharp, around_px = filled.split([frames.shape[1], 1], dim=1)
    shares = shares_of_radii(around_px.clamp(min=0))
    background = shares[:, :1] * sharp
    for number in range(1, NUM_DISKS):
        # What is less blurred lies in front, and does not spread that far.
        below, above = RADII_PX[number - 1], RADII_PX[number]
        reaches = ((size_px - below) / (above - below)).clamp(0, 1)
        mean, trust = _mean(frames, weight * reaches, number, disks)
        background += shares[:, number : number + 1] * (trust * mean + (1 - trust) * sharp)
    return background


def _filled(values: Tensor, weight: Tensor, disks: Disks) -> Tensor:
    """Values that have weight, else the mean over the least disk that finds some; 0 where none does."""
    filled, missing = torch.zeros_like(values), torch.ones_like(weight)
    for number in range(NUM_DISKS):
        mean, trust = _mean(values, weight, number, disks)
        filled += missing * trust * mean
        missing = missing * (1 - trust)
    return filled / (1 - missing).clamp(min=_NONE)


def _mean(values: Tensor, weight: Tensor, number: int, disks: Disks) -> tuple[Tensor, Tensor]:
    """Weighted mean over a disk, and how far to trust it, 0 to 1."""
    found = disks.blur(weight, number)
    mean = disks.blur(values * weight, number) / found.clamp(min=_NONE)
    return mean, (found / _FEW).clamp(0, 1)
