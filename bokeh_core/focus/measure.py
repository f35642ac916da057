"""What one map says of a subject: the disparity at a point of it, or inside a mask."""

import torch
from torch import Tensor

from ..clip.masks import INSIDE_MASK, resize_mask

_TRIMMED_FRACTION = 0.2
# Sorting more pixels of a mask takes longer and moves the mean in the fourth digit.
_MAX_MASK_SAMPLES = 65_536
# Two surfaces in one disk: that much of it lies that far from the disparity that was taken.
_OTHER_SURFACE = 0.1
_LEAST_OTHER_SHARE = 0.25


def disk_at(disparity: Tensor, x_px: int, y_px: int, radius_px: int) -> Tensor:
    """Return the values [N] of a map [H, W] in a disk around a pixel, cut at the border."""
    height, width = disparity.shape
    top, left = max(y_px - radius_px, 0), max(x_px - radius_px, 0)
    window = disparity[top : min(y_px + radius_px + 1, height), left : min(x_px + radius_px + 1, width)]
    rows = torch.arange(top, top + window.shape[0])[:, None] - y_px
    columns = torch.arange(left, left + window.shape[1])[None, :] - x_px
    disk = (rows**2 + columns**2 <= radius_px**2).to(window.device)
    return window[disk]


def surface_in(disk: Tensor) -> tuple[float, float]:
    """Return the disparity of what lies in a disk [N], and that of another surface in it.

    The first is the median, of an even count the lower one: a disk across an edge picks one of the two
    surfaces and never the empty space between. The second is the median of what lies more than 0.1 away from
    it, or NaN where that is less than a quarter of the disk.
    """
    median = disk.median()
    other = disk[(disk - median).abs() > _OTHER_SURFACE]
    if len(other) < _LEAST_OTHER_SHARE * len(disk):
        return median.item(), torch.nan
    return median.item(), other.median().item()


def mean_inside(disparity: Tensor, mask: Tensor) -> float:
    """Mean of a map [H, W] inside a mask [h, w] in [0, 1], without its extremes; NaN if the mask is empty.

    Pixels count where the mask, resized to the map, is at least 0.5, weighted by it; the lowest and highest
    20 % of that weight are left out.
    """
    weight = resize_mask(mask, *disparity.shape)[0].to(disparity)
    inside = weight >= INSIDE_MASK
    if not bool(inside.any()):
        return torch.nan
    return _trimmed_mean(disparity[inside], weight[inside]).item()


def hold_gaps(values: Tensor) -> Tensor:
    """Fill NaN in values [T] from the last number before, leading ones from the first number."""
    known = ~values.isnan()
    frames = torch.arange(len(values))
    last_known = torch.where(known, frames, -1).cummax(0).values
    first_known = int(known.nonzero()[0])
    return values[last_known.clamp_min(first_known)]


def _trimmed_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of values [N] weighted by weights [N] > 0 without the outer weight on either side."""
    stride = -(-len(values) // _MAX_MASK_SAMPLES)
    ordered, order = values[::stride].double().sort()
    weight = weights[::stride].double()[order]
    upper = weight.cumsum(0)
    total = upper[-1]
    # Each sample keeps the part of its weight that falls inside the central interval, so a
    # single pixel, or two, still have a mean.
    kept_upper = upper.clamp_max((1 - _TRIMMED_FRACTION) * total)
    kept_lower = (upper - weight).clamp_min(_TRIMMED_FRACTION * total)
    kept = (kept_upper - kept_lower).clamp_min(0)
    return (ordered * kept).sum() / kept.sum()
