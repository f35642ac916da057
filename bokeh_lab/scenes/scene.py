"""What a synthetic clip consists of: textured planes that move in front of a camera."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

TRANSPARENT = 0.01
"""Rays pass a layer of less alpha as if it were not there (Eq. 6)."""


@dataclass(frozen=True)
class Plane:
    """A textured cut-out on a plane, over the frames of a clip.

    Pixel coordinates count from the centre of the first pixel; x grows to the right, y downwards.

    Attributes:
        texture: [4, h, w]: display RGB of 0 or more, where more than 1 is brighter than white, and straight
            alpha in [0, 1]. Outside it the plane is transparent.
        placement: float64 [T, 2, 3], affine map from frame px (x, y, 1) to texture px.
        disparity: float64 [T, 3], (d_0, d_x, d_y): disparity at frame px (x, y) is d_0 + d_x x + d_y y,
            normalised over the clip like a disparity map: 1 = nearest, 0 = farthest.
    """

    texture: Tensor
    placement: Tensor
    disparity: Tensor


@dataclass(frozen=True)
class LayeredFrame:
    """One frame with all its layers, nearest first; what a layer hides is complete.

    Attributes:
        color: [P, 3, H, W] display values, 0 or more.
        alpha: [P, H, W] in [0, 1], straight.
        disparity: float64 [P, 3], (d_0, d_x, d_y) as in `Plane`.
    """

    color: Tensor
    alpha: Tensor
    disparity: Tensor

    def disparity_maps(self) -> Tensor:
        """Disparity of every layer at every pixel: float32 [P, H, W]."""
        height, width = self.alpha.shape[-2:]
        y = torch.arange(height, dtype=torch.float64, device=self.alpha.device)[:, None]
        x = torch.arange(width, dtype=torch.float64, device=self.alpha.device)
        d_0, d_x, d_y = (part[:, None, None] for part in self.disparity.to(y.device).unbind(1))
        return (d_0 + d_x * x + d_y * y).float()


@dataclass(frozen=True)
class Scene:
    """A clip of moving planes and the lens that looks at it.

    Attributes:
        planes: any order; the last one in depth should cover the frame.
        height, width: of the frames in px.
        focal_disparity: float32 [T] in [0, 1].
        blur_strength_px: float32 [T], K >= 0 in px of these frames.
        subject: index into `planes` of what is in focus for the longest time.
    """

    planes: tuple[Plane, ...]
    height: int
    width: int
    focal_disparity: Tensor
    blur_strength_px: Tensor
    subject: int

    @property
    def num_frames(self) -> int:
        """Length of the clip."""
        return len(self.focal_disparity)

    def order(self, frame: int) -> list[int]:
        """Indices of the planes, nearest first, by the disparity in the middle of what each shows."""
        return sorted(range(len(self.planes)), key=lambda p: -self._middle_disparity(p, frame))

    def layers(self, frame: int, device: torch.device | str = "cpu") -> LayeredFrame:
        """Draw every plane of one frame, sharp, sampled bilinearly in premultiplied colour."""
        drawn = [self._draw(self.planes[p], frame, device) for p in self.order(frame)]
        alpha = torch.stack([planes[3] for planes in drawn])
        # A quotient of two rounded values may be a little brighter than what it comes from.
        brightest = max(1.0, *(float(self.planes[p].texture[:3].max()) for p in self.order(frame)))
        color = torch.stack([planes[:3] / planes[3:].clamp(min=1e-6) for planes in drawn]).clamp(0, brightest)
        disparity = torch.stack([self.planes[p].disparity[frame] for p in self.order(frame)])
        return LayeredFrame(color, alpha, disparity)

    def _middle_disparity(self, plane: int, frame: int) -> float:
        item = self.planes[plane]
        height, width = item.texture.shape[-2:]
        to_texture = item.placement[frame].double()
        middle = torch.tensor([(width - 1) / 2, (height - 1) / 2], dtype=torch.float64)
        x, y = torch.linalg.solve(to_texture[:, :2], middle - to_texture[:, 2]).tolist()
        # A plane may reach far out of the frame; what counts is where it is seen.
        x, y = min(max(x, 0), self.width - 1), min(max(y, 0), self.height - 1)
        d_0, d_x, d_y = item.disparity[frame].tolist()
        return float(d_0 + d_x * x + d_y * y)

    def _draw(self, plane: Plane, frame: int, device: torch.device | str) -> Tensor:
        """Premultiplied RGBA [4, H, W] of one plane."""
        texture = plane.texture.to(device, torch.float32)
        premultiplied = torch.cat([texture[:3] * texture[3:], texture[3:]])
        y, x = torch.meshgrid(
            torch.arange(self.height, dtype=torch.float64),
            torch.arange(self.width, dtype=torch.float64),
            indexing="ij",
        )
        at = torch.stack([x, y, torch.ones_like(x)], -1) @ plane.placement[frame].double().T  # [H, W, 2]
        size = torch.tensor([texture.shape[2], texture.shape[1]], dtype=torch.float64)
        grid = ((2 * at + 1) / size - 1).float().to(device)
        return F.grid_sample(
            premultiplied[None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=False
        )[0]
