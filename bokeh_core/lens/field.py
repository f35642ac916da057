"""A lens kernel that changes across the frame: cat-eye and swirl towards the corners."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..progress import Check, no_check
from .aperture import Aperture, lens_kernel
from .areas import Area, part_of
from .convolve import spread

_NODES_PER_SIDE = 5
# Shapes that turn differ more from one place to the next.
_NODES_PER_SIDE_OF_SWIRL = 13


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

    Kernels are made at 5 x 5 nodes, with swirl at 13 x 13; each pixel spreads by a bilinear mixture of the
    four around it.

    Args:
        planes: [C, ..., h, w], a part of the frame.
        radius_px: signed blur radius.
        area: (rows, columns) of the part within the frame.
        aperture: shape of the opening.
        frame_size: (H, W) of the whole frame in px.
        check: called before each node; may raise to stop.
    """
    result = torch.zeros_like(planes)
    height, width = frame_size
    diagonal = math.hypot(height, width) or 1.0
    nodes = _NODES_PER_SIDE_OF_SWIRL if aperture.swirl > 0 else _NODES_PER_SIDE
    for row in _hats(area[0], height, planes, nodes):
        for column in _hats(area[1], width, planes, nodes):
            check()
            field = ((2 * column.node_px - width) / diagonal, (2 * row.node_px - height) / diagonal)
            kernel = lens_kernel(aperture, radius_px, field)
            reach = kernel.shape[0] // 2
            part = (row.support(reach), column.support(reach))
            weighted = part_of(planes, part) * row.weight[part[0], None] * column.weight[None, part[1]]
            part_of(result, part).add_(spread(weighted, kernel))
    return result


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


def _hats(span: slice, length: int, like: Tensor, nodes: int) -> list[_Hat]:
    """Linear hat functions over the span, those that are 0 all over it left out."""
    position = torch.arange(span.start, span.stop, device=like.device, dtype=like.dtype) + 0.5
    spacing = length / (nodes - 1)
    hats = []
    for node in range(nodes):
        node_px = node * spacing
        first = max(math.floor(node_px - spacing - 0.5) + 1, span.start)
        last = min(math.ceil(node_px + spacing - 0.5), span.stop) - 1
        if first <= last:
            weight = (1 - (position - node_px).abs() / spacing).clamp(min=0)
            hats.append(_Hat(node_px, weight, first - span.start, last - span.start))
    return hats
