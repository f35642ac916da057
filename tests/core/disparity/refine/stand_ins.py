"""Networks whose answer is known."""

from collections.abc import Callable

import torch
from torch import Tensor

from bokeh_core.disparity.refine.trained.candidates import AGREED_PLACES, OWN_PLACES
from bokeh_core.disparity.refine.trained.evidence import CHANNELS
from bokeh_core.disparity.refine.trained.network import MenderNetwork
from bokeh_core.disparity.refine.trained.scores import OUTPUTS

Network = Callable[[Tensor], Tensor]

SURE = 20.0


def always(candidate: int) -> Network:
    """A network that is sure of one candidate for every pixel."""

    def network(shown: Tensor) -> Tensor:
        assert shown.shape[1] == CHANNELS
        told = torch.zeros(len(shown), OUTPUTS, *shown.shape[-2:], device=shown.device)
        told[:, candidate] = SURE
        # What is wanted does not count: softplus(-SURE) is next to nothing.
        told[:, -1] = -SURE
        return told

    return network


def undecided() -> MenderNetwork:
    """A network of random weights that does not favour what a pixel has."""
    network = MenderNetwork()
    network.state_dict()["tell.bias"].zero_()
    return network


KEEP = always(0)
AGREED = len(OWN_PLACES)
"""The candidate that the neighbours in time agree on."""


def own_place(y: int, x: int) -> int:
    """The candidate so many px below and to the right in the pixel's own map."""
    return OWN_PLACES.index((y, x))


def agreed_place(y: int, x: int) -> int:
    """Likewise in the map of the neighbours."""
    return AGREED + AGREED_PLACES.index((y, x))
