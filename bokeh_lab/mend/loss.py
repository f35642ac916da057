"""How well the likelihoods of candidates tell what a scene has."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.disparity.refine.trained.candidates import AGREED_PLACES, OWN_PLACES, REACH_PX, Place
from bokeh_core.disparity.refine.trained.evidence import Shown, Witnesses
from bokeh_core.disparity.refine.trained.scores import scored

# Of disparity: the error of a candidate that is the right one, the scale of a Laplace distribution.
_SCALE = 0.01
# Another candidate must be better than the pixel's own value by this part of that scale.
_KEEPING = 0.4
# The likelihood of a truth that no candidate has.
_UNLIKELY = -6.0
_STEPS_REACH_PX = 5
_FLAT_WEIGHT = 0.05
# Where there are no steps one pixel in so many stands for all.
_FLAT = 0.03
_ONE_OF = 8


def loss(told: Tensor, view: Shown, own: Tensor, witnesses: Witnesses, wanted: Tensor) -> Tensor:
    """Minus the log of the likelihood of the truth, each candidate the middle of a Laplace distribution.

    The median of that mixture is what `chosen` takes, which has the least expected error. Pixels count by
    the steps around them: an outline between near and far costs more than one between two neighbours.

    Args:
        told: [B, `OUTPUTS`, h, w], of the network.
        view: what it was shown.
        own: [B, h, w].
        witnesses: of those maps.
        wanted: [B, h, w].
    """
    steps = _steps(own, wanted)
    b, y, x = (((steps > _FLAT) | _lattice(own)) & view.steps).nonzero(as_tuple=True)
    step = steps[b, y, x]
    weights = (_FLAT_WEIGHT + step) * torch.where(step > _FLAT, 1.0, float(_ONE_OF))
    values = torch.cat(
        [_around(own, OWN_PLACES, b, y, x), _around(witnesses.agreed, AGREED_PLACES, b, y, x)], 1
    )
    away = (values - wanted[b, y, x][:, None]).abs() / _SCALE
    away[:, 1:] += _KEEPING
    logits = scored(told.movedim(1, -1)[b, y, x].float(), values, view.low[b, y, x], view.scale[b, y, x])
    likely = torch.logsumexp(logits - away, 1) - torch.logsumexp(logits, 1)
    floor = torch.full_like(likely, _UNLIKELY)
    return (weights * -torch.logaddexp(likely, floor)).sum() / own.numel()


def _lattice(own: Tensor) -> Tensor:
    height, width = own.shape[1:]
    y, x = torch.arange(height)[:, None], torch.arange(width)
    return ((x + 3 * y) % _ONE_OF == 0).expand(len(own), -1, -1)


def _steps(own: Tensor, wanted: Tensor) -> Tensor:
    side = 2 * _STEPS_REACH_PX + 1
    high, low = torch.maximum(own, wanted)[:, None], -torch.minimum(own, wanted)[:, None]
    for shape, margin in (((1, side), (0, _STEPS_REACH_PX)), ((side, 1), (_STEPS_REACH_PX, 0))):
        high, low = (F.max_pool2d(values, shape, 1, margin) for values in (high, low))
    return (high + low)[:, 0]


def _around(values: Tensor, places: tuple[Place, ...], b: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Values [B, h, w] around pixels: [P, len(places)]."""
    padded = F.pad(values[:, None], (REACH_PX,) * 4, mode="replicate")[:, 0]
    _, height, width = padded.shape
    away = torch.tensor([row * width + column for row, column in places])
    at = (b * height + y + REACH_PX) * width + x + REACH_PX
    return padded.flatten()[at[:, None] + away]
