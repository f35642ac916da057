"""Which settings of a training run go together."""

from __future__ import annotations

from ..evaluate.faults import FAULTS
from ..scenes.presets import PRESETS
from .config import TrainConfig
from .config_ranges import check_ranges

# Sides the U-Net halves three times and the VAE three times more.
SIDE_MULTIPLE_PX = 64


def check(config: TrainConfig) -> TrainConfig:
    """Find what would fail after hours.

    Raises:
        ValueError: a value out of range, with the key's path.
    """
    check_ranges(config)
    for key, preset in (("data.preset", config.data.preset), ("validation.preset", config.validation.preset)):
        if preset not in PRESETS:
            raise ValueError(f"{key} is {preset!r:.80}; it must be one of {', '.join(PRESETS)}.")
    fewest, most = config.data.frames
    if not 1 <= fewest <= most <= config.data.scene_frames:
        raise ValueError(
            f"data.frames is {fewest} to {most}; it must be ascending, from 1 to data.scene_frames, "
            f"{config.data.scene_frames}."
        )
    sizes = {"data.size or data.crop": config.data.frame_size}
    if config.validation.size is not None:
        sizes["validation.size"] = config.validation.size
    most_shrunk = max(config.data.shrinks, default=1)
    if config.data.crop is not None and any(
        part * most_shrunk > whole for part, whole in zip(config.data.crop, config.data.size, strict=True)
    ):
        times = f" times data.shrinks, {most_shrunk}," if most_shrunk > 1 else ""
        raise ValueError(
            f"data.crop is {config.data.crop}; it{times} must fit into data.size, {config.data.size}."
        )
    if config.data.shrinks != (1,) and not (config.model.options.lens_mix and config.data.crop):
        raise ValueError("data.shrinks is for a model with lens_mix and crops of its clips; leave it out.")
    unknown = [kind for kind in (config.faults.kinds if config.faults else ()) if kind not in FAULTS]
    if unknown:
        raise ValueError(f"faults.kinds has {unknown[0]!r:.80}; choose from {', '.join(FAULTS)}.")
    for key, (width, height) in sizes.items():
        if width % SIDE_MULTIPLE_PX or height % SIDE_MULTIPLE_PX or min(width, height) < SIDE_MULTIPLE_PX:
            nearest = tuple(max(round(s / SIDE_MULTIPLE_PX), 1) * SIDE_MULTIPLE_PX for s in (width, height))
            raise ValueError(
                f"{key} is {width} x {height}; both sides must be multiples of {SIDE_MULTIPLE_PX} px, "
                f"such as {nearest[0]} x {nearest[1]}."
            )
    if config.data.turn and config.data.frame_size[0] != config.data.frame_size[1]:
        raise ValueError(f"data.turn needs a square data.crop, not {config.data.frame_size}.")
    if config.data.recolour and config.data.gamma != 1:
        raise ValueError(f"data.recolour is exact only with data.gamma 1, not {config.data.gamma:g}.")
    if config.run.still and config.data.frames != (1, 1):
        raise ValueError(f"run.still needs data.frames 1, not {config.data.frames}.")
    if not 0 <= 2 * config.loss.margin_px < min(config.data.frame_size):
        raise ValueError(
            f"loss.margin_px is {config.loss.margin_px}; it must be 0 to below half of data.crop's sides."
        )
    if config.run.ema_decay is not None and not 0 <= config.run.ema_decay < 1:
        raise ValueError(f"run.ema_decay is {config.run.ema_decay:g}; it must be 0 to below 1, or null.")
    if config.data.shards is not None and config.data.scenes is None:
        raise ValueError("data.shards needs data.scenes, the number of scenes in the shards.")
    return config
