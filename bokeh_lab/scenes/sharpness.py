"""Tell photographs that are sharp everywhere from those that already have bokeh."""

import cv2
import numpy as np

_FINE_SIGMA_PX = 1.0
_COARSE_SIGMA_PX = 4.0
_BLOCK_PX = 32
# Mean contrast of a block below which it is sky or a plain wall, which tells nothing.
_STRUCTURE = 0.012
# Fine over coarse contrast: sharp photographs have 0.4 and more, defocus of 2 px below 0.2.
_SHARP_RATIO = 0.3
_SHARP_SHARE = 0.85


def is_sharp_everywhere(pixels: np.ndarray) -> bool:
    """Tell whether nearly every structured part of a photograph holds detail of single pixels.

    Args:
        pixels: uint8 RGB [h, w, 3], at the size in which it will be used.
    """
    share = sharp_share(pixels)
    return share is not None and share >= _SHARP_SHARE


def sharp_share(pixels: np.ndarray) -> float | None:
    """Share of 32 x 32 blocks with structure whose contrast reaches down to single pixels; None without any.

    Compares mean |I - G_1 I| with mean |G_1 I - G_4 I| in each block; defocus lowers the first more.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    smooth = cv2.GaussianBlur(grey, (0, 0), _FINE_SIGMA_PX)
    fine = _block_means(np.abs(grey - smooth))
    coarse = _block_means(np.abs(smooth - cv2.GaussianBlur(smooth, (0, 0), _COARSE_SIGMA_PX)))
    structured = coarse > _STRUCTURE
    if not structured.any():
        return None
    return float((fine[structured] > _SHARP_RATIO * coarse[structured]).mean())


def _block_means(values: np.ndarray) -> np.ndarray:
    rows, columns = (size // _BLOCK_PX for size in values.shape)
    whole = values[: rows * _BLOCK_PX, : columns * _BLOCK_PX]
    return whole.reshape(rows, _BLOCK_PX, columns, _BLOCK_PX).mean(axis=(1, 3))
