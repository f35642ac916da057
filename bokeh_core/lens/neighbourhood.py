"""Greatest and least values around each pixel."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .backend import backend_of


def local_max(values: Tensor, reach_px: int = 1) -> Tensor:
    """Greatest value of [..., H, W] within a square that reaches `reach_px` to each side."""
    return backend_of(values.device).local_max(values, reach_px)


def local_min(values: Tensor, reach_px: int = 1) -> Tensor:
    """Least value of [..., H, W] within a square that reaches `reach_px` to each side."""
    return backend_of(values.device).local_min(values, reach_px)


@dataclass(frozen=True)
class Extremes:
    """Greatest and least values [..., H, W] within a square around each pixel."""

    top: Tensor
    bottom: Tensor

    @classmethod
    def of(cls, values: Tensor, reach_px: int = 1) -> "Extremes":
        """Those of [..., H, W] within squares that reach `reach_px` to each side."""
        return cls(local_max(values, reach_px), local_min(values, reach_px))

    def step(self) -> Tensor:
        """How far they lie apart."""
        return self.top - self.bottom

    def middle(self) -> Tensor:
        """Half way between them."""
        return (self.top + self.bottom) / 2


class Surroundings:
    """A map [..., H, W] and its extremes within any reach, each found once."""

    def __init__(self, values: Tensor) -> None:
        """Those of one map, which may not change from here on."""
        self.values = values
        self._found: dict[int, Extremes] = {}

    def within(self, reach_px: int) -> Extremes:
        """Extremes within squares that reach `reach_px` to each side."""
        if reach_px not in self._found:
            self._found[reach_px] = Extremes.of(self.values, reach_px)
        return self._found[reach_px]


def dilate(mask: Tensor, reach_px: int) -> Tensor:
    """Pixels of a bool [..., H, W] map that have a true pixel within `reach_px`."""
    return backend_of(mask.device).dilate(mask, reach_px)


def with_border_repeated(planes: Tensor, reach_px: int) -> Tensor:
    """Planes [..., H + 2 r, W + 2 r] of [..., H, W], whose border pixels go on beyond the border."""
    stack = planes.reshape(1, -1, *planes.shape[-2:])
    padded = F.pad(stack, (reach_px,) * 4, mode="replicate")
    return padded.view(*planes.shape[:-2], *padded.shape[-2:])


def in_padded(index: Tensor, shape: torch.Size, reach_px: int) -> Tensor:
    """Flat positions in what `with_border_repeated` makes of [..., H, W] maps, of flat positions in these."""
    height, width = shape[-2:]
    row = index // width
    if len(shape) > 2:
        # Above the rows of a frame lie its own upper border, and both borders of those before it.
        row = row + 2 * reach_px * (row // height)
    return (row + reach_px) * (width + 2 * reach_px) + index % width + reach_px


def pixels_around(values: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """Values [M] of [..., H, W] at flat positions, and [9, M] of the 3 x 3 pixels around them."""
    own, around = planes_around(values[None], index)
    return own[0], around[0]


def planes_around(planes: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """`pixels_around` of planes [C, ..., H, W] at flat positions of one: [C, M] and [C, 9, M]."""
    width = planes.shape[-1]
    padded = with_border_repeated(planes, 1)
    center = in_padded(index, planes.shape[1:], 1)
    offset = torch.arange(-1, 2, device=planes.device)
    around = (offset[:, None] * (width + 2) + offset).flatten()
    flat = padded.flatten(1)
    return flat[:, center], flat[:, around[:, None] + center]
