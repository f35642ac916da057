"""The residual blocks over time of U-Net and decoder, for networks that first learn single frames."""

from __future__ import annotations

from collections.abc import Iterator

from diffusers.models.resnet import TemporalResnetBlock
from torch import Tensor, nn


def start_over_time(network: nn.Module) -> None:
    """Let untrained residual blocks over time pass on what they get: their last convolutions to zero."""
    for block in blocks_over_time(network):
        for parameter in block.conv2.parameters():
            nn.init.zeros_(parameter)


def leave_out_over_time(network: nn.Module) -> None:
    """Let residual blocks over time pass on what they get without computing; their weights stay.

    Exact for single frames and blocks as `start_over_time` leaves them.
    """
    for block in blocks_over_time(network):
        block.forward = _pass_on


def blocks_over_time(network: nn.Module) -> Iterator[TemporalResnetBlock]:
    """The residual blocks over time of the U-Net and of the decoder."""
    return (module for module in network.modules() if isinstance(module, TemporalResnetBlock))


def _pass_on(features: Tensor, _embedding: Tensor | None = None) -> Tensor:
    return features
