"""Faults of estimated depth around the subject in focus, for stage 2 (section 3.4).

Elastic distortion, then Perlin noise where the distortion moved the subject's outline, then dilation or
erosion of the outline. Elsewhere the map stays as it is, unless it is softened as a whole.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.lens.convolve import gaussian
from bokeh_core.lens.neighbourhood import dilate


@dataclass(frozen=True)
class DisparityNoise:
    """Strength of the faults, lengths in px of the frames; defaults as published for 1024 px wide ones.

    Attributes:
        probability: share of clips that get any, in [0, 1].
        elastic_alpha: displacement before smoothing, px.
        elastic_sigma_px: standard deviation of the smoothing.
        perlin_scales_px: cells of the noise's octaves.
        perlin_amplitudes: weight of each octave.
        perlin_share: greatest noise as a share of the focal disparity.
        kernels_px: widths from which the dilation or erosion is drawn, odd.
        reach_px: how far from the outline the distortion may act.
        soften_px: greatest standard deviation of a Gaussian over the whole map, as estimated depth has soft
            edges; drawn once a clip, from 0. Not published.
    """

    probability: float = 0.5
    elastic_alpha: float = 50.0
    elastic_sigma_px: float = 4.0
    perlin_scales_px: tuple[int, ...] = (50, 20, 10)
    perlin_amplitudes: tuple[float, ...] = (0.5, 0.3, 0.2)
    perlin_share: float = 0.1
    kernels_px: tuple[int, ...] = (3, 5, 7)
    reach_px: int = 16
    soften_px: float = 0.0


def disturb_disparity(
    disparity: Tensor,
    focal_disparity: Tensor,
    noise: DisparityNoise,
    generator: torch.Generator,
    in_focus_disparity: float = 0.05,
) -> Tensor:
    """Disturb a clip's disparity around what is in focus, or leave it alone, as the generator draws.

    Whether and by which kernel is drawn once a clip; distortion and noise are drawn anew for each frame, as
    the faults of a depth network flicker.

    Args:
        disparity: [T, H, W] in [0, 1].
        focal_disparity: [T].
        noise: see `DisparityNoise`.
        generator: on the CPU.
        in_focus_disparity: what is closer than this to the focus is the subject.

    Returns:
        [T, H, W] in [0, 1].
    """
    if float(torch.rand((), generator=generator)) >= noise.probability:
        return disparity
    kernel_px = noise.kernels_px[int(torch.randint(len(noise.kernels_px), (), generator=generator))]
    grows = bool(torch.rand((), generator=generator) < 0.5)
    sigma_px = noise.soften_px * float(torch.rand((), generator=generator)) if noise.soften_px > 0 else 0.0
    frames = []
    for values, focal in zip(disparity, focal_disparity.tolist(), strict=True):
        subject = (values - focal).abs() <= in_focus_disparity
        outline = dilate(subject, 1) & dilate(~subject, 1)
        zone = dilate(outline, noise.reach_px)
        warp = _elastic_field(values.shape, noise, generator).to(values.device)
        warped = _warp(values, warp)
        warped_subject = _warp(subject.float(), warp) > 0.5
        moved = zone & (warped_subject ^ subject)
        perlin = perlin_noise(values.shape, noise.perlin_scales_px, noise.perlin_amplitudes, generator)
        noisy = torch.where(zone, warped, values)
        noisy = noisy + moved * perlin.to(values) * noise.perlin_share * focal
        subject = torch.where(zone, warped_subject, subject)
        frames.append(_move_outline(noisy, subject, kernel_px // 2, grows).clamp(0, 1))
    disturbed = torch.stack(frames)
    return gaussian(disturbed, sigma_px) if sigma_px > 0 else disturbed


def perlin_noise(
    shape: tuple[int, ...],
    scales_px: tuple[int, ...],
    amplitudes: tuple[float, ...],
    generator: torch.Generator,
) -> Tensor:
    """Gradient noise [H, W] of several octaves, within about [-1, 1] times the sum of the amplitudes.

    Args:
        shape: (H, W).
        scales_px: width of the cells of each octave.
        amplitudes: weight of each octave.
        generator: on the CPU.
    """
    total = torch.zeros(shape)
    for scale, amplitude in zip(scales_px, amplitudes, strict=True):
        total += amplitude * _perlin_octave(shape, scale, generator)
    return total


def _perlin_octave(shape: tuple[int, ...], scale_px: int, generator: torch.Generator) -> Tensor:
    rows, columns = (side // scale_px + 2 for side in shape)
    angle = 2 * torch.pi * torch.rand(rows, columns, generator=generator)
    y, x = (torch.arange(side) / scale_px for side in shape)
    cell_y, cell_x = y.long()[:, None], x.long()[None]
    at_y, at_x = (y - y.floor())[:, None], (x - x.floor())[None]
    fade_y, fade_x = (at**3 * (at * (at * 6 - 15) + 10) for at in (at_y, at_x))

    def corner(down: int, right: int) -> Tensor:
        direction = angle[cell_y + down, cell_x + right]
        return direction.cos() * (at_x - right) + direction.sin() * (at_y - down)

    upper = torch.lerp(corner(0, 0), corner(0, 1), fade_x.expand(shape))
    lower = torch.lerp(corner(1, 0), corner(1, 1), fade_x.expand(shape))
    # The greatest value of two-dimensional gradient noise is 1 / sqrt(2).
    return 2**0.5 * torch.lerp(upper, lower, fade_y.expand(shape))


def _elastic_field(shape: tuple[int, ...], noise: DisparityNoise, generator: torch.Generator) -> Tensor:
    """Smooth random displacement [2, H, W] in px (x, y)."""
    raw = 2 * torch.rand(2, *shape, generator=generator) - 1
    return gaussian(raw, noise.elastic_sigma_px) * noise.elastic_alpha


def _warp(values: Tensor, displacement: Tensor) -> Tensor:
    """[H, W] sampled bilinearly at its own positions plus a displacement [2, H, W] in px."""
    height, width = values.shape
    y = torch.arange(height, device=values.device)[:, None] + displacement[1]
    x = torch.arange(width, device=values.device) + displacement[0]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)
    return F.grid_sample(
        values[None, None], grid[None], mode="bilinear", padding_mode="border", align_corners=False
    )[0, 0]


def _move_outline(values: Tensor, subject: Tensor, reach_px: int, grows: bool) -> Tensor:
    """Let the subject grow over its surroundings by `reach_px`, or shrink before them."""
    spreads = subject if grows else ~subject
    grown = dilate(spreads, reach_px)
    # The mean over what spreads within reach: neither side's disparity need be an extreme.
    weight = spreads.float()
    both = torch.stack([values * weight, weight])
    total, share = F.avg_pool2d(both, 2 * reach_px + 1, 1, reach_px, count_include_pad=False)
    return torch.where(grown & ~spreads, total / share.clamp(min=1e-6), values)
