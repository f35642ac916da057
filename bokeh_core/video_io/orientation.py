"""The display matrix of a video: cameras store upright pictures turned, and say so beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Orientation:
    """How stored pixels become the picture: rows and columns exchanged, then turned over, then mirrored."""

    transposed: bool = False
    upside_down: bool = False
    mirrored: bool = False

    def upright(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Stored [H, W, C] -> upright [H, W, C]; a view."""
        if self.transposed:
            picture = picture.swapaxes(0, 1)
        if self.upside_down:
            picture = picture[::-1]
        return picture[:, ::-1] if self.mirrored else picture

    def upright_size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of the upright picture."""
        return (height, width) if self.transposed else (width, height)


def orientation_of(matrix: Sequence[int] | None) -> Orientation:
    """Read a display matrix (ISO/IEC 14496-12, 6.2.2): x' = a x + c y, y' = b x + d y.

    Args:
        matrix: nine numbers a b u c d v x y w, or None where there is none.

    Returns:
        The nearest of the eight orientations without slant.
    """
    if matrix is None:
        return Orientation()
    a, b, _, c, d = matrix[:5]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, upside_down=d < 0, mirrored=a < 0)
    # x' follows the stored y and y' the stored x.
    return Orientation(True, upside_down=b < 0, mirrored=c < 0)
