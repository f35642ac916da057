"""A lens kernel that changes across the frame: cat-eye and swirl towards the corners."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..progress import Check, no_check
from .aperture import Aperture, half_axes_px, lens_kernel
from .areas import Area, part_of
from .convolve import spread

# How far outlines of kernels at neighbouring nodes may be from each other, as their mixture shows both: px,
# or a share of the radius where that is more, as large blurs would take too many kernels.
_STEP_PX, _STEP_OF_RADIUS = 1.5, 0.1
_FEWEST_STEPS = 2


def spread_over_field(
    planes: Tensor,
    radius_px: float,
    area: Area,
    *,
    aperture: Aperture,
    frame_size: tuple[int, int],
    check: Check = no_check,
) -> Tensor:
    """Spread every pixel by the kernel of its place in the frame.

    Kernels are made at nodes, the more of them the larger the blur; each pixel spreads by a bilinear mixture
    of the four around it.

    Args:
        planes: [C, ..., h, w], a part of the frame.
        radius_px: signed blur radius.
        area: (rows, columns) of the part; beyond the frame kernels are those of its border.
        aperture: shape of the opening.
        frame_size: (H, W) of the whole frame in px.
        check: called before each node; may raise to stop.
    """
    result = torch.zeros_like(planes)
    height, width = frame_size
    diagonal = math.hypot(height, width) or 1.0
    steps = _steps_to_corner(aperture, radius_px) * 2 / diagonal
    for row in _hats(area[0], height, planes, steps * height):
        for column in _hats(area[1], width, planes, steps * width):
            check()
            field = ((2 * column.node_px - width) / diagonal, (2 * row.node_px - height) / diagonal)
            kernel = lens_kernel(aperture, radius_px, field)
            reach = kernel.shape[0] // 2
            part = (row.support(reach), column.support(reach))
            weighted = part_of(planes, part) * row.weight[part[0], None] * column.weight[None, part[1]]
            part_of(result, part).add_(spread(weighted, kernel))
    return result


def _steps_to_corner(aperture: Aperture, radius_px: float) -> float:
    """How many times the outline of a kernel moves by as much as it may between the middle and a corner.

    The barrel moves by `cat_eye`. By swirl a half axis becomes sqrt(1 + 2 s h^2) times as long and turns by
    1 / h, either of which moves its end by 2 s / sqrt(1 + 2 s) for each h at h = 1.
    """
    turned = 2 * aperture.swirl / math.sqrt(1 + 2 * aperture.swirl)
    longest_px = max(half_axes_px(aperture, radius_px))
    return longest_px * (aperture.cat_eye + turned) / max(_STEP_PX, _STEP_OF_RADIUS * longest_px)


@dataclass(frozen=True)
class _Hat:
    """How much one node counts for each of the rows or columns of a part.

    Attributes:
        node_px: the node's position in the frame.
        weight: [N], 1 at the node, falling to 0 at its neighbours.
        first, last: where it is greater than 0, known without a look at the weights on their device.
    """

    node_px: float
    weight: Tensor
    first: int
    last: int

    def support(self, reach_px: int) -> slice:
        """The rows or columns that the node's light reaches."""
        return slice(max(self.first - reach_px, 0), min(self.last + reach_px + 1, len(self.weight)))


def _hats(span: slice, length: int, like: Tensor, steps: float) -> list[_Hat]:
    """Linear hat functions on nodes at most a step apart, those that are 0 all over the span left out.

    Beyond the frame they are as at its border.
    """
    position = torch.arange(span.start, span.stop, device=like.device, dtype=like.dtype) + 0.5
    position.clamp_(0, length)
    intervals = max(math.ceil(steps), _FEWEST_STEPS)
    spacing = length / intervals
    hats = []
    for node in range(intervals + 1):
        node_px = node * spacing
        first = max(math.floor(node_px - spacing - 0.5) + 1, span.start) if node > 0 else span.start
        last = min(math.ceil(node_px + spacing - 0.5), span.stop) - 1 if node < intervals else span.stop - 1
        if first <= last:
            weight = (1 - (position - node_px).abs() / spacing).clamp(min=0)
            hats.append(_Hat(node_px, weight, first - span.start, last - span.start))
    return hats
