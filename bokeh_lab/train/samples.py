"""Training clips by number: the same number is the same clip, on every machine and after every restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from bokeh_core.pipeline.mending import mended_maps
from bokeh_core.strength import strength_in_pixels
from bokeh_core.transfer import DISPLAY_GAMMA

from ..evaluate.perturb import measured_focus
from ..ground_truth import GroundTruthClip, render_clip
from ..scenes.draws import Draws
from ..scenes.library import AssetLibrary
from ..scenes.presets import make_scene
from ..scenes.scene import Plane, Scene
from .augmentation import recoloured, turned
from .config import DataConfig
from .disparity_noise import DisparityNoise, disturb_disparity
from .faults_over_time import FaultsOverTime, spoiled
from .lens_pictures import around, lens_pictures

HARD = "hard"
"""The preset of scenes rich in thin things."""


@dataclass(frozen=True)
class Sample:
    """A clip to learn from, or several in front of each other: each tensor then begins with [B].

    Attributes:
        frames: [F, 3, H, W] in [0, 1], all in focus.
        disparity: [F, H, W] in [0, 1], 1 = near; disturbed where the stage asks for it.
        focal_disparity: [F].
        blur_strength_px: [F], K in px of these frames.
        bokeh: [F, 3, H, W] in [0, 1], the truth.
        lens_picture: [F, 3, H, W] in [0, 1], see `lens_pictures`; [F, 3, 0, 0] where no model mixes it.
        gamma: [], light = display ** gamma added up in the truth.
        index: int64 [], number of the sample.
    """

    frames: Tensor
    disparity: Tensor
    focal_disparity: Tensor
    blur_strength_px: Tensor
    bokeh: Tensor
    lens_picture: Tensor
    gamma: Tensor
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
        gamma = gamma_of_scene(self.data, self.seed, scene)
        return render_clip(drawn, gamma=gamma, rays_across=self.data.rays_across, device=self.device)


def training_scene(data: DataConfig, seed: int, number: int) -> Scene:
    """Scene of a number, with K drawn as training wants it: constant, or a ramp."""
    width, height = data.size
    draws = Draws.named("training", seed, number)
    scene = make_scene(
        HARD
        if data.hard_share and Draws.named("hard", seed, number).chance(data.hard_share)
        else data.preset,
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


def gamma_of_scene(data: DataConfig, seed: int, number: int) -> float:
    """What light = display ** gamma adds up in the scene of a number."""
    linear = data.linear_share and Draws.named("light", seed, number).chance(data.linear_share)
    return DISPLAY_GAMMA if linear else data.gamma


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
        self,
        source: SceneSource,
        data: DataConfig,
        noise: DisparityNoise | None,
        seed: int,
        faults: FaultsOverTime | None = None,
        with_lens: bool = False,
    ) -> None:
        """Make the sequence.

        Args:
            source: of the scenes; it should know `data.scenes` of them, or any where that is None.
            data: how samples are cut out of scenes.
            noise: of the disparity; None leaves it clean.
            seed: of everything that is drawn.
            faults: of the disparity over time, before the noise; None leaves it clean.
            with_lens: whether samples hold `Sample.lens_picture`.
        """
        self.source = source
        self.data = data
        self.noise = noise
        self.seed = seed
        self.faults = faults
        self.with_lens = with_lens

    def scene_number(self, index: int) -> int:
        """Scene of a sample: each once in every round, every round in another order."""
        if self.data.scenes is None:
            return index
        turn, place = divmod(index, self.data.scenes)
        return _order(self.seed, turn, self.data.scenes)[place]

    def frames_in_batch(self, batch_number: int) -> int:
        """Length of the clips of a batch, drawn by the number of the batch."""
        return Draws.named("frames", self.seed, batch_number).integer(*self.data.frames)

    def shrink_in_batch(self, batch_number: int) -> int:
        """How many times smaller than the clips the network works on a batch."""
        return Draws.named("shrink", self.seed, batch_number).choice(self.data.shrinks)

    def sample(self, index: int, num_frames: int, shrink: int = 1) -> Sample:
        """The sample of a number, `num_frames` long; a crop is `shrink` times as large."""
        draws = Draws.named("sample", self.seed, index)
        start = draws.integer(0, self.data.scene_frames - num_frames)
        clip = self.source.clip(self.scene_number(index), start, start + num_frames)
        frames, bokeh = (part.permute(0, 3, 1, 2) for part in (clip.frames, clip.bokeh))  # THWC -> TCHW
        disparity, focal, strength_px = clip.disparity, clip.focal_disparity, clip.blur_strength_px
        if self.faults is not None:
            disparity, focal = spoiled(disparity, focal, clip.in_focus, self.faults, draws)
        if self.data.mend:
            disparity = mended_maps(frames, disparity).disparity
            focal = measured_focus(clip.focal_disparity, clip.in_focus, clip.disparity, disparity)
        clip_height, clip_width = frames.shape[-2:]
        learnt = torch.ones(clip_height, clip_width, dtype=torch.bool)
        if self.data.crop is not None:
            width, height = (side * shrink for side in self.data.crop)
            top = draws.integer(0, clip_height - height)
            left = draws.integer(0, clip_width - width)
            learnt = torch.zeros_like(learnt)
            learnt[top : top + height, left : left + width] = True
            rows, columns = (top, top + height), (left, left + width)
            if self.with_lens:
                rows = around(top, height, clip_height, strength_px)
                columns = around(left, width, clip_width, strength_px)
            frames, bokeh, disparity, learnt = (
                part[..., slice(*rows), slice(*columns)] for part in (frames, bokeh, disparity, learnt)
            )
        if self.data.flip and draws.chance(0.5):
            frames, bokeh, disparity, learnt = (part.flip(-1) for part in (frames, bokeh, disparity, learnt))
        if self.data.turn:
            swap, upside_down = draws.chance(0.5), draws.chance(0.5)
            frames, bokeh, disparity, learnt = (
                turned(part, swap, upside_down) for part in (frames, bokeh, disparity, learnt)
            )
        if self.data.recolour and clip.gamma == 1:
            frames, bokeh = recoloured((frames, bokeh), draws)
        if self.noise is not None:
            disparity = disturb_disparity(disparity.contiguous(), focal, self.noise, draws.generator)
        through_lens = frames[..., :0, :0]
        if self.with_lens:
            through_lens = lens_pictures(frames, disparity, focal, strength_px, clip.gamma, clip_width)

        def inside(part: Tensor) -> Tensor:
            return part[..., learnt.any(1), :][..., learnt.any(0)].contiguous()

        return Sample(
            inside(frames),
            inside(disparity),
            focal,
            strength_px,
            inside(bokeh),
            inside(through_lens) if self.with_lens else through_lens,
            torch.tensor(clip.gamma),
            torch.tensor(index),
        )

    def batch(self, batch_number: int, indices: Sequence[int]) -> Sample:
        """Samples of these numbers, one behind the other."""
        length, shrink = self.frames_in_batch(batch_number), self.shrink_in_batch(batch_number)
        samples = [vars(self.sample(index, length, shrink)) for index in indices]
        return Sample(**{name: torch.stack([sample[name] for sample in samples]) for name in samples[0]})


def batch_indices(batch_number: int, rank: int, num_ranks: int, batch: int) -> list[int]:
    """Sample numbers of one device's batch: batch after batch, device after device, none twice."""
    first = (batch_number * num_ranks + rank) * batch
    return list(range(first, first + batch))


@lru_cache(maxsize=4)
def _order(seed: int, turn: int, count: int) -> list[int]:
    return Draws.named("order", seed, turn).order(count)
