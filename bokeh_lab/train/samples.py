"""Training clips by number: the same number is the same clip, on every machine and after every restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from bokeh_core.strength import strength_in_pixels

from ..ground_truth import GroundTruthClip, render_clip
from ..scenes.draws import Draws
from ..scenes.library import AssetLibrary
from ..scenes.presets import make_scene
from ..scenes.scene import Plane, Scene
from .augmentation import recoloured, turned
from .config import DataConfig
from .disparity_noise import DisparityNoise, disturb_disparity


@dataclass(frozen=True)
class Sample:
    """A clip to learn from, or several in front of each other: each tensor then begins with [B].

    Attributes:
        frames: [F, 3, H, W] in [0, 1], all in focus.
        disparity: [F, H, W] in [0, 1], 1 = near; disturbed where the stage asks for it.
        focal_disparity: [F].
        blur_strength_px: [F], K in px of these frames.
        bokeh: [F, 3, H, W] in [0, 1], the truth.
        index: int64 [], number of the sample.
    """

    frames: Tensor
    disparity: Tensor
    focal_disparity: Tensor
    blur_strength_px: Tensor
    bokeh: Tensor
    index: Tensor

    def to(self, device: torch.device) -> Sample:
        """The same on another device."""
        return Sample(**{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})


class SceneSource(Protocol):
    """Where the clips of scenes come from."""

    def clip(self, scene: int, start: int, stop: int) -> GroundTruthClip:
        """Frames [start, stop) of a scene, with their truth."""
        ...


class RenderedScenes:
    """Scenes drawn and ray-traced when asked for."""

    def __init__(self, data: DataConfig, seed: int, device: torch.device | str = "cpu") -> None:
        self.data = data
        self.seed = seed
        self.device = device

    def clip(self, scene: int, start: int, stop: int) -> GroundTruthClip:
        """Frames [start, stop) of a scene, drawn and ray-traced now."""
        drawn = part_of_scene(training_scene(self.data, self.seed, scene), start, stop)
        return render_clip(
            drawn, gamma=self.data.gamma, rays_across=self.data.rays_across, device=self.device
        )


def training_scene(data: DataConfig, seed: int, number: int) -> Scene:
    """Scene of a number, with K drawn as training wants it: constant, or a ramp."""
    width, height = data.size
    draws = Draws.named("training", seed, number)
    scene = make_scene(
        data.preset,
        draws.integer(0, 2**40),
        data.scene_frames,
        height,
        width,
        _library(data.library),
        strengths=data.strengths,
    )
    if not draws.chance(data.ramp_probability):
        return scene
    first, last = (draws.uniform(*data.ramp_range) for _ in range(2))
    strength = torch.linspace(first, last, data.scene_frames)
    return replace(scene, blur_strength_px=strength_in_pixels(strength, width))


def part_of_scene(scene: Scene, start: int, stop: int) -> Scene:
    """Frames [start, stop) of a scene."""
    planes = tuple(
        Plane(plane.texture, plane.placement[start:stop], plane.disparity[start:stop])
        for plane in scene.planes
    )
    return replace(
        scene,
        planes=planes,
        focal_disparity=scene.focal_disparity[start:stop],
        blur_strength_px=scene.blur_strength_px[start:stop],
    )


@lru_cache(maxsize=1)
def _library(folder: str | None) -> AssetLibrary:
    return AssetLibrary.load(folder, split="training")


class Samples:
    """The endless sequence of samples of a run."""

    def __init__(
        self, source: SceneSource, data: DataConfig, noise: DisparityNoise | None, seed: int
    ) -> None:
        """Make the sequence.

        Args:
            source: of the scenes; it should know `data.scenes` of them, or any where that is None.
            data: how samples are cut out of scenes.
            noise: of the disparity; None leaves it clean.
            seed: of everything that is drawn.
        """
        self.source = source
        self.data = data
        self.noise = noise
        self.seed = seed

    def scene_number(self, index: int) -> int:
        """Scene of a sample: each once in every round, every round in another order."""
        if self.data.scenes is None:
            return index
        turn, place = divmod(index, self.data.scenes)
        return _order(self.seed, turn, self.data.scenes)[place]

    def frames_in_batch(self, batch_number: int) -> int:
        """Length of the clips of a batch, drawn by the number of the batch."""
        return Draws.named("frames", self.seed, batch_number).integer(*self.data.frames)

    def sample(self, index: int, num_frames: int) -> Sample:
        """The sample of a number, `num_frames` long."""
        draws = Draws.named("sample", self.seed, index)
        start = draws.integer(0, self.data.scene_frames - num_frames)
        clip = self.source.clip(self.scene_number(index), start, start + num_frames)
        frames, bokeh = (part.permute(0, 3, 1, 2) for part in (clip.frames, clip.bokeh))  # THWC -> TCHW
        disparity = clip.disparity
        if self.data.crop is not None:
            width, height = self.data.crop
            top = draws.integer(0, frames.shape[-2] - height)
            left = draws.integer(0, frames.shape[-1] - width)
            frames, bokeh, disparity = (
                part[..., top : top + height, left : left + width] for part in (frames, bokeh, disparity)
            )
        if self.data.flip and draws.chance(0.5):
            frames, bokeh, disparity = (part.flip(-1) for part in (frames, bokeh, disparity))
        if self.data.turn:
            swap, upside_down = draws.chance(0.5), draws.chance(0.5)
            frames, bokeh, disparity = (
                turned(part, swap, upside_down) for part in (frames, bokeh, disparity)
            )
        if self.data.recolour:
            frames, bokeh = recoloured((frames, bokeh), draws)
        if self.noise is not None:
            disparity = disturb_disparity(
                disparity.contiguous(), clip.focal_disparity, self.noise, draws.generator
            )
        return Sample(
            frames.contiguous(),
            disparity.contiguous(),
            clip.focal_disparity,
            clip.blur_strength_px,
            bokeh.contiguous(),
            torch.tensor(index),
        )

    def batch(self, batch_number: int, indices: Sequence[int]) -> Sample:
        """Samples of these numbers, one behind the other."""
        length = self.frames_in_batch(batch_number)
        samples = [vars(self.sample(index, length)) for index in indices]
        return Sample(**{name: torch.stack([sample[name] for sample in samples]) for name in samples[0]})


def batch_indices(batch_number: int, rank: int, num_ranks: int, batch: int) -> list[int]:
    """Sample numbers of one device's batch: batch after batch, device after device, none twice."""
    first = (batch_number * num_ranks + rank) * batch
    return list(range(first, first + batch))


@lru_cache(maxsize=4)
def _order(seed: int, turn: int, count: int) -> list[int]:
    return Draws.named("order", seed, turn).order(count)
