"""Light beyond white beside the outlines of things: it belongs to a lamp, which has a colour of its own."""

import torch
from torch import Tensor

LIT = 1.1
"""Greatest light of what does not shine itself: white, and as much more as a codec may add beside an edge."""

LEAST_SHARE = 0.03
"""Less of a surface in a pixel is not told from none."""

# A lamp that shares a pixel with something else is seen within so many px of it, squared.
_REACH_SQUARED = 2 * 2**2


def lamps_in(color: Tensor) -> Tensor:
    """Where light [C, ..., H, W] is brighter than what is lit: bool [..., H, W]."""
    return (color[:3] > LIT).any(0)


def split_lamp(
    pixel: Tensor,
    colors: Tensor,
    is_near: Tensor,
    distance_squared: Tensor,
    alpha: Tensor,
    surfaces: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor, Tensor]:
    """Split pixels with light beyond white between the near and the far surface along an outline.

    The lamp is on the side of the brightest pixel around, and no brighter there; the other side has the
    colour of what is lit. So a lamp that is half hidden keeps the light that is seen of it, and the
    blurred edge in front of it does not shine.

    Args:
        pixel: [C, M] linear light.
        colors: [C, M, k*k], windows around the pixels.
        is_near: bool [M, k*k], which pixels of a window are nearer than the middle of the outline.
        distance_squared: [k*k] from the pixel in the middle.
        alpha: [M], share of the near surface.
        surfaces: mean colours [C, M] of the near and the far surface without lamps.

    Returns:
        Near and far colours [C, M], and the share of the near surface [M]: if the lamp is nearer, at least
        what its light in the pixel takes.
    """
    brightness = colors.sum(0).masked_fill(distance_squared > _REACH_SQUARED, -torch.inf)
    brightest = brightness.argmax(1, keepdim=True)
    lamp = colors.gather(2, brightest.expand(colors.shape[0], -1, -1))[..., 0]
    on_near_side = is_near.gather(1, brightest)[:, 0]
    near, far = surfaces
    most = torch.maximum(lamp, pixel)
    taken = ((pixel - far).sum(0) / (most - far).sum(0).clamp(min=1e-6)).clamp(0, 1)
    alpha = torch.where(on_near_side, torch.maximum(alpha, taken), alpha)
    near_lamp = ((pixel - (1 - alpha) * far) / alpha.clamp(min=LEAST_SHARE)).minimum(most).maximum(near)
    far_lamp = ((pixel - alpha * near) / (1 - alpha).clamp(min=LEAST_SHARE)).minimum(most).maximum(far)
    return torch.where(on_near_side, near_lamp, near), torch.where(on_near_side, far, far_lamp), alpha
