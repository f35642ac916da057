"""The renderer's steps in torch alone, on any device: few large kernels, and no wait for a list of pixels."""

import math

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..areas import inside, part_of
from ..occlusion import put_behind
from ..portions import by_planes, in_bands
from .protocol import Border, Piece


class AcceleratorBackend:
    """`Backend` in torch alone: each step in few large kernels."""

    direct_width_px = 9
    piece_cost_px = math.inf  # few large pieces keep it busy
    matte_pixels = 65536
    # A pass of 8 frames of 1024 x 576: beyond, its launches take far less time than its work.
    band_pixels = 5 * 2**20

    def frames_at_a_time(self) -> int:
        """One pass, which keeps it busy."""
        return 1

    def frames_a_pass(self) -> int:
        """As many as share the launches of a step until these take less time than its work."""
        return 8

    def correlate(self, planes: Tensor, kernel: np.ndarray, border: Border) -> Tensor:
        """A depthwise convolution."""
        weight = torch.from_numpy(np.ascontiguousarray(kernel)).to(planes)[None, None]
        rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2

        def correlated(stack: Tensor) -> Tensor:
            stack = stack[:, None]
            if border == "dark":
                return F.conv2d(stack, weight, padding=(rows, columns))[:, 0]
            return F.conv2d(F.pad(stack, (columns, columns, rows, rows), mode="replicate"), weight)[:, 0]

        return by_planes(correlated, planes, self.band_pixels)

    def gaussian(self, planes: Tensor, sigma_px: float, width_px: int) -> Tensor:
        """Columns, then rows."""
        profile = cv2.getGaussianKernel(width_px, sigma_px, cv2.CV_32F)
        weight = torch.from_numpy(np.ascontiguousarray(profile)).to(planes)[None, None]
        reach = width_px // 2

        def blurred(stack: Tensor) -> Tensor:
            padded = F.pad(stack[:, None], (reach,) * 4, mode="replicate")
            return F.conv2d(F.conv2d(padded, weight), weight.mT)[:, 0]

        return by_planes(blurred, planes, self.band_pixels)

    def local_max(self, values: Tensor, reach_px: int) -> Tensor:
        """By pooling along rows, then along columns."""
        width = 2 * reach_px + 1
        # Separable: rows, then columns; the square's width then costs linearly.
        stack = values.reshape(1, -1, *values.shape[-2:])
        rows = F.max_pool2d(stack, (1, width), 1, (0, reach_px))
        return F.max_pool2d(rows, (width, 1), 1, (reach_px, 0)).view_as(values)

    def local_min(self, values: Tensor, reach_px: int) -> Tensor:
        """By pooling what is negated."""
        return -self.local_max(-values, reach_px)

    def dilate(self, mask: Tensor, reach_px: int) -> Tensor:
        """By pooling zeros and ones."""
        return self.local_max(mask.float(), reach_px) > 0

    def halved(self, planes: Tensor) -> Tensor:
        """By average pooling."""
        return F.avg_pool2d(planes[None], 2, ceil_mode=True, count_include_pad=False)[0]

    def enlarged(self, planes: Tensor, size: tuple[int, int]) -> Tensor:
        """By linear interpolation, in one launch."""
        return F.interpolate(planes[None], size=size, mode="bilinear", align_corners=False)[0]

    def first_greatest(self, values: Tensor) -> Tensor:
        """By argmax, in one launch."""
        return values.argmax(0)

    def on_ladder(self, radius_px: Tensor, radii_px: list[float]) -> Tensor:
        """By a search in the ladder."""
        ladder = torch.tensor(radii_px, device=radius_px.device)
        radius = radius_px.clamp(radii_px[0], radii_px[-1])
        lower = (torch.searchsorted(ladder, radius.contiguous(), right=True) - 1).clamp_(
            0, max(len(radii_px) - 2, 0)
        )
        upper = (lower + 1).clamp_(max=len(radii_px) - 1)
        below_px = ladder[lower]
        step_px = (ladder[upper] - below_px).clamp_(min=1e-6)
        return (radius - below_px).div_(step_px).clamp_(0, 1).add_(lower)

    def paint(self, state: Tensor, pieces: list[Piece], radius_px: float) -> None:
        """In one formula for all pixels of a band."""
        frames = max(1, state[0].numel() // (state.shape[-2] * state.shape[-1]))
        for planes, area in pieces:
            for band in in_bands(area, self.band_pixels // frames):
                put_behind(part_of(state, band), part_of(planes, inside(band, area)), radius_px)
