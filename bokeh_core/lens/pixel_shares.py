"""How two surfaces share a pixel along an edge, as far as the map tells: less in crisp pictures than in soft ones.

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
# Their two colours lie so far apart, squared and in units of their variance; beyond the most, nothing is surer.
_LEAST_PRECISION, _MOST_PRECISION = 15.0, 100.0
# Fewer such pixels do not tell: so much of their weight times share stands for a soft picture.
_DOUBT = 50.0
_CRISP_TO_SOFT = (0.1, 0.2)


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
        other = torch.lerp(_crisp(self.other), self.other, softness)
        on_contour = ((self.other - _INSIDE) / (_ON_CONTOUR - _INSIDE)).clamp_(0, 1)
        width = on_contour.mul_(_CONTOUR_WIDTH - _INSIDE_WIDTH).add_(_INSIDE_WIDTH)
        soft_width = torch.full_like(width, _SOFT_WIDTH)
        return Prior(torch.where(self.is_near, 1 - other, other), torch.lerp(width, soft_width, softness))

    def softness(
        self, pixel: Tensor, near: Side, far: Side, usable: Tensor, index: Tensor, shape: torch.Size
    ) -> Tensor:
        """How soft the picture is in each pixel's frame, [M] in [0, 1].

        s = sum w (a - c) / sum w (g - c) over the frame's pixels, with a the share of the surface that is not
        at the centre by the pixel's light, c and g what is expected in a crisp and in a soft picture, and w
        how sure the light is.

        Args:
            pixel: [C, M] linear light.
            near, far: the two surfaces of each pixel.
            usable: bool [M], pixels whose surfaces are known.
            index: [M] int64, position in the flattened frames.
            shape: [..., H, W] of the frames.
        """
        projection, axis_squared = projection_of(pixel, near, far)
        seen = torch.where(self.is_near, 1 - projection, projection).clamp_(0, 1)
        precision = axis_squared / torch.maximum(near.variance, far.variance)
        tells = usable & (precision > _LEAST_PRECISION)
        tells &= (self.other > _LEAST_SHARE) & (self.other < _MOST_SHARE)
        weight = precision.clamp_(max=_MOST_PRECISION).mul_(tells)
        crisp = _crisp(self.other)
        # Summed in planes: in any order, sums by frame would differ from run to run on a GPU.
        planes = pixel.new_zeros(2, shape.numel())
        planes[:, index] = torch.stack([seen - crisp, self.other - crisp]).mul_(weight)
        over, whole = planes.view(2, -1, shape[-2] * shape[-1]).sum(-1).add_(_DOUBT)
        low, high = _CRISP_TO_SOFT
        return ((over / whole - low) / (high - low)).clamp_(0, 1)[index // (shape[-2] * shape[-1])]


def _crisp(soft: Tensor) -> Tensor:
    """Shares of the other surface in a crisp picture, of pixels that would have these in a soft one.

    Measured on pictures of real geometry. Beside a straight contour, 0.21, they are 0 to 0.5, in the mean 1/8.
    """
    beyond_inside, beyond_thin = (soft - _INSIDE).clamp_(min=0), (soft - _THIN).clamp_(min=0)
    return 0.09 * soft + 1.5 * beyond_inside - 0.95 * beyond_thin
