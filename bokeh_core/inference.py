"""How renderers compute: without gradients, and in the precisions that they state."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def stated_precision(device: torch.device) -> Iterator[None]:
    """Leave the caller's region of automatic casts, if there is one on a device, for the block.

    Half precision where it was not chosen would show: a sum over a blurred lamp does not fit into it.
    """
    if device.type == "meta" or not torch.is_autocast_enabled(device.type):
        yield
        return
    with torch.autocast(device.type, enabled=False):
        yield


@contextmanager
def inference(device: torch.device) -> Iterator[None]:
    """Compute without gradients, and see `stated_precision`."""
    with torch.no_grad(), stated_precision(device):
        yield
