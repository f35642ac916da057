"""What the renderer asks of a device."""

from typing import Literal, Protocol

import numpy as np
from torch import Tensor

from ..areas import Area

Border = Literal["repeated", "dark"]
"""What lies beyond planes: their border pixels again, or no light."""

Piece = tuple[Tensor, Area]
"""Part of a slab and where: [C + 2, ..., h, w] light, rim and weight, or [C + 1, ..., h, w] without a rim."""


class Backend(Protocol):
    """Every step that a CPU and an accelerator take in their own ways, alike but for rounding.

    Where shapes have dots, a pass of several frames has a dimension of frames, and a single frame has none.
    """

    @property
    def direct_width_px(self) -> int:
        """Up to this width of a kernel a direct convolution beats a Fourier transform."""
        ...

    @property
    def piece_cost_px(self) -> float:
        """What one more rectangle to work on costs, in pixels worked on; infinite = one rectangle for all."""
        ...

    @property
    def matte_pixels(self) -> int:
        """So many pixels of a matte are solved at a time."""
        ...

    @property
    def band_pixels(self) -> int:
        """So many pixels of a pass go through a step at a time where the step makes many planes of them."""
        ...

    def frames_at_a_time(self) -> int:
        """How many frames in work keep the device busy."""
        ...

    def frames_a_pass(self) -> int:
        """How many frames go through every step together, where memory holds them."""
        ...

    def correlate(self, planes: Tensor, kernel: np.ndarray, border: Border) -> Tensor:
        """Correlate [C, ..., H, W] planes with [kh, kw] taps, kh and kw odd, in the pixel domain."""
        ...

    def gaussian(self, planes: Tensor, sigma_px: float, width_px: int) -> Tensor:
        """Blur [C, ..., H, W] planes with a Gaussian of an odd width; their border pixels are repeated."""
        ...

    def local_max(self, values: Tensor, reach_px: int) -> Tensor:
        """Greatest value of [..., H, W] within a square that reaches `reach_px` to each side."""
        ...

    def local_min(self, values: Tensor, reach_px: int) -> Tensor:
        """Least value of [..., H, W] within a square that reaches `reach_px` to each side."""
        ...

    def dilate(self, mask: Tensor, reach_px: int) -> Tensor:
        """Pixels of a bool [..., H, W] map that have a true pixel within `reach_px`."""
        ...

    def halved(self, planes: Tensor) -> Tensor:
        """Means over 2 x 2 pixels of [N, H, W]; odd sides are rounded up, and their last pixels repeated."""
        ...

    def enlarged(self, planes: Tensor, size: tuple[int, int]) -> Tensor:
        """Planes [N, H, W] of [N, h, w], bilinear between the centres of pixels."""
        ...

    def first_greatest(self, values: Tensor) -> Tensor:
        """Position [M] of the first of the greatest values along [n, M], n < 256."""
        ...

    def on_ladder(self, radius_px: Tensor, radii_px: list[float]) -> Tensor:
        """Position [..., H, W] of each radius between the ascending ones of the slabs, 0 to their last."""
        ...

    def paint(self, state: Tensor, pieces: list[Piece], radius_px: float) -> None:
        """Paint one blurred slab into a canvas behind everything painted before.

        Args:
            state: [2 C + 4, ..., H, W], see `occlusion`; changed in place.
            pieces: of the slab, disjoint, their weights 0 or more; their planes are used up.
            radius_px: signed blur radius of the slab.
        """
        ...
