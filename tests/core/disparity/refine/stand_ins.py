"""Networks whose answer is known."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from bokeh_core.disparity.refine.trained.candidates import AGREED_PLACES, OWN_PLACES
from bokeh_core.disparity.refine.trained.evidence import CHANNELS
from bokeh_core.disparity.refine.trained.network import MenderNetwork
from bokeh_core.disparity.refine.trained.scores import OUTPUTS

SURE = 20.0


@dataclass(frozen=True)
class Always:
    """A network that is sure of one candidate for every pixel, but for what it leaves the own value.

    Attributes:
        candidate: the place among all.
        instead_of: likelihood of the pixel's own value.
    """

    candidate: int
    instead_of: float = 0.0

    def told_at(self, shown: Tensor, y: Tensor, x: Tensor) -> Tensor:
        """See `Network`."""
        assert shown.shape[1] == CHANNELS and len(y) == len(x)
        told = torch.zeros(len(y), OUTPUTS, device=shown.device)
        told[:, self.candidate] = SURE
        if self.instead_of > 0:
            told[:, 0] = SURE + math.log(self.instead_of / (1 - self.instead_of))
        # What is wanted does not count: softplus(-SURE) is next to nothing.
        told[:, -1] = -SURE
        return told


def undecided() -> MenderNetwork:
    """A network of random weights that does not favour what a pixel has."""
    network = MenderNetwork()
    network.state_dict()["tell.bias"].zero_()
    return network


KEEP = Always(0)
AGREED = len(OWN_PLACES)
"""The candidate that the neighbours in time agree on."""


def own_place(y: int, x: int) -> int:
    """The candidate so many px below and to the right in the pixel's own map."""
    return OWN_PLACES.index((y, x))


def agreed_place(y: int, x: int) -> int:
    """Likewise in the map of the neighbours."""
    return AGREED + AGREED_PLACES.index((y, x))
