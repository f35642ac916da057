"""A clip and its focus and blur settings, checked to belong together, as the network wants to see them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import repeat
from torch import Tensor

from .clip_length import broadcast_over_frames
from .coc import signed_circle_of_confusion_px
from .working_size import WorkingGeometry, WorkingSize, working_geometry


@dataclass(frozen=True)
class BokehInputs:
    """A clip and its settings, checked to belong together, served as the network wants them.

    Attributes:
        frames: [T, 3, H, W] in [0, 1].
        disparity: [T, H, W] in [0, 1], 1 = near.
        focal_disparity: [T].
        blur_strength: [T], K >= 0 in pixels at the working size.
        geometry: from the frames' size to the working size.
        regions: uint8 [T, H, W], region of Eq. 2 at each pixel, or None where they are not read.
    """

    frames: Tensor
    disparity: Tensor
    focal_disparity: Tensor
    blur_strength: Tensor
    geometry: WorkingGeometry
    regions: Tensor | None = None

    @property
    def num_frames(self) -> int:
        return self.frames.shape[0]

    def stretched_frames(self, start: int, stop: int, device: torch.device) -> Tensor:
        """[N, 3, h, w] in [-1, 1] at working scale, without border: what the image encoder sees."""
        return self.geometry.stretch(self.frames[start:stop].to(device, torch.float32)) * 2 - 1

    def network_frames(self, start: int, stop: int, device: torch.device) -> Tensor:
        """[N, 3, h, w] in [-1, 1], sides multiples of 64."""
        return self.geometry.pad(self.stretched_frames(start, stop, device))

    def network_defocus(self, start: int, stop: int, device: torch.device) -> Tensor:
        """2 |d - d_f| - 1, [N, 3, h, w]: distance from the focal plane as an image, made before shrinking."""
        # In 8-bit steps and back, as the released loader does: float32 images then agree to the last bit.
        focal = (self.focal_disparity[start:stop].cpu().double() * 255).to(device, torch.float32)
        disparity = self.disparity[start:stop].to(device, torch.float32) * 255
        distance = (disparity - focal[:, None, None]).abs() / 255
        image = self.geometry.pad(self.geometry.stretch(distance[:, None])) * 2 - 1
        return repeat(image, "t 1 h w -> t c h w", c=3)

    def network_radius(self, start: int, stop: int, device: torch.device) -> Tensor:
        """Signed blur radius K (d - d_f) in px at working size, [N, 1, h, w], near positive (Eq. 1)."""
        radius_px = signed_circle_of_confusion_px(
            self.disparity[start:stop].to(device, torch.float32),
            self.focal_disparity[start:stop].to(device),
            self.blur_strength[start:stop].to(device),
        )
        return self.geometry.pad(self.geometry.stretch(radius_px[:, None]))

    def network_regions(self, start: int, stop: int, device: torch.device) -> Tensor | None:
        """uint8 [N, h, w], regions at the size the network sees, shrunk as the released code does."""
        if self.regions is None:
            return None
        regions = self.regions[start:stop, None].to(device, torch.float32)
        return self.geometry.pad(self.geometry.stretch(regions)).round().to(torch.uint8)[:, 0]


def bokeh_inputs(
    frames: Tensor,
    disparity: Tensor,
    focal_disparity: Tensor,
    blur_strength: Tensor,
    *,
    regions: Tensor | None = None,
    working_size: WorkingSize = "auto",
) -> BokehInputs:
    """Check that a clip and its settings belong together.

    Args:
        frames: [T, 3, H, W] in [0, 1], sides of 64 px or more.
        disparity: [T, H, W] in [0, 1], 1 = near; one map serves a whole clip.
        focal_disparity: [T] or [1].
        blur_strength: [T] or [1], K >= 0 in pixels at the working size (trained for 1 to 32).
        regions: uint8 [T, H, W], for `paper` mode.
        working_size: see `working_geometry`.

    Raises:
        ValueError: shapes or lengths disagree, a value is not finite, K is negative, frames are under 64 px.
    """
    if frames.ndim != 4 or frames.shape[1] != 3:
        raise ValueError(f"frames have shape {tuple(frames.shape)}; they must be [T, 3, H, W].")
    count, _, height, width = frames.shape
    if count == 0:
        raise ValueError("The clip has 0 frames; it needs at least 1.")
    geometry = working_geometry(height, width, working_size)
    for name, maps in (("disparity", disparity), ("MPI region", regions)):
        if maps is not None and (maps.ndim != 3 or maps.shape[1:] != (height, width)):
            raise ValueError(
                f"{name} maps have shape {tuple(maps.shape)}; "
                f"frames of {width} x {height} need [T, {height}, {width}]."
            )
    for name, values in (("focal_disparity", focal_disparity), ("blur_strength", blur_strength)):
        if values.ndim != 1:
            raise ValueError(f"{name} has shape {tuple(values.shape)}; give one value per frame, [{count}].")
        if not bool(torch.isfinite(values).all()):
            raise ValueError(f"{name} holds a value that is not a finite number.")
    if bool((blur_strength < 0).any()):
        raise ValueError(f"blur_strength is {blur_strength.min().item():g}; it must be 0 or more pixels.")
    return BokehInputs(
        frames,
        broadcast_over_frames(disparity, count, "disparity"),
        broadcast_over_frames(focal_disparity, count, "focal_disparity"),
        broadcast_over_frames(blur_strength, count, "blur_strength"),
        geometry,
        None if regions is None else broadcast_over_frames(regions, count, "MPI region"),
    )
