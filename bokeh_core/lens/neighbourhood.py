"""Greatest and least values around each pixel."""

from dataclasses import dataclass

from torch import Tensor

from .backend import backend_of


def local_max(values: Tensor, reach_px: int = 1) -> Tensor:
    """Greatest value of [H, W] within a square that reaches `reach_px` to each side."""
    return backend_of(values.device).local_max(values, reach_px)


def local_min(values: Tensor, reach_px: int = 1) -> Tensor:
    """Least value of [H, W] within a square that reaches `reach_px` to each side."""
    return backend_of(values.device).local_min(values, reach_px)


@dataclass(frozen=True)
class Extremes:
    """Greatest and least values [H, W] within a square around each pixel."""

    top: Tensor
    bottom: Tensor

    @classmethod
    def of(cls, values: Tensor, reach_px: int = 1) -> "Extremes":
        """Those of [H, W] within squares that reach `reach_px` to each side."""
        return cls(local_max(values, reach_px), local_min(values, reach_px))

    def step(self) -> Tensor:
        """How far they lie apart."""
        return self.top - self.bottom

    def middle(self) -> Tensor:
        """Half way between them."""
        return (self.top + self.bottom) / 2


def dilate(mask: Tensor, reach_px: int) -> Tensor:
    """Pixels of a bool [H, W] map that have a true pixel within `reach_px`."""
    return backend_of(mask.device).dilate(mask, reach_px)
