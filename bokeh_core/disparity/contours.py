"""How soft the contours of maps are: over how many px they rise, and how many of them are ramps."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .extremes import Plane, highest_around, lowest_around

# Of a contour's rise, what each of two neighbouring px has at least where it is a ramp.
_RAMP_SHARE = 0.2


def contour_widths_px(values: Plane, reach_px: int, least_rise: float) -> Plane:
    """Over how many px contours rise: the rise within reach over the slope, where that is steepest.

    Along a contour that runs with rows or columns 1 is a step; on a slant a step is less. What rises all over
    a window has the width of the window, or of as much of it as lies inside.

    Args:
        values: [H, W].
        reach_px: of the window around each pixel, to each side.
        least_rise: contours that rise by less do not count.

    Returns:
        [H - 1, W - 1], 0 where no contour is steepest.
    """
    across, down = np.abs(np.diff(values, axis=1))[:-1], np.abs(np.diff(values, axis=0))[:, :-1]
    slope = np.hypot(across, down)
    if slope.size == 0:
        return slope
    rise = (highest_around(values, reach_px) - lowest_around(values, reach_px))[:-1, :-1]
    steepest = (slope > 0) & (slope >= highest_around(slope, reach_px)) & (rise > least_rise)
    return np.divide(rise, slope, out=np.zeros_like(slope), where=steepest)


def share_of_ramps(values: Tensor, least_rise: float) -> Tensor:
    """Of the contours that cross a row or a column, the share [...] that rises over more than one pixel.

    Computed where the maps are, without a question to the device. At most 0.13 in maps at the centres of
    pixels, at least 0.28 in those that were resampled.

    Args:
        values: [..., H, W].
        least_rise: contours that rise by less do not count.

    Returns:
        [...] in [0, 1]; 1 where there is no contour, as nothing says that it is crisp.
    """
    ramps, steps = [], []
    for dim in (-1, -2):
        rise = values.diff(dim=dim)
        pairs = max(0, rise.shape[dim] - 1)
        first, second = rise.narrow(dim, 0, pairs), rise.narrow(dim, rise.shape[dim] - pairs, pairs)
        whole = (first + second).abs()
        # Both parts rise the same way.
        less = torch.minimum(first * second.sign(), second * first.sign())
        ramps.append(((whole > least_rise) & (less > _RAMP_SHARE * whole)).flatten(-2).sum(-1))
        steps.append((rise.abs() > least_rise).flatten(-2).sum(-1))
    ramp, step = ramps[0] + ramps[1], steps[0] + steps[1]
    return torch.where(step > 0, ramp / (ramp + step).clamp(min=1), 1.0)
