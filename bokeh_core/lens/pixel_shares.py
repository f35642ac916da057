"""How two surfaces share a pixel along an edge as far as the map tells, in crisp and in soft pictures.

In a crisp picture a pixel shows what lies within its square, so beside a contour most show one surface alone.
Where a codec, an enlargement or the camera has softened the picture, both surfaces are in pixels that the
map has well inside one. The frame itself says which it is: by the pixels whose two surfaces differ clearly.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .mixture import Prior, Side, projection_of

_SOFT_WIDTH = 0.15
# Widths of the prior in a crisp picture, of pixels inside one surface and of those on a contour.
_INSIDE_WIDTH, _CONTOUR_WIDTH = 0.06, 0.14
# Softened shares, of the surface that a pixel's centre does not show, between which crisp ones rise.
_INSIDE, _ON_CONTOUR, _THIN = 0.17, 0.22, 0.34
# Pixels that show how crisp a picture is: beside a straight contour or closer, and no thin things.
_LEAST_SHARE, _MOST_SHARE = 0.12, 0.28
# So far apart lie their two colours, squared and in units of their variance; beyond the most is no surer.
_LEAST_PRECISION, _MOST_PRECISION = 15.0, 100.0
# Fewer such pixels do not tell: so much of their weight times share stands for a soft picture.
_DOUBT = 50.0
_CRISP_TO_SOFT = (0.1, 0.2)
# Where the map is off by a pixel's light: by so many squared standard deviations, and most of it the other's.
_FITS_TO_NOT, _OWN_TO_OTHER = (4.0, 9.0), (0.5, 0.8)


@dataclass(frozen=True)
class MapShares:
    """What a map says of M pixels along its edges.

    Attributes:
        is_near: bool [M], whether the centre of the pixel shows the near surface.
        other: [M] in [0, 1], share of the other surface if the picture is soft: that of the pixels around, by
            a Gaussian.
    """

    is_near: Tensor
    other: Tensor

    def prior(self, softness: Tensor) -> Prior:
        """The share of the near surface, of pictures as soft as [M] says: 0 = crisp, 1 = soft."""
        crisp, width = self._crisp()
        other = torch.lerp(crisp, self.other, softness)
        soft_width = torch.full_like(width, _SOFT_WIDTH)
        return Prior(torch.where(self.is_near, 1 - other, other), torch.lerp(width, soft_width, softness))

    def softness(
        self, pixel: Tensor, near: Side, far: Side, usable: Tensor, index: Tensor, shape: torch.Size
    ) -> Tensor:
        """How soft the picture is in each pixel's frame, or seems to be in the pixel itself, [M] in [0, 1].

        s = sum w (a - c) / sum w (g - c) over the frame's pixels, with a the share of the surface that is not
        at the centre by the pixel's light, c and g what is expected in a crisp and in a soft picture, and w
        how sure the light is. Where a pixel's light does not fit a crisp one at all, the map is off.

        Args:
            pixel: [C, M] linear light.
            near, far: the two surfaces of each pixel.
            usable: bool [M], pixels whose surfaces are known.
            index: [M] int64, position in the flattened frames.
            shape: [..., H, W] of the frames.
        """
        projection, axis_squared = projection_of(pixel, near, far)
        by_light = torch.where(self.is_near, 1 - projection, projection)
        precision = axis_squared / torch.maximum(near.variance, far.variance)
        crisp, width = self._crisp()
        doubt = (by_light - crisp).square_() / (width.square() + 1 / precision.clamp(min=1e-6))
        off = _rise(doubt, _FITS_TO_NOT).mul_(_rise(by_light, _OWN_TO_OTHER))
        tells = usable & (precision > _LEAST_PRECISION)
        tells &= (self.other > _LEAST_SHARE) & (self.other < _MOST_SHARE)
        weight = precision.clamp_(max=_MOST_PRECISION).mul_(tells)
        # Summed in planes: in any order, sums by frame would differ from run to run on a GPU.
        planes = pixel.new_zeros(2, shape.numel())
        planes[:, index] = torch.stack([by_light.clamp_(0, 1) - crisp, self.other - crisp]).mul_(weight)
        over, whole = planes.view(2, -1, shape[-2] * shape[-1]).sum(-1).add_(_DOUBT)
        softness = _rise(over / whole, _CRISP_TO_SOFT)[index // (shape[-2] * shape[-1])]
        return torch.maximum(softness, off)

    def _crisp(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation [M] of the share of the other surface in a crisp picture.

        Measured on pictures of real geometry. Beside a straight contour, 0.21 by a Gaussian, the share is 0
        to 1/2, in the mean 1/8.
        """
        beyond_inside, beyond_thin = (self.other - _INSIDE).clamp_(min=0), (self.other - _THIN).clamp_(min=0)
        mean = 0.09 * self.other + 1.5 * beyond_inside - 0.95 * beyond_thin
        on_contour = _rise(self.other, (_INSIDE, _ON_CONTOUR))
        return mean, on_contour.mul_(_CONTOUR_WIDTH - _INSIDE_WIDTH).add_(_INSIDE_WIDTH)


def _rise(values: Tensor, low_high: tuple[float, float]) -> Tensor:
    """0 up to the lower bound, 1 from the upper one."""
    low, high = low_high
    return ((values - low) / (high - low)).clamp_(0, 1)
