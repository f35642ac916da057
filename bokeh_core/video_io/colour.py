"""Y'CbCr <-> R'G'B' by the tags of a video (ITU-R BT.601, BT.709, BT.2020), in floating point.

FFmpeg's own conversion is off by a level or two on the way there and back, which a frame without blur would
show.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

# Codes of ITU-T H.273, as containers and FFmpeg have them.
UNSPECIFIED = 2
RGB, BT709, BT601 = 0, 1, 6
LIMITED, FULL = 1, 2
# Matrix code -> (Kr, Kb), the weights of red and blue in luma.
_LUMA_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
_UNKNOWN = (UNSPECIFIED, 3)
_UNREADABLE = {
    8: "YCgCo",
    10: "BT.2020 of constant luminance",
    11: "Y'D'zD'x",
    12: "Y'CbCr of its own primaries",
    13: "Y'CbCr of its own primaries",
    14: "ICtCp",
    15: "IPT-C2",
    16: "YCgCo-R",
    17: "YCgCo-R",
}
# Players treat untagged video up to this height as standard definition.
_STANDARD_DEFINITION_ROWS = 576


@dataclass(frozen=True)
class Colour:
    """How a video's numbers mean colours; codes of ITU-T H.273.

    Attributes:
        matrix: of Y'CbCr; 2 = unspecified.
        sample_range: 1 = limited (16 to 235), 2 = full.
        primaries: 2 = unspecified.
        transfer: 2 = unspecified.
    """

    matrix: int = UNSPECIFIED
    sample_range: int = LIMITED
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED

    def luma_weights(self, height: int) -> tuple[float, float]:
        """(Kr, Kb); where the matrix is not given, that of players: BT.601 up to 576 rows, else BT.709."""
        return _LUMA_WEIGHTS[self.known_matrix(height)]

    def known_matrix(self, height: int) -> int:
        """Code of the matrix whose `luma_weights` are used."""
        if self.matrix in _LUMA_WEIGHTS:
            return self.matrix
        small = self.matrix in _UNKNOWN and height <= _STANDARD_DEFINITION_ROWS
        return BT601 if small else BT709

    @property
    def unreadable(self) -> str:
        """Name of what cannot be turned into R'G'B' here, or empty."""
        return _UNREADABLE.get(self.matrix, "")

    def as_shown(self, stored_height: int, height: int) -> "Colour":
        """The same for an upright picture: with the matrix named where players would guess another one."""
        if self.known_matrix(stored_height) == self.known_matrix(height):
            return self
        return replace(self, matrix=self.known_matrix(stored_height))


def yuv_to_rgb(
    planes: NDArray[np.float32], bits: int, colour: Colour, beyond: bool = False
) -> NDArray[np.float32]:
    """Levels [3, H, W] of Y', Cb, Cr -> R'G'B' [H, W, 3], clipped to [0, 1] unless `beyond` keeps the rest.

    R' = Y' + 2 (1 - Kr) Cr, B' = Y' + 2 (1 - Kb) Cb, G' = (Y' - Kr R' - Kb B') / (1 - Kr - Kb).
    """
    _, height, width = planes.shape
    kr, kb = colour.luma_weights(height)
    kg = 1 - kr - kb
    scale, offset = _levels(bits, colour)
    matrix = np.array(
        [
            [1, 0, 2 * (1 - kr)],
            [1, -2 * kb * (1 - kb) / kg, -2 * kr * (1 - kr) / kg],
            [1, 2 * (1 - kb), 0],
        ]
    )
    # Levels to numbers and numbers to colours in one product.
    product = matrix / scale
    constant = -(product @ offset)
    rgb = planes.reshape(3, -1).T @ product.T.astype(np.float32)
    rgb += constant.astype(np.float32)
    if not beyond:
        np.clip(rgb, 0, 1, out=rgb)
    return rgb.reshape(height, width, 3)


def rgb_to_yuv(rgb: NDArray[np.float32], bits: int, colour: Colour) -> NDArray[np.float32]:
    """R'G'B' [H, W, 3] in [0, 1] -> levels [3, H, W] of Y', Cb, Cr, not yet rounded.

    Y' = Kr R' + Kg G' + Kb B', Cb = (B' - Y') / (2 (1 - Kb)), Cr = (R' - Y') / (2 (1 - Kr)).
    """
    height, width, _ = rgb.shape
    kr, kb = colour.luma_weights(height)
    luma = np.array([kr, 1 - kr - kb, kb])
    cb = (np.array([0, 0, 1]) - luma) / (2 * (1 - kb))
    cr = (np.array([1, 0, 0]) - luma) / (2 * (1 - kr))
    scale, offset = _levels(bits, colour)
    matrix = np.stack([luma, cb, cr]) * scale[:, None]
    planes = matrix.astype(np.float32) @ rgb.reshape(-1, 3).T
    planes += offset.astype(np.float32)[:, None]
    return planes.reshape(3, height, width)


def _levels(bits: int, colour: Colour) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale and offset [3] of Y', Cb, Cr: level = scale * number + offset."""
    middle = 2 ** (bits - 1)
    if colour.sample_range == FULL:
        full = 2**bits - 1
        return np.array([full] * 3, np.float64), np.array([0, middle, middle], np.float64)
    step = 2 ** (bits - 8)
    return np.array([219.0, 224, 224]) * step, np.array([16.0 * step, middle, middle])
