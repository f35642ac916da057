"""Push-pull interpolation: spread known samples smoothly over unknown pixels."""

import torch
from torch import Tensor

from .backend import backend_of

_EPSILON = 1e-6


def push_pull(values: Tensor, weights: Tensor, enough: float = 0.25) -> Tensor:
    """Fill pixels of low weight from ever coarser weighted means of the others.

    Args:
        values: [C, ..., H, W], at most one dimension of frames between.
        weights: [1, ..., H, W] in [0, 1]; 1 keeps a value, 0 replaces it.
        enough: mean weight of 2 x 2 pixels that together count as known; at least that of one known pixel.

    Returns:
        [C, ..., H, W]. Where no pixel has weight the result is 0.
    """
    backend = backend_of(values.device)
    pushed = values * weights
    shape, weights = pushed.shape, weights.flatten(0, -3)
    # Of all frames' planes; each plane of values has the weights of its frame.
    pushed = pushed.reshape(-1, *weights.shape)
    levels = [(pushed, weights)]
    while max(pushed.shape[-2:]) > 1:
        # Odd sides: the last row or column pools over what is there, so the means stay weighted means.
        weights = backend.halved(weights)
        pushed = backend.halved(pushed.flatten(0, 1)).view(-1, *weights.shape)
        # A pixel that has enough of a sample at this level counts as known: the level answers for it.
        scale = torch.clamp(weights / enough, max=1) / torch.clamp(weights, min=_EPSILON)
        pushed, weights = pushed * scale, weights * scale
        levels.append((pushed, weights))

    pushed, weights = levels[-1]
    filled = pushed / torch.clamp(weights, min=_EPSILON)
    for pushed, weights in reversed(levels[:-1]):
        height, width = pushed.shape[-2:]
        coarse = backend.enlarged(filled.flatten(0, 1), (height, width)).view_as(pushed)
        filled = pushed + (1 - weights) * coarse
    return filled.view(shape)
