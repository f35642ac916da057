"""Grain: the noise of the footage that the blur took comes back.

In an area of one brightness the blur multiplies the spectrum of the noise by H, that of the aperture's image.
What is added has the spectrum of the noise times 1 - H^2, so that both together have that of the noise.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..transfer import DISPLAY, as_seen, from_picture
from .aperture import Aperture, lens_kernel
from .light import LUMA_WEIGHTS
from .noise import Noise, measured_noise

# Blur radii, in px, of which the loss is known; between them it is mixed.
_RADII_PX = (0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0, 22.0, 36.0)
# As of the first slab: nearer to focus, a pixel is a mixture of sharp and of this.
_FIRST_SLAB_PX = 0.5
_SEED = 0x6772_6169_6E
_PADDING_PX = 32


def with_grain(
    blurred: Tensor,
    frame: Tensor,
    radius_px: Tensor,
    aperture: Aperture,
    amount: float,
    number: int,
    transfer: str = DISPLAY,
) -> Tensor:
    """Give a blurred frame its noise back.

    Args:
        blurred: [H, W, C] as rendered, C = 1, 3 or 4; alpha is left alone.
        frame: [H, W, C], the sharp one, in which the noise is measured.
        radius_px: [H, W], signed blur radius, near positive.
        aperture: whose image blurred it; cat-eye and swirl count as in the middle of the frame.
        amount: 0 = none, 1 = as much as the blur took.
        number: of the frame in its clip; the same number has the same noise.
        transfer: how the numbers mean light, one of `transfer.TRANSFERS`.

    Returns:
        [H, W, C], no brighter or darker than what is in the sharp frame, black and white.
    """
    if amount == 0:
        return blurred
    colours = min(frame.shape[-1], 3)
    sharp = as_seen(frame[..., :colours], transfer)
    noise = measured_noise(sharp.movedim(-1, 0).cpu())
    if noise is None:
        return blurred
    seen = as_seen(blurred[..., :colours], transfer)
    planes = seen.movedim(-1, 0)  # HWC -> CHW
    luma = planes[0] if colours == 1 else sum(w * c for w, c in zip(LUMA_WEIGHTS, planes, strict=True))
    grain = lost_noise(noise, radius_px.to(planes), aperture, number)
    kinds = amount * noise.deviation_at(torch.as_tensor(luma)) * grain
    added = torch.einsum("cd,dhw->hwc", noise.colours.to(planes), kinds)
    lowest, highest = min(sharp.min().item(), 0.0), max(sharp.max().item(), 1.0)
    # Where the picture is beyond them itself, it stays.
    grown = (seen + added).clamp(seen.clamp(max=lowest), seen.clamp(min=highest))
    back = from_picture(grown, transfer).to(blurred.dtype)
    untouched = (added == 0).all(-1, keepdim=True)
    back = torch.where(untouched, blurred[..., :colours], back)
    return torch.cat([back, blurred[..., colours:]], dim=-1)


def lost_noise(noise: Noise, radius_px: Tensor, aperture: Aperture, number: int) -> Tensor:
    """Noise as the blur took it: [C, H, W], each kind of deviation 1 or less, 0 where all is sharp.

    Args:
        noise: of the frame.
        radius_px: [H, W], signed blur radius.
        aperture: see `with_grain`.
        number: of the frame.
    """
    height, width = radius_px.shape
    size = tuple(-(-side // _PADDING_PX) * _PADDING_PX for side in (height, width))
    generator = torch.Generator().manual_seed(_SEED + number)
    # Made in main memory: the same on every device.
    white = torch.randn(len(noise.power), *size, generator=generator).to(radius_px)
    spectrum = torch.fft.rfft2(white) * _amplitude(noise.power, size).to(radius_px)
    shares, in_focus = _shares(radius_px, aperture, size)
    total = torch.zeros(len(white), height, width, dtype=radius_px.dtype, device=radius_px.device)
    for level_px, share in shares.items():
        passed = _passed(aperture, level_px, size).to(radius_px)
        taken = torch.fft.irfft2(spectrum * (1 - passed.square()).clamp(min=0).sqrt(), s=size)
        kept = float(passed.mean())
        # A pixel that is partly sharp keeps more of its noise than its blurred part alone.
        factor = (
            (1 + in_focus + (1 - in_focus) * kept) / ((1 + kept) * (1 - in_focus).clamp(min=1e-6))
        ).sqrt()
        total += share * factor * taken[:, :height, :width]
    return total


def _shares(
    radius_px: Tensor, aperture: Aperture, size: tuple[int, ...]
) -> tuple[dict[float, Tensor], Tensor]:
    """How much of each pixel is blurred by which radius, [H, W] for each radius, and how much is sharp.

    What is in front of the focus spreads over what is behind it.
    """
    height, width = radius_px.shape
    ladder = torch.tensor(_RADII_PX, dtype=radius_px.dtype, device=radius_px.device)
    place = torch.searchsorted(ladder, radius_px.abs().contiguous(), right=True).clamp(1, len(ladder) - 1)
    step = ladder[place] - ladder[place - 1]
    upper = ((radius_px.abs() - ladder[place - 1]) / step).clamp(0, 1)
    near = radius_px > 0
    covered = torch.zeros_like(radius_px)
    found: dict[float, Tensor] = {}
    behind: dict[float, Tensor] = {}
    for index, level_px in enumerate(_RADII_PX):
        weight = torch.where(place == index, upper, 0) + torch.where(place == index + 1, 1 - upper, 0)
        if not bool((weight > 0).any()):
            continue
        behind[level_px] = torch.where(near, 0, weight)
        spread = torch.where(near, weight, 0)
        if level_px > _FIRST_SLAB_PX and bool((spread > 0).any()):
            passed = _passed(aperture, level_px, size).to(radius_px)
            padded = torch.nn.functional.pad(spread, (0, size[1] - width, 0, size[0] - height))
            spread = torch.fft.irfft2(torch.fft.rfft2(padded) * passed, s=size)[:height, :width].clamp(min=0)
        found[level_px] = spread
        covered = covered + spread
    # Where the foreground is thin at its rim, what is behind it counts as that pixel's own blur.
    scale = covered.clamp(min=1)
    rest = (1 - covered).clamp(min=0)
    for level_px, own in behind.items():
        whole = torch.where(near, found[level_px] / covered.clamp(min=1e-6), own)
        found[level_px] = found[level_px] / scale + rest * whole
    in_focus = found.pop(0.0, torch.zeros_like(radius_px)).clamp(0, 1)
    return found, in_focus


def _passed(aperture: Aperture, radius_px: float, size: tuple[int, ...]) -> Tensor:
    """Share of the amplitude at each frequency that a blur lets through, [h, w // 2 + 1] in [0, 1]."""
    if radius_px < _FIRST_SLAB_PX:
        part = radius_px / _FIRST_SLAB_PX
        return 1 - part + part * _passed(aperture, _FIRST_SLAB_PX, size)
    kernel = np.asarray(lens_kernel(aperture, radius_px))
    reach = kernel.shape[0] // 2
    rows = np.arange(-reach, reach + 1)
    placed = torch.zeros(size)
    # Kernels wider than a small frame wrap around, as its noise does.
    index = [torch.from_numpy(rows % side) for side in size]
    placed.index_put_(
        (index[0][:, None], index[1][None, :]), torch.from_numpy(kernel.copy()).float(), accumulate=True
    )
    return torch.fft.rfft2(placed).abs().clamp(max=1)


def _amplitude(power: Tensor, size: tuple[int, ...]) -> Tensor:
    """Amplitude [C, h, w // 2 + 1] of noise of a spectrum [C, b, b], for transforms of another size."""
    logs = power.double().log()
    # Between the frequencies that are known the logarithm is linear; it goes on around the ends.
    for dim, length in ((1, size[0]), (2, size[1])):
        block = logs.shape[dim]
        place = torch.fft.fftfreq(length, dtype=torch.float64) * block
        below = place.floor()
        share = (place - below).reshape([-1 if d == dim else 1 for d in range(3)])
        low, high = (logs.index_select(dim, (below.long() + step) % block) for step in (0, 1))
        logs = torch.lerp(low, high, share.expand_as(low))
    amplitude = (logs / 2).exp()
    amplitude = amplitude / amplitude.square().mean((1, 2), keepdim=True).sqrt()
    return amplitude[..., : size[1] // 2 + 1].float()
