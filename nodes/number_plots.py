"""Numbers over time as a picture on an output."""

import logging
from collections.abc import Mapping
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from .libraries import advice, fault_of

logger = logging.getLogger(__name__)

# Without OpenCV nothing can be drawn, and the node's other outputs do not need it.
_NOTHING_DRAWN = (1, 16, 16, 3)


def plot_output(what: str) -> Any:
    """The output of a plot; `what` it shows."""
    return io.Image.Output(display_name="plot", tooltip=f"{what} over the frames, as a picture.")


def plot_of(numbers: Mapping[str, Tensor]) -> Tensor:
    """A picture [1, H, W, 3] of numbers over the frames, by their names; a grey one without OpenCV."""
    if fault := fault_of("cv2"):
        logger.warning("The plot stays empty. %s", advice("cv2", fault))
        return torch.full(_NOTHING_DRAWN, 0.1)
    from ..bokeh_core.preview.number_plot import number_plot

    return number_plot(numbers)
