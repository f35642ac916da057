"""A lens kernel that changes across the frame: the cat-eye towards the corners."""

import math

import torch
from torch import Tensor

from .aperture import Aperture, lens_kernel
from .convolve import spread

_NODES_PER_SIDE = 5


def spread_over_field(
    planes: Tensor,
    radius_px: float,
    area: tuple[slice, slice],
    *,
    aperture: Aperture,
    frame_size: tuple[int, int],
) -> Tensor:
    """Spread every pixel by the kernel of its place in the frame.

    Kernels are made at 5 x 5 nodes; each pixel spreads by a bilinear mixture of the four around it.

    Args:
        planes: [C, h, w], a part of the frame.
        radius_px: signed blur radius.
        area: (rows, columns) of the part within the frame.
        aperture: shape of the opening.
        frame_size: (H, W) of the whole frame in px.
    """
    result = torch.zeros_like(planes)
    height, width = frame_size
    diagonal = math.hypot(height, width) or 1.0
    row_hats = _hats(area[0], height, planes)
    column_hats = _hats(area[1], width, planes)
    for node_y, row_hat in row_hats:
        for node_x, column_hat in column_hats:
            field = ((2 * node_x - width) / diagonal, (2 * node_y - height) / diagonal)
            kernel = lens_kernel(aperture, radius_px, field)
            reach = kernel.shape[0] // 2
            rows, columns = _support(row_hat, reach), _support(column_hat, reach)
            part = (slice(None), rows, columns)
            weighted = planes[part] * row_hat[rows, None] * column_hat[None, columns]
            result[part] += spread(weighted, kernel)
    return result


def _hats(span: slice, length: int, like: Tensor) -> list[tuple[float, Tensor]]:
    """Node positions in px with their linear hat functions over the span, empty ones left out."""
    position = torch.arange(span.start, span.stop, device=like.device, dtype=like.dtype) + 0.5
    spacing = length / (_NODES_PER_SIDE - 1)
    nodes = [i * spacing for i in range(_NODES_PER_SIDE)]
    hats = [(node, (1 - (position - node).abs() / spacing).clamp(min=0)) for node in nodes]
    return [(node, hat) for node, hat in hats if bool((hat > 0).any())]


def _support(hat: Tensor, reach_px: int) -> slice:
    where = hat.nonzero()
    return slice(max(int(where[0]) - reach_px, 0), min(int(where[-1]) + reach_px + 1, len(hat)))
