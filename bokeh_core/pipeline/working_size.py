"""The size the network works at, and the way there and back: its sides must be multiples of 64 pixels."""

import math
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from ..published import TRAINED_SIZE_PX

MULTIPLE_PX = 64
SMALLEST_SIDE_PX = 64
# A side this close to a multiple of 64 is stretched to it; padding by almost 64 rows for 2 % would cost more.
SNAP_FRACTION = 0.02

WorkingSize = tuple[int, int] | Literal["auto", "native"]


def _resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Stretch [N, C, H, W] to `size` (height, width), bilinear and antialiased."""
    if images.shape[-2:] == size:
        return images
    return F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)


def _pad_to_multiple(side_px: int) -> int:
    return -side_px % MULTIPLE_PX


@dataclass(frozen=True)
class WorkingGeometry:
    """How frames become the network's: stretched to `inner`, then mirrored out to multiples of 64.

    Attributes:
        source: (height, width) of the user's frames.
        inner: (height, width) of the same picture at working scale.
    """

    source: tuple[int, int]
    inner: tuple[int, int]

    @property
    def padded(self) -> tuple[int, int]:
        """(height, width) that the network sees, multiples of 64."""
        height, width = self.inner
        return height + _pad_to_multiple(height), width + _pad_to_multiple(width)

    def stretch(self, images: Tensor) -> Tensor:
        """[N, C, H, W] at the source's size -> at `inner`, without the mirrored border."""
        return _resize(images, self.inner)

    def pad(self, images: Tensor) -> Tensor:
        """[N, C, h, w] at `inner` -> at `padded`, mirrored beyond the right and bottom edges."""
        below, beside = (total - side for total, side in zip(self.padded, self.inner, strict=True))
        if below == beside == 0:
            return images
        return F.pad(images, (0, beside, 0, below), mode="reflect")

    def restore(self, images: Tensor) -> Tensor:
        """[N, C, h, w] in [0, 1] at `padded` -> at the source's size, cropped and then enlarged."""
        images = images[..., : self.inner[0], : self.inner[1]]
        if self.inner == self.source:
            return images
        enlarged = F.interpolate(images, self.source, mode="bicubic", antialias=True, align_corners=False)
        return enlarged.clamp(0, 1)


def _snap(side_px: float) -> int:
    """A side's nearest multiple of 64 if that is within 2 %, else the nearest pixel."""
    nearest = max(round(side_px / MULTIPLE_PX), 1) * MULTIPLE_PX
    if abs(nearest - side_px) <= SNAP_FRACTION * side_px:
        return nearest
    return max(round(side_px), SMALLEST_SIDE_PX)


def working_geometry(
    height: int,
    width: int,
    working_size: WorkingSize = "auto",
    auto_size_px: tuple[int, int] = TRAINED_SIZE_PX,
) -> WorkingGeometry:
    """Decide the working size of a clip.

    Args:
        height: of the frames in pixels, >= 64.
        width: of the frames in pixels, >= 64.
        working_size: (width, height) in pixels, to which frames are stretched whatever their shape, as the
            published pipeline does with (1024, 576); `native` keeps every pixel; `auto` is native up to the
            area of `auto_size_px` and shrinks larger frames to that area, shape kept.
        auto_size_px: (width, height), of the area that a model was trained at.

    Raises:
        ValueError: frames or working size under 64 px a side, or an unknown name.
    """
    if min(height, width) < SMALLEST_SIDE_PX:
        raise ValueError(
            f"Frames are {width} x {height}; the model needs at least {SMALLEST_SIDE_PX} px on both sides. "
            "Enlarge them first."
        )
    if not isinstance(working_size, str):
        inner_width, inner_height = working_size
        if min(inner_width, inner_height) < SMALLEST_SIDE_PX:
            raise ValueError(
                f"The working size is {inner_width} x {inner_height}; both sides must be at least "
                f"{SMALLEST_SIDE_PX} px, for example {TRAINED_SIZE_PX[0]} x {TRAINED_SIZE_PX[1]}."
            )
        return WorkingGeometry((height, width), (inner_height, inner_width))
    if working_size not in ("auto", "native"):
        raise ValueError(f"working_size is {working_size!r}; it must be 'auto', 'native' or (width, height).")
    scale = math.sqrt(math.prod(auto_size_px) / (height * width))
    if working_size == "native" or scale >= 1:
        return WorkingGeometry((height, width), (height, width))
    return WorkingGeometry((height, width), (_snap(height * scale), _snap(width * scale)))
