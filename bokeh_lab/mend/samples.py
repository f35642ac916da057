"""Frames ready to be learned from, on disk: what the network is shown of them, and what it shall answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bokeh_core.disk.whole_file import whole_file

from ..scenes.library import AssetLibrary
from .by_rules import Ruled, by_neighbours, by_single_frame
from .filmed import FilmedClip, filmed_clip
from .spoil import spoilt

PIXEL = np.dtype(
    [
        ("colours", "u1", 3),
        ("own", "<u2"),
        ("soft", "<u2"),
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
        given = [
            by_single_frame(torch.from_numpy(one), frame)
            for one, frame in zip(maps.given, clip.frames, strict=True)
        ]
        for t in map(int, frames):
            alone = random.random() < 0.1
            ruled = by_neighbours(given, t, {} if alone else matches[t])
            samples.append(packed(clip, t, ruled, torch.from_numpy(maps.wanted[t])))
    return np.stack(samples)


def packed(clip: FilmedClip, t: int, ruled: Ruled, wanted: Tensor) -> Samples:
    """One sample [H, W]; the truth on the scale of the map."""
    witnesses = ruled.witnesses
    pixels = np.zeros(wanted.shape, PIXEL)
    pixels["colours"] = clip.frames[t].mul(255).round().byte().numpy()
    for name, values in (
        ("own", ruled.own),
        ("soft", ruled.soft),
        ("agreed", witnesses.agreed[0]),
        ("mean", witnesses.mean[0]),
        ("wanted", wanted + ruled.levelled),
    ):
        pixels[name] = ((values - _LOW) / _SPAN).clamp(0, 1).mul(65535).round().numpy()
    pixels["spread"] = witnesses.spread[0].clamp(0, 1).mul(65535).round().numpy()
    for name, values in (("trust", witnesses.trust), ("alike", witnesses.alike)):
        pixels[name] = values[0].mul(255).round().numpy()
    return pixels


def disparity_of(pixels: Samples, name: str) -> Tensor:
    """A disparity of samples [...]."""
    return torch.from_numpy(pixels[name].astype(np.float32)) / 65535 * _SPAN + _LOW
