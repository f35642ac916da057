"""What a run sends to the picture on a node: a strip of the clip, and where the lens was focused."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from torch import Tensor

from . import host
from .libraries import fault_of

# What web/viewfinder/node_viewfinder.js looks for.
KEY = "any_to_bokeh_viewfinder"


def strip_report(
    disparity: Tensor, focal: Tensor, frames: Tensor | None = None, wanted: Iterable[int] = (), **facts: Any
) -> dict[str, list[Any]] | None:
    """Write a strip into the host's folder of temporary files and describe it; None without OpenCV.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        focal: [T], focal disparity.
        frames: [T, H, W, C] in [0, 1]; None where the browser has the pictures from elsewhere.
        wanted: frames that the strip should have.
        facts: more for the picture to know.
    """
    if fault_of("cv2"):
        return None
    from ..bokeh_core.preview.strip import write_strip

    strip = write_strip(host.temporary_folder(), disparity, frames, wanted, host.progress())
    report = {
        **asdict(strip),
        "pictures": [host.temporary_file(name) for name in strip.pictures],
        "disparity": [host.temporary_file(name) for name in strip.disparity],
        "focal": [round(value, 5) for value in focal.tolist()],
        **facts,
    }
    return {KEY: [report]}
