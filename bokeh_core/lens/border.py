"""How a slab spreads: as if the frame had no outside, or with samples that go on beyond its border."""

import hashlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..progress import Check, no_check
from .aperture import Aperture, kernel_reach_px
from .areas import Area, inside, part_of
from .byte_cache import ByteCache
from .convolve import spread_in_darkness
from .field import spread_over_field

Shares = tuple[tuple[Area, Tensor], ...]
_CACHE_BYTES = 192 * 2**20


def spread_within_frame(
    planes: Tensor, kernel: np.ndarray, area: Area, target: Area, frame_size: tuple[int, int]
) -> Tensor:
    """Let every pixel spread in the shape of `kernel`, as if the frame had no outside.

    At a pixel near the border a part of the kernel lies outside. The result is divided by the share that lies
    inside: the mean of what can be seen, as for rays that leave the frame in Eq. 6 of the paper.

    Args:
        planes: [C, ..., h, w], a part of the frame; there is no light beyond.
        kernel: [k, k] float32, k odd, sum 1.
        area: (rows, columns) of the planes within the frame.
        target: (rows, columns) to return, no farther from the planes than the kernel reaches.
        frame_size: (H, W) of the frame in px.

    Returns:
        [C, ..., h', w'], the light in `target`.
    """
    blurred = spread_in_darkness(planes, kernel, inside(target, area))
    _divide_near_border(blurred, kernel, target, frame_size)
    return blurred


def spread_field_within_frame(
    planes: Tensor,
    radius_px: float,
    area: Area,
    target: Area,
    *,
    aperture: Aperture,
    frame_size: tuple[int, int],
    beyond_frame: bool = False,
    check: Check = no_check,
) -> Tensor:
    """The same with a kernel that changes across the frame, see `spread_over_field`.

    With `beyond_frame` the planes go on beyond the border, and nothing is divided.
    """
    reach = kernel_reach_px(aperture, radius_px)
    padded, surroundings = _with_surroundings(planes, area, target, reach)
    if beyond_frame:
        blurred = spread_over_field(
            padded, radius_px, surroundings, aperture=aperture, frame_size=frame_size, check=check
        )
        return part_of(blurred, inside(target, surroundings))
    rows, columns = (torch.arange(span.start, span.stop, device=planes.device) for span in surroundings)
    within = ((rows >= 0) & (rows < frame_size[0]))[:, None] & (columns >= 0) & (columns < frame_size[1])
    # The share of each pixel's light that stays inside needs the same mixture of kernels.
    with_share = torch.cat([padded, within.to(planes).expand_as(padded[:1])])
    blurred = spread_over_field(
        with_share, radius_px, surroundings, aperture=aperture, frame_size=frame_size, check=check
    )
    blurred = part_of(blurred, inside(target, surroundings))
    return blurred[:-1] / blurred[-1:]


def _with_surroundings(planes: Tensor, area: Area, target: Area, reach: int) -> tuple[Tensor, Area]:
    """Put darkness around planes [C, ..., h, w] at `area` of the frame, up to a distance from the target.

    Returns:
        The planes, and the area that they fill; it may begin before the frame and end behind it.
    """
    pads: list[tuple[int, int]] = []
    spans: list[slice] = []
    for span, part in zip(area, target, strict=True):
        before, after = max(span.start - part.start + reach, 0), max(part.stop + reach - span.stop, 0)
        pads.append((before, after))
        spans.append(slice(span.start - before, span.stop + after))
    return F.pad(planes, (*pads[1], *pads[0])), (spans[0], spans[1])


def _divide_near_border(blurred: Tensor, kernel: np.ndarray, area: Area, frame_size: tuple[int, int]) -> None:
    """Divide [C, ..., h, w] by the share of the kernel inside the frame, where that is not all of it."""
    taps = np.ascontiguousarray(kernel, np.float32)
    # By their digest: the taps themselves would be kept as often as they are asked for.
    key = (hashlib.blake2b(taps.tobytes(), digest_size=16).digest(), kernel.shape[0], *frame_size)
    strips = BORDER_SHARES.get(key, lambda: _shares_near_border(taps, *frame_size))
    for strip, share in strips:
        rows, columns = (_common(span, part) for span, part in zip(strip, area, strict=True))
        if rows.start < rows.stop and columns.start < columns.stop:
            here = part_of(blurred, inside((rows, columns), area))
            here /= share[inside((rows, columns), strip)].to(blurred.device)


def _bytes_of(strips: Shares) -> int:
    return sum(share.numel() * share.element_size() for _, share in strips)


BORDER_SHARES: ByteCache[Shares] = ByteCache(_CACHE_BYTES, _bytes_of)
"""Shares that were made last: a clip asks for the same ones in every frame."""


def _shares_near_border(taps: np.ndarray, height: int, width: int) -> Shares:
    """Share of a kernel [side, side] inside a frame, in the strips along its border where it is not 1."""
    side = taps.shape[0]
    # Seen from a pixel the light comes through the mirrored kernel.
    table = np.zeros((side + 1, side + 1))
    table[1:, 1:] = taps[::-1, ::-1].cumsum(0, np.float64).cumsum(1)
    (top, bottom), (left, right) = (_taps_inside(length, side // 2) for length in (height, width))
    row_strips, column_strips = (_near_ends(length, side // 2) for length in (height, width))
    between = slice(row_strips[0].stop, row_strips[-1].start if len(row_strips) > 1 else height)
    strips = [(rows, slice(0, width)) for rows in row_strips]
    strips += [(between, columns) for columns in column_strips]
    shares = []
    for rows, columns in strips:
        (y0, y1), (x0, x1) = (top[rows], bottom[rows]), (left[columns], right[columns])
        share = table[np.ix_(y1, x1)] - table[np.ix_(y0, x1)] - table[np.ix_(y1, x0)] + table[np.ix_(y0, x0)]
        shares.append(((rows, columns), torch.from_numpy(share.astype(np.float32))))
    return tuple(shares)


def _near_ends(length: int, reach: int) -> list[slice]:
    """Positions from which something within reach lies outside [0, length)."""
    if length <= 2 * reach:
        return [slice(0, length)]
    return [slice(0, reach), slice(length - reach, length)]


def _taps_inside(length: int, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """First tap of the kernel inside the frame, and the one after the last, for each row or column."""
    position = np.arange(length)
    return np.maximum(reach - position, 0), np.minimum(reach + length - position, 2 * reach + 1)


def _common(one: slice, other: slice) -> slice:
    return slice(max(one.start, other.start), min(one.stop, other.stop))
