"""Independent renderers and formulas that the lens tests compare with.

Nothing here calls the code under test except `render`, which only translates a radius map into the renderer's
arguments.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.lens import lens_blur

FOCUS = 0.5
K_PX = 128.0  # a power of two: radii that are multiples of 1/8 px survive the way through disparity exactly


def clip_of(radius_px: Tensor) -> dict[str, Any]:
    """Disparity, focus and strength that give the signed radii [T, H, W], |r| <= 64, near positive."""
    num_frames = radius_px.shape[0]
    return {
        "disparity": FOCUS + radius_px / K_PX,
        "focal_disparity": torch.full((num_frames,), FOCUS),
        "blur_strength_px": torch.full((num_frames,), K_PX),
    }


def render(frame: Tensor, radius_px: Tensor | float, **options: Any) -> Tensor:
    """Lens-blur one [H, W, C] frame with a signed radius map [H, W], or one radius everywhere."""
    radius_map = torch.as_tensor(radius_px, dtype=torch.float32).expand(frame.shape[:2])
    return lens_blur(frame[None], **clip_of(radius_map[None]), **options)[0]


def disk(radius_px: float) -> Tensor:
    """Disk of radius |r| on a pixel grid [k, k], each pixel the share of it inside that pixel; sum 1."""
    radius_px = abs(radius_px)
    half = math.ceil(radius_px)
    fine = 32
    axis = (torch.arange((2 * half + 1) * fine, dtype=torch.float64) + 0.5) / fine - (half + 0.5)
    inside = (torch.hypot(axis[:, None], axis) < radius_px).double()
    pixels = F.avg_pool2d(inside[None, None], fine)[0, 0]
    return (pixels / pixels.sum()).float()


def convolve(planes: Tensor, kernel: Tensor) -> Tensor:
    """Mean of the pixels of [C, H, W] around each one, weighted by a point-symmetric kernel.

    Pixels beyond the frame have no weight.
    """
    inside = torch.cat([planes, torch.ones_like(planes[:1])])
    sums = F.conv2d(inside[:, None], kernel[None, None], padding=kernel.shape[-1] // 2)[:, 0]
    return sums[:-1] / sums[-1]


def disk_edge_coverage(x_px: Tensor, radius_px: float) -> Tensor:
    """How much of a disk of radius r around x lies on the negative side of a straight edge at 0.

    The integral of the disk's chord length, 2 sqrt(r^2 - x^2) / (pi r^2), from x to r.
    """
    x = x_px.double().clamp(-radius_px, radius_px)
    segment = x * torch.sqrt(radius_px**2 - x**2) + radius_px**2 * torch.asin(x / radius_px)
    return (0.5 - segment / (math.pi * radius_px**2)).float()


def two_planes(
    near: Tensor, near_mask: Tensor, far: Tensor, near_radius_px: float, far_radius_px: float, gamma: float
) -> Tensor:
    """Exact picture of a flat cut-out in front of a flat background, one of the two in focus.

    The premultiplied foreground is spread by its disk and put over the spread background, of which every
    pixel is known. With one of the planes in focus this is what averaging over the lens gives.

    Args:
        near, far: [H, W, 3] display values. near_mask: [H, W] in {0, 1}.
    """
    alpha = near_mask[None]
    near_planes = torch.cat([near.permute(2, 0, 1) ** gamma * alpha, alpha])
    far_light = far.permute(2, 0, 1) ** gamma
    if near_radius_px:
        near_planes = convolve(near_planes, disk(near_radius_px))
    if far_radius_px:
        far_light = convolve(far_light, disk(far_radius_px))
    light = near_planes[:3] + (1 - near_planes[3:]) * far_light
    return (light.clamp(0, 1) ** (1 / gamma)).permute(1, 2, 0)


@dataclass(frozen=True)
class Sheet:
    """A flat cut-out of a scene: display colour [H, W, 3], mask [H, W], signed blur radius, near positive."""

    color: Tensor
    mask: Tensor
    radius_px: float


def photograph(sheets: list[Sheet], gamma: float, num_samples: int = 400) -> Tensor:
    """Average of pinhole views through points spread evenly over a round lens, in linear light.

    Seen from lens point u (in the unit disk) a sheet is displaced by r u; nearer sheets cover farther ones.
    """
    index = torch.arange(num_samples) + 0.5
    distance, angle = torch.sqrt(index / num_samples), index * math.pi * (3 - math.sqrt(5))
    points = torch.stack([distance * torch.cos(angle), distance * torch.sin(angle)], -1)
    nearest_first = sorted(sheets, key=lambda sheet: -sheet.radius_px)
    return sum(_view(nearest_first, point, gamma) for point in points).div(num_samples) ** (1 / gamma)  # type: ignore[union-attr]


def pinhole(sheets: list[Sheet]) -> tuple[Tensor, Tensor]:
    """What the camera records with everything sharp: frame [H, W, 3] and signed radius map [H, W]."""
    frame, radius_px = torch.zeros_like(sheets[0].color), torch.zeros_like(sheets[0].mask)
    for sheet in sorted(sheets, key=lambda sheet: sheet.radius_px):
        covers = sheet.mask > 0.5
        frame[covers], radius_px[covers] = sheet.color[covers], sheet.radius_px
    return frame, radius_px


def _view(nearest_first: list[Sheet], lens_point: Tensor, gamma: float) -> Tensor:
    through = torch.ones_like(nearest_first[0].mask)[None]
    light = torch.zeros_like(nearest_first[0].color).permute(2, 0, 1)
    for sheet in nearest_first:
        alpha = sheet.mask[None]
        planes = _displaced(
            torch.cat([sheet.color.permute(2, 0, 1) ** gamma * alpha, alpha]), lens_point, sheet
        )
        light = light + through * planes[:3]
        through = through * (1 - planes[3:])
    return light.permute(1, 2, 0)


def _displaced(planes: Tensor, lens_point: Tensor, sheet: Sheet) -> Tensor:
    height, width = planes.shape[-2:]
    x = torch.arange(width) - sheet.radius_px * lens_point[0]
    y = torch.arange(height) - sheet.radius_px * lens_point[1]
    rows, columns = torch.meshgrid((2 * y + 1) / height - 1, (2 * x + 1) / width - 1, indexing="ij")
    grid = torch.stack([columns, rows], -1)[None]
    return F.grid_sample(planes[None], grid, mode="bilinear", padding_mode="border", align_corners=False)[0]


def gather(frame: Tensor, radius_px: Tensor, gamma: float) -> Tensor:
    """The plain peer: every pixel becomes the mean of the disk of its own radius, whatever lies there."""
    light = frame.permute(2, 0, 1) ** gamma
    result = light.clone()
    for radius in radius_px.abs().unique().tolist():
        if radius > 0:
            here = radius_px.abs() == radius
            result[:, here] = convolve(light, disk(radius))[:, here]
    return (result ** (1 / gamma)).permute(1, 2, 0)


def psnr_db(picture: Tensor, truth: Tensor, where: Tensor | None = None) -> float:
    """Peak signal-to-noise ratio of [H, W, C] display values in [0, 1], over a mask [H, W] if given."""
    error = (picture - truth).square().mean(-1)
    return -10 * math.log10(float(error.mean() if where is None else error[where].mean()))


def random_texture(height: int, width: int, seed: int, low: float, high: float, grain_px: int = 3) -> Tensor:
    """Smooth random colours [H, W, 3] in [low, high], features about `grain_px` wide."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, height // grain_px + 2, width // grain_px + 2, generator=generator)
    smooth = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False).clamp(0, 1)[0]
    return (low + (high - low) * smooth).permute(1, 2, 0)


def dilated(mask: Tensor, reach_px: int) -> Tensor:
    """Mask [H, W] grown by a square that reaches `reach_px` to each side."""
    return F.max_pool2d(mask.float()[None, None], 2 * reach_px + 1, 1, reach_px)[0, 0]


def eroded(mask: Tensor, reach_px: int) -> Tensor:
    """Mask [H, W] shrunk likewise."""
    return 1 - dilated(1 - mask.float(), reach_px)
