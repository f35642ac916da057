"""Two surfaces that share pixels: what is known of their colours, and how a pixel is divided between them."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .lamps import LEAST_SHARE

_COLOR_NOISE = 2e-4
_LEAST_WEIGHT = 1e-4


@dataclass(frozen=True)
class Side:
    """One of the two surfaces, as the samples around each of M pixels have it.

    Attributes:
        color: [C, M] mean linear light.
        variance: [M] of the colour, mean of the three channels.
        radius_px: [M] mean signed blur radius.
        known: bool [M], whether there was any sample.
    """

    color: Tensor
    variance: Tensor
    radius_px: Tensor
    known: Tensor

    @classmethod
    def of(cls, colors: Tensor, radii_px: Tensor, weight: Tensor) -> "Side":
        """From samples: colours [C, M, k], radii [M, k] and their weights [M, k]."""
        total = weight.sum(1)
        share = weight / total.clamp(min=1e-8)[:, None]
        mean = (colors * share).sum(2)
        # Over three channels, so that an opaque alpha as a fourth changes nothing.
        deviation = colors - mean[..., None]
        variance = deviation.square_().mul_(share).sum(2).sum(0) / 3
        return cls(mean, variance + _COLOR_NOISE, (radii_px * share).sum(1), total > _LEAST_WEIGHT)


@dataclass(frozen=True)
class Prior:
    """What is known of the share of the near surface in each of M pixels before their light is looked at.

    Attributes:
        share: [M] in [0, 1], its mean.
        width: [M] its standard deviation.
    """

    share: Tensor
    width: Tensor


def projection_of(pixel: Tensor, near: Side, far: Side) -> tuple[Tensor, Tensor]:
    """Where pixels [C, M] lie on the line from the far colour, 0, to the near, 1, and its length squared."""
    axis = near.color - far.color
    axis_squared = axis.square().sum(0)
    return ((pixel - far.color) * axis).sum(0) / axis_squared.clamp(min=1e-8), axis_squared


def share_of_near(pixel: Tensor, near: Side, far: Side, prior: Prior) -> Tensor:
    """Maximum a posteriori share [M] of the near surface in pixels [C, M].

    It balances the projection of the pixel on the line between the two mean colours against the prior.
    """
    projection, axis_squared = projection_of(pixel, near, far)
    known = prior.width.square().reciprocal_()
    alpha = prior.share
    for _ in range(2):
        noise = alpha.square() * near.variance + (1 - alpha).square() * far.variance + _COLOR_NOISE
        precision = axis_squared / noise
        alpha = (precision * projection + prior.share * known) / (precision + known)
        alpha = alpha.clamp(0, 1)
    return torch.where(alpha < LEAST_SHARE, 0.0, torch.where(alpha > 1 - LEAST_SHARE, 1.0, alpha))


def unmixed(
    pixel: Tensor, alpha: Tensor, near: Side, far: Side, limits: tuple[Any, Any]
) -> tuple[Tensor, Tensor, Tensor]:
    """Near and far colours [C, M] that pixels [C, M] mix, and what of the pixels these leave unexplained [M].

    What the mean colours do not explain is divided between the two by their variances.
    """
    residual = pixel - alpha * near.color - (1 - alpha) * far.color
    spread = alpha.square() * near.variance + (1 - alpha).square() * far.variance
    near_color = (near.color + alpha * near.variance * residual / spread).clamp(*limits)
    far_color = (far.color + (1 - alpha) * far.variance * residual / spread).clamp(*limits)
    unexplained = (pixel - alpha * near_color - (1 - alpha) * far_color).abs().amax(0)
    return near_color, far_color, unexplained
