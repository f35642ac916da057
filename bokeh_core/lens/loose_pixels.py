"""Single pixels between two surfaces, which are left where a noisy slope of a map is made a step."""

import torch
from torch import Tensor

from .neighbourhood import local_max, local_min, pixels_around, planes_around

_MOVED_PX = 0.5
# Of the root of light, as far as the eye tells dark cloth from dark cloth; a strand is another colour.
_ALIKE = 0.06
# The first leaves pairs.
_PASSES = 2
# What a map has narrower than twice this and a pixel, and so much nearer or farther than both of its sides.
_NARROW_REACH_PX, _NARROW_PX = 3, 0.5


def without_loose_pixels(
    sharpened_px: Tensor, given_px: Tensor, color: Tensor, kept: Tensor | None = None
) -> Tensor:
    """Give pixels that were moved to the surface of most of those around them.

    A slope that rises unevenly is broken into pieces of a pixel or a line, each with a radius of its own:
    among blurred ones those near the focus stay as sharp specks. Only what the picture does not tell from
    what lies around it is touched.

    Args:
        sharpened_px: [..., H, W] signed blur radius, whose ramps were sharpened.
        given_px: [..., H, W], before that.
        color: [C, ..., H, W] linear light.
        kept: bool [..., H, W], pixels that stay as they are; None = none of them.

    Returns:
        [..., H, W] signed blur radius.
    """
    moved = (sharpened_px - given_px).abs() > _MOVED_PX
    if kept is not None:
        moved &= ~kept
    index = moved.flatten().nonzero()[:, 0]
    own, around = planes_around(torch.cat([color[:3], sharpened_px[None]]), index)
    middle = around.median(1).values
    plain = ((_root(own[:3]) - _root(middle[:3])).abs() < _ALIKE).all(0)
    result = sharpened_px.clone()
    result.view(-1)[index] = torch.where(plain, middle[3], own[3])
    for _ in range(_PASSES - 1):
        own, around = pixels_around(result, index)
        result.view(-1)[index] = torch.where(plain, around.median(0).values, own)
    return result


def narrow_things(given_px: Tensor) -> Tensor:
    """Strands, wires and gaps that a map has itself, bool [..., H, W]: no slope leaves them.

    They are what an opening of the map takes away, or a closing fills; at the border of the frame that may be
    the end of a slope.

    Args:
        given_px: [..., H, W] signed blur radius.
    """
    reach = _NARROW_REACH_PX
    nearer = given_px - local_max(local_min(given_px, reach), reach)
    farther = local_min(local_max(given_px, reach), reach) - given_px
    return torch.maximum(nearer, farther) > _NARROW_PX


def _root(light: Tensor) -> Tensor:
    return light.clamp(min=0).sqrt()
