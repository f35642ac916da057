"""Pictures of the frames' own size, mixed pixel by pixel by gates that a network has learned."""

from __future__ import annotations

import torch
from torch import Tensor

from .along_contours import AlongContours
from .disks import NUM_DISKS, RADII_PX, blurred_copies

GATES = NUM_DISKS
"""Channels of a decoder whose output is gates: how much of each disk's copy replaces the lens picture."""

WORKING_SIZE_PX = (448, 256)
"""Width and height whose area the network works at; larger frames are shrunk to it."""

# Differences that tell surfaces apart: of the blur radius in px at the working size, and of display values.
_RADIUS_STEP_PX = 1.0
_LUMA_STEP = 0.2


def mixed(
    gates: Tensor,
    picture: Tensor,
    frames: Tensor,
    *,
    radius_px: Tensor,
    small_radius_px: Tensor,
    seen: Tensor,
    small_seen: Tensor,
    scale: float,
    beyond_frame: bool,
) -> Tensor:
    """The lens picture, of which gates put the copies of some disks in place.

    Where all gates are 0 it is the lens picture, where their sum is 1 nothing of that is left. A disk far
    wider than all blur of a frame has no part in it.

    Args:
        gates: [N, `GATES`, h, w] at the working size.
        picture: the frames through a lens, light, [N, C, H, W].
        frames: all in focus, light, [N, C, H, W].
        radius_px: signed blur radius of each pixel in px at the working size, [N, 1, H, W].
        small_radius_px: the same at the working size, [N, 1, h, w].
        seen: the frames' luma as display values, [N, 1, H, W].
        small_seen: the same at the working size, [N, 1, h, w].
        scale: px of the frames in a px of the working size.
        beyond_frame: see `blurred_copies`.

    Returns:
        Light, [N, C, H, W].
    """
    enlarge = AlongContours(_guide(small_radius_px, small_seen), _guide(radius_px, seen))
    gates = gates.float() * _in_reach(small_radius_px)
    change = torch.zeros_like(picture)
    for numbers, copies in blurred_copies(frames, scale, beyond_frame):
        part = enlarge(gates[:, numbers.start : numbers.stop])
        change = change + (part[:, :, None] * (copies - picture[:, None])).sum(1)
    return picture + change


def _guide(radius_px: Tensor, seen: Tensor) -> Tensor:
    return torch.cat([radius_px / _RADIUS_STEP_PX, seen / _LUMA_STEP], dim=1)


def _in_reach(radius_px: Tensor) -> Tensor:
    """For each disk 1 where the frame has blur as wide, 0 where none is wider than the next narrower disk.

    The sharp copy, too, has no part in a frame without blur.
    """
    widest_px = radius_px.abs().amax((1, 2, 3), keepdim=True)
    narrower, own = (
        torch.tensor(radii, device=radius_px.device, dtype=radius_px.dtype)[:, None, None]
        for radii in ((0.0, *RADII_PX[:-1]), (RADII_PX[1], *RADII_PX[1:]))
    )
    return ((widest_px - narrower) / (own - narrower)).clamp(0, 1)
