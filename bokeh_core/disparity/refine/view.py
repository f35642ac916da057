"""What a refinement changed, in colours."""

import torch
from torch import Tensor

# Of disparity: a change by this much, or more, has the full colour.
_FULL = 0.1
_DIMMED = 0.6
_NEARER = (1.0, 0.35, 0.1)
_FARTHER = (0.1, 0.5, 1.0)


def changes_view(before: Tensor, after: Tensor) -> Tensor:
    """Show what came nearer in orange and what went farther in blue, over the dimmed map.

    Args:
        before: [T, H, W] in [0, 1], or [1, H, W] for all frames.
        after: [T, H, W] in [0, 1].

    Returns:
        Pictures [T, H, W, 3] in [0, 1].
    """
    change = ((after - before) / _FULL).clamp(-1, 1)[..., None]
    nearer, farther = (torch.tensor(colour, device=change.device) for colour in (_NEARER, _FARTHER))
    amount = change.abs()
    return _DIMMED * after[..., None] * (1 - amount) + amount * torch.where(change > 0, nearer, farther)
