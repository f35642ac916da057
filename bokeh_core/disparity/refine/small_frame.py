"""A frame and its map as the refinement looks at them: no larger than motion is looked for."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from ...motion.flow import GreyFrame, grey_frame, size_of_search, small_colours
from .around import highest, lowest

_STEEP = 0.02


@dataclass(frozen=True)
class SmallFrame:
    """A frame, shrunk where it is large.

    Attributes:
        colours: [h, w, 3].
        grey: what the flow is computed from.
    """

    colours: Tensor
    grey: GreyFrame


@dataclass(frozen=True)
class SmallMap:
    """A map of the size of a `SmallFrame`.

    Attributes:
        disparity: [h, w], each value one of the map's own.
        flat: [h, w] in [0, 1]; 0 where the map is so steep that a px more or less makes another disparity.
    """

    disparity: Tensor
    flat: Tensor


def small_frame(frame: Tensor) -> SmallFrame:
    """Shrink a frame [H, W, C] in [0, 1]; alpha is left out."""
    colours = small_colours(frame)
    return SmallFrame(colours, grey_frame(colours))


def small_map(disparity: Tensor) -> SmallMap:
    """Shrink a map [H, W]."""
    small = shrunk(disparity)
    around = highest(small, 1) - lowest(small, 1)
    return SmallMap(small, (1 - around / _STEEP).clamp(0, 1))


def shrunk(disparity: Tensor) -> Tensor:
    """A map [H, W] of the size of a `SmallFrame`, each value one of its own."""
    size = size_of_search(disparity.shape[0], disparity.shape[1])
    if size == disparity.shape:
        return disparity
    return F.interpolate(disparity[None, None], size, mode="nearest-exact")[0, 0]
