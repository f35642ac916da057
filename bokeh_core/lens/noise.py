"""The noise of a frame, measured in the frame: how strong at which brightness, in which colours, how fine."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_BLOCK_PX = 32
_FEWEST_BLOCKS, _MOST_BLOCKS = 8, 2500
_LEVELS = 8
# A block whose power is as many times that of the quietest tenth of its brightness has texture besides noise:
# coarse power, of which a block has 16 samples, and all of it.
_MOST_COARSE, _MOST_FINE = 4.0, 2.0
_MOST_COARSE_SHARE = 0.3
# The furthest of 1024 px of noise lies 3 to 6 deviations away; where lamps stand on black, 10 and more.
_MOST_PEAK = 8.0
# Deviation at one brightness over that at another.
_MOST_CHANGE = 3.0
# How far above the curve that most lie on a logarithm of power may lie; how often the curve is fitted.
_ABOVE_CURVE, _FITS = 0.5, 12
_LEAST_SPREAD, _STEADY = 0.05, 0.5
# Below, in 8-bit steps a quarter, there is no noise to speak of.
_LEAST_DEVIATION = 1e-3
# Below, in periods a px, noise was taken out with the slope of a block; it goes on from what is beside.
_LOWEST_KNOWN, _BESIDE = 2 / _BLOCK_PX, 5 / _BLOCK_PX


@dataclass(frozen=True)
class Noise:
    """The noise of a frame, as a sum of C independent kinds of it.

    Attributes:
        colours: [C, C], column k is the colour of kind k, of length 1.
        deviation: [C, 8], standard deviation of each kind at the brightnesses (k + 0.5) / 8.
        power: [C, 32, 32], power of each kind at the frequencies of a transform of 32 x 32 px; its mean is 1.
    """

    colours: Tensor
    deviation: Tensor
    power: Tensor

    def deviation_at(self, luma: Tensor) -> Tensor:
        """Standard deviation [C, H, W] of each kind at a brightness [H, W] in [0, 1]."""
        place = (luma.clamp(0, 1) * _LEVELS - 0.5).clamp(0, _LEVELS - 1)
        below = place.floor().long().clamp(max=_LEVELS - 2)
        table = self.deviation.to(luma)
        return torch.lerp(table[:, below], table[:, below + 1], (place - below)[None])


def measured_noise(values: Tensor) -> Noise | None:
    """Measure the noise of a frame where it is flat.

    Args:
        values: [C, H, W] in main memory, colours as one looks at them.

    Returns:
        the noise, or None where the frame has none, or is under 64 px wide or high.
    """
    if min(values.shape[1:]) < 2 * _BLOCK_PX:
        return None
    blocks = _blocks_of(values.double())
    luma = blocks.mean((1, 2, 3))
    residual = blocks - _smooth_part(blocks)
    flat, level = _flattest(residual, luma)
    if len(flat) < _FEWEST_BLOCKS:
        return None
    residual = residual[flat]
    covariance = torch.einsum("nchw,ndhw->cd", residual, residual) / residual[:, 0].numel()
    if covariance.diagonal().max().sqrt().item() < _LEAST_DEVIATION:
        return None
    _, colours = torch.linalg.eigh(covariance)
    kinds = torch.einsum("cd,nchw->ndhw", colours, residual)
    # What a plane with curvature has taken out of a block.
    variance = kinds.square().mean((2, 3)) * (_BLOCK_PX**2 / (_BLOCK_PX**2 - _TERMS))
    deviation = _by_level(variance, level).sqrt()
    of_block = deviation[:, level].T[:, :, None, None].clamp(min=1e-9)
    return Noise(colours.float(), deviation.float(), _power(kinds / of_block).float())


def _blocks_of(values: Tensor) -> Tensor:
    """[N, C, 32, 32], overlapping by half where there are not too many."""
    step = max(_BLOCK_PX // 2, round(math.sqrt(values[0].numel() / _MOST_BLOCKS)))
    tiles = values.unfold(1, _BLOCK_PX, step).unfold(2, _BLOCK_PX, step)
    return tiles.permute(1, 2, 0, 3, 4).reshape(-1, values.shape[0], _BLOCK_PX, _BLOCK_PX)


def _basis() -> Tensor:
    """An orthonormal basis [6, 1024] of surfaces with slope and curvature."""
    axis = torch.linspace(-1, 1, _BLOCK_PX, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    surfaces = torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y]).reshape(6, -1)
    return torch.linalg.qr(surfaces.T)[0].T


_BASIS = _basis()
_TERMS = len(_BASIS)


def _smooth_part(blocks: Tensor) -> Tensor:
    flat = blocks.flatten(2)
    return ((flat @ _BASIS.T) @ _BASIS).reshape(blocks.shape)


def _flattest(residual: Tensor, luma: Tensor) -> tuple[Tensor, Tensor]:
    """Which blocks hold noise and little else, and the level of brightness of each.

    What is coarse tells texture from noise, so that strong and weak noise are chosen alike.
    """
    coarse = torch.nn.functional.avg_pool2d(residual, _BLOCK_PX // 4).square().mean((1, 2, 3))
    fine = residual.square().mean((1, 2, 3))
    # Structure of pictures is mostly coarse, noise mostly fine.
    plain = coarse <= _MOST_COARSE_SHARE * fine
    # Lamps and stars are as fine as noise is, but few.
    plain &= residual.square().mean(1).amax((1, 2)) <= _MOST_PEAK**2 * fine
    levels = _level_of(luma)
    chosen: list[Tensor] = []
    for level in range(_LEVELS):
        # Clipped blocks say nothing of the noise beside them.
        here = ((levels == level) & plain & (fine > 0)).nonzero()[:, 0]
        if len(here) < _FEWEST_BLOCKS // 2:
            continue
        for amount, most in ((coarse, _MOST_COARSE), (fine, _MOST_FINE)):
            quiet = amount[here].sort().values[len(here) // 10]
            here = here[amount[here] <= most * quiet]
        chosen.append(here)
    picked = torch.cat(chosen) if chosen else torch.zeros(0, dtype=torch.long)
    # Noise changes with brightness, and texture that passes for noise is far stronger than all of it.
    power = fine[picked]
    quietest = power[power > _LEAST_DEVIATION**2].sort().values[: _FEWEST_BLOCKS // 2]
    if len(quietest):
        picked = picked[power <= _MOST_CHANGE**2 * quietest.median()]
    picked = picked[_on_one_curve(fine[picked].log(), luma[picked])] if len(picked) > _TERMS else picked
    return picked, levels[picked]


def _level_of(luma: Tensor) -> Tensor:
    return (luma * _LEVELS).long().clamp(0, _LEVELS - 1)


def _on_one_curve(power: Tensor, luma: Tensor) -> Tensor:
    """Which of the logarithms of power [N] lie on a smooth curve over brightness [N], as noise does.

    It begins below, from the quietest quarter of each brightness: texture lies above.
    """
    places = torch.stack([torch.ones_like(luma), luma, luma.square()], dim=1)
    # Brightnesses that are hardly there say little of the curve.
    places[:, 1:] *= 1 if luma.std() > _LEAST_SPREAD else 0
    levels = _level_of(luma)
    kept = torch.zeros_like(power, dtype=torch.bool)
    for level in levels.unique():
        here = levels == level
        kept |= here & (power <= power[here].quantile(0.25))
    for _ in range(_FITS):
        steady = _STEADY * torch.diag(places.new_tensor([0.0, 1.0, 1.0]))
        chosen = places[kept]
        curve = torch.linalg.lstsq(
            torch.cat([chosen, steady]), torch.cat([power[kept], power.new_zeros(3)])[:, None]
        ).solution[:, 0]
        now = power - places @ curve < _ABOVE_CURVE
        if bool((now == kept).all()):
            break
        kept = now
    return kept


def _by_level(variance: Tensor, level: Tensor) -> Tensor:
    """Variance [C, 8] of each level from that of blocks [N, C]; unseen levels as between their neighbours."""
    seen = level.unique()
    found = torch.stack([variance[level == one].median(0).values for one in seen], dim=1)
    table = torch.empty(variance.shape[1], _LEVELS, dtype=variance.dtype)
    for one in range(_LEVELS):
        above = int(torch.searchsorted(seen, one))
        if above == 0 or above == len(seen):
            table[:, one] = found[:, min(above, len(seen) - 1)]
            continue
        low, high = int(seen[above - 1]), int(seen[above])
        table[:, one] = torch.lerp(found[:, above - 1], found[:, above], (one - low) / (high - low))
    return table


def _power(kinds: Tensor) -> Tensor:
    """Power [C, 32, 32] at each frequency of blocks [N, C, 32, 32] of deviation 1, its mean 1."""
    window = torch.hann_window(_BLOCK_PX, periodic=False, dtype=kinds.dtype)
    spectra = torch.fft.fft2(kinds * window[:, None] * window).abs().square()
    # Of noise the median is ln 2 of the mean, and texture in a few blocks does not move it.
    power = spectra.median(0).values / math.log(2)
    frequency = torch.fft.fftfreq(_BLOCK_PX, dtype=kinds.dtype)
    radius = torch.hypot(frequency[:, None], frequency)
    logs = power.clamp(min=1e-12).log()
    # Around 0 the logarithm goes on as a parabola.
    beside = (radius >= _LOWEST_KNOWN) & (radius <= _BESIDE)
    places = torch.stack([torch.ones(int(beside.sum()), dtype=radius.dtype), radius[beside].square()], dim=1)
    parabola = torch.linalg.lstsq(places, logs[:, beside].T).solution
    low = parabola[0][:, None, None] + parabola[1][:, None, None] * radius.square()
    logs = torch.where(radius < _LOWEST_KNOWN, low, logs)
    # In logarithms, as some noise has little at the finest frequencies.
    for dim in (1, 2):
        logs = logs / 2 + (logs.roll(1, dim) + logs.roll(-1, dim)) / 4
    power = logs.exp()
    return power / power.mean((1, 2), keepdim=True)
