"""A clip with its focus and blur settings, checked to belong together -> the tensors the network takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from einops import repeat
from torch import Tensor

from ..clip.checks import checked_frames, checked_maps, checked_values
from ..clip.lengths import broadcast_over_frames
from ..coc import EQ_1, Falloff, disparity_that_blurs_alike, signed_circle_of_confusion_px
from ..mpi import mpi_regions, region_thresholds
from ..published import MPI_ALPHA, TRAINED_SIZE_PX, MPIMode
from ..reference_width import in_frame_px
from ..strength import checked_strength_px
from ..transfer import DISPLAY, LINEAR, light_of, values_of
from .working_size import WorkingGeometry, WorkingSize, working_geometry


def as_pictures(frames: Tensor, transfer: str = DISPLAY) -> Tensor:
    """Frames [N, 3, H, W] in steps as the eye sees them, from black to white."""
    # No network has seen light brighter than white.
    return (values_of(light_of(frames, LINEAR), DISPLAY) if transfer == LINEAR else frames).clamp(0, 1)


def stretched(
    frames: Tensor, geometry: WorkingGeometry, device: torch.device, transfer: str = DISPLAY
) -> Tensor:
    """Frames [N, 3, H, W] as pictures [N, 3, h, w] in [-1, 1] at working scale, without border."""
    return geometry.stretch(as_pictures(frames.to(device, torch.float32), transfer)) * 2 - 1


@dataclass(frozen=True)
class BokehInputs:
    """A clip and its settings, checked to belong together, served as the network wants them.

    Attributes:
        frames: [T, 3, H, W], 0 = black, 1 = white; the network sees what lies between.
        disparity: [T, H, W] in [0, 1], 1 = near.
        focal_disparity: [T].
        blur_strength_px: [T], K >= 0 in pixels at the working size.
        geometry: from the frames' size to the working size.
        regions: uint8 [T, H, W], region of Eq. 2 at each pixel; None makes them from the disparity.
        mpi_alpha: of Eq. 2 where `regions` is None.
        falloff: how the blur radius grows, in px at the working size, or one for each frame; no factor above
            1, see `with_falloff`. The network sees the disparity that blurs alike.
        transfer: how the numbers of the frames mean light, one of `transfer.TRANSFERS`.
    """

    frames: Tensor
    disparity: Tensor
    focal_disparity: Tensor
    blur_strength_px: Tensor
    geometry: WorkingGeometry
    regions: Tensor | None = None
    mpi_alpha: float = MPI_ALPHA
    falloff: Falloff | Sequence[Falloff] = EQ_1
    transfer: str = DISPLAY

    @property
    def frame_scale(self) -> float:
        """Pixels of the frames in a pixel of the working size."""
        return self.geometry.source[1] / self.geometry.inner[1]

    @property
    def num_frames(self) -> int:
        """T, the length of the clip."""
        return self.frames.shape[0]

    def stretched_frames(self, start: int, stop: int, device: torch.device) -> Tensor:
        """[N, 3, h, w] in [-1, 1] at working scale, without border: what the image encoder sees."""
        return stretched(self.frames[start:stop], self.geometry, device, self.transfer)

    def network_frames(self, start: int, stop: int, device: torch.device) -> Tensor:
        """[N, 3, h, w] in [-1, 1], sides multiples of 64."""
        return self.geometry.pad(self.stretched_frames(start, stop, device))

    def network_defocus(self, start: int, stop: int, device: torch.device) -> Tensor:
        """2 |d - d_f| - 1, [N, 3, h, w]: distance from the focal plane as an image, made before shrinking."""
        # In 8-bit steps and back, as the released loader does: float32 images then agree to the last bit.
        focal = (self.focal_disparity[start:stop].cpu().double() * 255).to(device, torch.float32)
        disparity = self.seen_disparity(start, stop).to(device, torch.float32) * 255
        distance = (disparity - focal[:, None, None]).abs() / 255
        image = self.geometry.pad(self.geometry.stretch(distance[:, None])) * 2 - 1
        return repeat(image, "t 1 h w -> t c h w", c=3)

    def seen_disparity(self, start: int, stop: int) -> Tensor:
        """Disparity [N, H, W] in [0, 1] that stands for the radius wanted, see `falloff`."""
        falloff = self.falloff if isinstance(self.falloff, Falloff) else self.falloff[start:stop]
        return disparity_that_blurs_alike(
            self.disparity[start:stop],
            self.focal_disparity[start:stop],
            self.blur_strength_px[start:stop],
            falloff,
        )

    def with_falloff(self, falloff: Falloff | Sequence[Falloff]) -> BokehInputs:
        """The same clip with a falloff stated for frames 1024 px wide, one or one for each frame.

        Its greater factor goes into the strength, so that the disparity that the network sees stays in range.
        """
        width = self.geometry.inner[1]

        def turned(one: Falloff) -> tuple[Falloff, float]:
            bends, factor = one.scaled_to_one()
            return replace(bends, largest_radius_px=in_frame_px(bends.largest_radius_px, width)), factor

        if isinstance(falloff, Falloff):
            bends, factor = turned(falloff)
            return replace(self, falloff=bends, blur_strength_px=self.blur_strength_px * factor)
        each = [turned(one) for one in falloff]
        factors = torch.tensor([factor for _, factor in each])
        return replace(
            self,
            falloff=tuple(bends for bends, _ in each),
            blur_strength_px=self.blur_strength_px * factors.to(self.blur_strength_px),
        )

    def radius(self, start: int, stop: int, device: torch.device) -> Tensor:
        """Signed blur radius K (d - d_f) in px at working size, [N, 1, H, W], near positive (Eq. 1)."""
        return signed_circle_of_confusion_px(
            self.seen_disparity(start, stop).to(device, torch.float32),
            # Where they are: they are checked, and a device would have to be asked.
            self.focal_disparity[start:stop],
            self.blur_strength_px[start:stop],
        )[:, None]

    def network_radius(self, start: int, stop: int, device: torch.device) -> Tensor:
        """The same at the size that the network sees, [N, 1, h, w]."""
        return self.geometry.pad(self.geometry.stretch(self.radius(start, stop, device)))

    def network_regions(
        self, start: int, stop: int, device: torch.device, mpi_mode: MPIMode
    ) -> Tensor | None:
        """uint8 [N, h, w], regions at the size the network sees, shrunk as the released code does.

        None in `released` mode, which reads none.
        """
        if mpi_mode != "paper":
            return None
        if self.regions is None:
            disparity, focal_disparity = self.seen_disparity(start, stop), self.focal_disparity[start:stop]
            regions = mpi_regions(disparity, focal_disparity, alpha=self.mpi_alpha)
        else:
            regions = self.regions[start:stop]
        images = regions[:, None].to(device, torch.float32)
        return self.geometry.pad(self.geometry.stretch(images)).round().to(torch.uint8)[:, 0]


def bokeh_inputs(
    frames: Tensor,
    disparity: Tensor,
    focal_disparity: Tensor,
    blur_strength_px: Tensor,
    *,
    regions: Tensor | None = None,
    mpi_alpha: float = MPI_ALPHA,
    working_size: WorkingSize = "auto",
    auto_size_px: tuple[int, int] = TRAINED_SIZE_PX,
) -> BokehInputs:
    """Check that a clip and its settings belong together.

    Args:
        frames: [T, 3, H, W], sides of 64 px or more; 0 = black, 1 = white; the network sees what is brighter
            as white.
        disparity: [T, H, W] in [0, 1], 1 = near; one map serves a whole clip.
        focal_disparity: [T] or [1].
        blur_strength_px: [T] or [1], K >= 0 in pixels at the working size (trained for 1 to 32).
        regions: uint8 [T, H, W] for `paper` mode; made from the disparity by Eq. 2 when None.
        mpi_alpha: alpha of Eq. 2 where `regions` is None.
        working_size: see `working_geometry`, as for `auto_size_px`.

    Raises:
        ValueError: shapes or lengths disagree, a value is not finite or out of range, frames are under 64 px.
    """
    frames = checked_frames(frames, channels_last=False)
    count, _, height, width = frames.shape
    geometry = working_geometry(height, width, working_size, auto_size_px)
    disparity = checked_maps(disparity, "disparity", (height, width))
    if regions is not None:
        regions = _checked_regions(regions, height, width)
    focal_disparity = checked_values(focal_disparity, "focal_disparity")
    region_thresholds(focal_disparity, alpha=mpi_alpha)
    blur_strength_px = checked_strength_px(blur_strength_px, geometry.inner[1])
    return BokehInputs(
        frames,
        broadcast_over_frames(disparity, count, "disparity"),
        broadcast_over_frames(focal_disparity, count, "focal_disparity"),
        broadcast_over_frames(blur_strength_px, count, "blur strength"),
        geometry,
        None if regions is None else broadcast_over_frames(regions, count, "MPI region"),
        mpi_alpha,
    )


def _checked_regions(regions: Tensor, height: int, width: int) -> Tensor:
    if not isinstance(regions, Tensor) or regions.dtype != torch.uint8:
        kind = str(regions.dtype) if isinstance(regions, Tensor) else type(regions).__name__
        raise ValueError(f"MPI region maps are {kind}; MPI Focal-Plane Mask gives uint8.")
    if regions.ndim != 3 or regions.shape[1:] != (height, width):
        raise ValueError(
            f"MPI region maps have shape {tuple(regions.shape)}; "
            f"frames of {width} x {height} need [T, {height}, {width}]."
        )
    return regions
