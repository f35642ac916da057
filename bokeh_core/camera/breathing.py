"""Breathing: the picture grows about its middle as the focus comes nearer."""

import torch
from torch import Tensor

from ..setting_checks import require_number

_MOST_MAGNIFICATION = 4.0


def breathe(frame: Tensor, magnification: float) -> Tensor:
    """Magnify a frame about its middle, at its size; what leaves the frame is lost.

    The blurred picture is what is resampled, once, and not what is rendered from: depth has no values between
    those of two surfaces, and a renderer that blurs sharp frames would work on softer ones.

    Args:
        frame: [H, W, C], any brightness.
        magnification: 1 = the frame comes back bit for bit; up to 4.

    Returns:
        [H, W, C], by cubic interpolation (Catmull-Rom), nowhere brighter or darker than the frame.

    Raises:
        ValueError: a magnification outside of 1 to 4.
    """
    require_number("The magnification by breathing", magnification, 1, _MOST_MAGNIFICATION)
    if magnification == 1:
        return frame
    grown = _along(_along(frame, magnification, 0), magnification, 1)
    # Cubic interpolation overshoots at contours.
    return grown.clamp(frame.amin((0, 1)), frame.amax((0, 1)))


def _along(values: Tensor, magnification: float, dim: int) -> Tensor:
    """Values magnified about the middle of one dimension."""
    length = values.shape[dim]
    middle = (length - 1) / 2
    places = middle + (torch.arange(length, dtype=torch.float64) - middle) / magnification
    first = places.floor()
    x = (places - first).to(values)
    # Weights of the four neighbours of a cubic that passes through all of them and reproduces slopes.
    weights = (
        x * (-0.5 + x * (1 - 0.5 * x)),
        1 + x * x * (1.5 * x - 2.5),
        x * (0.5 + x * (2 - 1.5 * x)),
        x * x * (0.5 * x - 0.5),
    )
    shape = [-1 if d == dim else 1 for d in range(values.ndim)]
    index = first.long()
    total = torch.zeros_like(values)
    for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
        neighbour = (index + offset).clamp(0, length - 1).to(values.device)
        total += values.index_select(dim, neighbour) * weight.reshape(shape)
    return total
