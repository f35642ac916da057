"""Frames ready to be learned from, on disk: what the network is shown of them, and what it shall answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bokeh_core.disk.whole_file import whole_file
from bokeh_core.disparity.refine.affine import fitted
from bokeh_core.disparity.refine.banding import smoothed_steps
from bokeh_core.disparity.refine.small_frame import small_map
from bokeh_core.disparity.refine.trained.evidence import Witnesses, without_witnesses, witnesses_of
from bokeh_core.motion.flow import Match, warped

from ..scenes.library import AssetLibrary
from .filmed import FilmedClip, filmed_clip
from .spoil import spoilt

PIXEL = np.dtype(
    [
        ("colours", "u1", 3),
        ("own", "<u2"),
        ("agreed", "<u2"),
        ("mean", "<u2"),
        ("spread", "<u2"),
        ("trust", "u1"),
        ("alike", "u1"),
        ("wanted", "<u2"),
    ]
)
"""A pixel of a sample; disparities as parts of 65535, which holds [-0.5, 1.5]."""

Samples = NDArray[np.void]

_NUM_FRAMES = 7
_DRAWS = 4
_FRAMES_A_DRAW = 2
_SIZES = ((256, 448), (256, 448), (256, 448), (192, 336), (288, 384))
_HARD = 0.3
_LOW, _SPAN = -0.5, 2.0
_STEP = 3


def write_samples(
    folder: Path, seeds: Sequence[int], library: AssetLibrary, size: tuple[int, int] | None = None
) -> None:
    """Write a file for each seed that has none yet: the same seed, the same file; see `samples_of`."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        path = folder / f"{seed:06d}.npy"
        if path.exists():
            continue
        with whole_file(path, on_disk=False) as unfinished, unfinished.open("wb") as file:
            np.save(file, samples_of(seed, library, size))


def files_in(folder: Path) -> list[Path]:
    """The files of a folder of samples.

    Raises:
        ValueError: there are none.
    """
    files = sorted(folder.glob("*.npy"))
    if not files:
        raise ValueError(f"There are no samples in {folder}; write some: python -m bokeh_lab.mend samples.")
    return files


def samples_of(seed: int, library: AssetLibrary, size: tuple[int, int] | None = None) -> Samples:
    """Film a clip and spoil its depth in several ways.

    Args:
        seed: decides everything.
        library: pictures of the scene.
        size: (height, width); None = drawn.

    Returns:
        Pixels [S, H, W] of type `PIXEL`.
    """
    random = np.random.default_rng([seed, 0x6D656E64])
    height, width = size or _SIZES[int(random.integers(len(_SIZES)))]
    preset = "hard" if random.random() < _HARD else "paper"
    clip = filmed_clip(preset, seed, _NUM_FRAMES, height, width, library)
    chosen = [random.choice(_NUM_FRAMES, _FRAMES_A_DRAW, replace=False) for _ in range(_DRAWS)]
    matches = {int(t): clip.matches(int(t)) for t in np.unique(np.concatenate(chosen))}
    samples = []
    for frames in chosen:
        maps = spoilt(clip.disparity.numpy(), random)
        given = [smoothed_steps(torch.from_numpy(one)) for one in maps.given]
        for t in map(int, frames):
            alone = random.random() < 0.1
            seen_by = witnesses(given, t, {} if alone else matches[t])
            samples.append(packed(clip, t, given[t], seen_by, torch.from_numpy(maps.wanted[t])))
    return np.stack(samples)


def witnesses(given: Sequence[Tensor], t: int, matches: dict[int, Match]) -> Witnesses:
    """What the neighbours of a frame say, as the refinement hears it."""
    if not matches:
        return without_witnesses(given[t][None])
    own = small_map(given[t])
    seen, trust, difference = [], [], []
    for place, match in matches.items():
        other = small_map(given[t + place])
        there, flat = warped(torch.stack([other.disparity, other.flat]), match.flow_px)
        samples = (
            values[::_STEP, ::_STEP].flatten()
            for values in (own.disparity, there, match.trust * own.flat * flat)
        )
        seen.append(fitted(*samples).inverse()(there))
        trust.append(match.trust)
        difference.append(match.difference)
    return witnesses_of(own.disparity, torch.stack(seen), torch.stack(trust), torch.stack(difference))


def packed(clip: FilmedClip, t: int, own: Tensor, witnesses: Witnesses, wanted: Tensor) -> Samples:
    """One sample [H, W]."""
    pixels = np.zeros(own.shape, PIXEL)
    pixels["colours"] = clip.frames[t].mul(255).round().byte().numpy()
    for name, values in (
        ("own", own),
        ("agreed", witnesses.agreed[0]),
        ("mean", witnesses.mean[0]),
        ("wanted", wanted),
    ):
        pixels[name] = ((values - _LOW) / _SPAN).clamp(0, 1).mul(65535).round().numpy()
    pixels["spread"] = witnesses.spread[0].clamp(0, 1).mul(65535).round().numpy()
    for name, values in (("trust", witnesses.trust), ("alike", witnesses.alike)):
        pixels[name] = values[0].mul(255).round().numpy()
    return pixels


def disparity_of(pixels: Samples, name: str) -> Tensor:
    """A disparity of samples [...]."""
    return torch.from_numpy(pixels[name].astype(np.float32)) / 65535 * _SPAN + _LOW
