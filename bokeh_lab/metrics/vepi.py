"""VEPI: whether what is in focus keeps its edges."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .clip_pair import ClipPair
from .missing import Missing, Value

_DILATION_PX = 5


def vepi(pair: ClipPair) -> Value:
    """Correlation of Sobel magnitudes, sharp frame against rendered frame, inside the focus mask.

    Sobel 3 x 3 on grey (Rec. 601), Pearson's correlation over the pixels of the mask dilated by 5 x 5 px, per
    frame, then the mean over the frames where it is defined: those with a mask and edges in it on both sides.

    Returns:
        -1 to 1; 1 means that the edges are as in the sharp frame.
    """
    import cv2

    kernel = np.ones((_DILATION_PX, _DILATION_PX), np.uint8)
    found: list[float] = []
    for sharp, rendered, in_focus in zip(pair.sharp, pair.prediction, pair.in_focus, strict=True):
        mask = cv2.dilate(in_focus.cpu().numpy().astype(np.uint8), kernel).astype(bool)
        if mask.any():
            correlation = _correlation(_sobel_magnitude(sharp)[mask], _sobel_magnitude(rendered)[mask])
            if correlation is not None:
                found.append(correlation)
    if not found:
        return Missing("no edges in focus")
    return sum(found) / len(found)


def _sobel_magnitude(frame: Tensor) -> NDArray[np.float64]:
    import cv2

    grey = cv2.cvtColor(frame.float().cpu().numpy(), cv2.COLOR_RGB2GRAY).astype(np.float64)
    return np.hypot(cv2.Sobel(grey, cv2.CV_64F, 1, 0), cv2.Sobel(grey, cv2.CV_64F, 0, 1))


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    """Pearson's correlation, or None where one side does not vary."""
    first, second = first - first.mean(), second - second.mean()
    spread = float(np.sqrt((first**2).sum() * (second**2).sum()))
    # Magnitudes of a flat picture differ by roundings, about 1e-7 each.
    if spread < 1e-10 * first.size:
        return None
    return float((first * second).sum()) / spread
