"""Which numbers a config may hold: every one is checked before anything is rendered or trained."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from bokeh_core.published import WINDOW_FRAMES
from bokeh_core.strength import MAX_STRENGTH

from .config import TrainConfig

# Larger counts are slips of the keyboard, and would end in a machine without memory.
MOST_SIDE_PX, MOST_FRAMES, MOST_COUNT = 16_384, 100_000, 10**9


@dataclass(frozen=True)
class Range:
    """Least and greatest of a number, or of each number of a list; `open_` leaves out the least."""

    least: float
    most: float = MOST_COUNT
    open_: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number is inside; NaN is in no range."""
        return (self.least < value if self.open_ else self.least <= value) and value <= self.most

    def __str__(self) -> str:
        if self.most == inf:
            return f"{'above' if self.open_ else 'at least'} {self.least:g}"
        if self.open_:
            return f"above {self.least:g}" + ("" if self.most == MOST_COUNT else f", up to {self.most:g}")
        return f"{self.least:g} to {self.most:g}"


COUNT, INDEX, AMOUNT, SHARE = Range(0, open_=True), Range(0), Range(0, 1e6), Range(0, 1)
SIDES = Range(1, MOST_SIDE_PX)
RANGES: dict[str, Range] = {
    "seed": Range(0, 2**63 - 1),
    "run.steps": COUNT,
    "run.batch": Range(0, 10_000, open_=True),
    "run.accumulation": Range(0, 100_000, open_=True),
    "run.log_every": COUNT,
    "run.checkpoint_every": COUNT,
    "run.keep_checkpoints": COUNT,
    "optimiser.lr": Range(0, 1e6, open_=True),
    "optimiser.betas": Range(0, 1 - 2**-53),
    "optimiser.eps": Range(0, 1e6, open_=True),
    "optimiser.weight_decay": AMOUNT,
    "optimiser.warmup_steps": INDEX,
    "optimiser.clip_norm": Range(0, 1e6, open_=True),
    "model.overlap_frames": Range(0, WINDOW_FRAMES - 1),
    "data.size": SIDES,
    "data.crop": SIDES,
    "data.shrinks": Range(1, 16),
    "data.scene_frames": Range(0, MOST_FRAMES, open_=True),
    "data.frames": Range(0, MOST_FRAMES, open_=True),
    "data.strengths": Range(0, MAX_STRENGTH),
    "data.ramp_probability": SHARE,
    "data.ramp_range": Range(0, MAX_STRENGTH),
    "data.gamma": Range(0, 10, open_=True),
    "data.hard_share": SHARE,
    "data.linear_share": SHARE,
    "data.rays_across": Range(1, 1_001),
    "data.scenes": COUNT,
    "data.shard_scenes": COUNT,
    "data.workers": Range(0, 1_024),
    "data.prefetch": Range(0, 1_024, open_=True),
    "loss.texture_weight": AMOUNT,
    "loss.mse_weight": AMOUNT,
    "loss.kl_weight": AMOUNT,
    "loss.latent_weight": AMOUNT,
    "loss.change_weight": AMOUNT,
    "noise.probability": SHARE,
    "noise.elastic_alpha": Range(0, 10_000),
    "noise.elastic_sigma_px": Range(0, 1_000, open_=True),
    "noise.perlin_scales_px": Range(1, MOST_SIDE_PX),
    "noise.perlin_amplitudes": Range(0, 100),
    "noise.perlin_share": SHARE,
    "noise.kernels_px": Range(1, 1_001),
    "noise.reach_px": Range(0, MOST_SIDE_PX),
    "noise.soften_px": Range(0, 1_000),
    "faults.probability": SHARE,
    "faults.amounts": Range(0, 10),
    "validation.every": INDEX,
    "validation.clips": Range(0, 100_000, open_=True),
    "validation.first_seed": Range(0, 2**63 - 1),
    "validation.frames": Range(0, MOST_FRAMES, open_=True),
    "validation.size": SIDES,
    "validation.strengths": Range(0, MAX_STRENGTH),
    "validation.shown": INDEX,
}


def check_ranges(config: TrainConfig) -> None:
    """Check every number of a config against its range.

    Raises:
        ValueError: one is outside; names its key, its value and the range.
    """
    for key, allowed in RANGES.items():
        value: Any = config
        for name in key.split("."):
            value = None if value is None else getattr(value, name)
        for number in value if isinstance(value, tuple) else () if value is None else (value,):
            if not allowed.holds(number):
                raise ValueError(f"{key} is {number:.10g}; it must be {allowed}.")
    low, high = config.data.ramp_range
    if low > high:
        raise ValueError(f"data.ramp_range is {low:g} to {high:g}; it must be ascending.")
    if config.noise is not None:
        even = [width for width in config.noise.kernels_px if width % 2 == 0]
        if even:
            raise ValueError(f"noise.kernels_px is {even[0]}; it must be odd, such as {even[0] + 1}.")
        scales, amplitudes = config.noise.perlin_scales_px, config.noise.perlin_amplitudes
        if len(scales) != len(amplitudes):
            raise ValueError(
                f"noise.perlin_amplitudes has {len(amplitudes)} values; it must have {len(scales)}, as "
                "noise.perlin_scales_px has."
            )
