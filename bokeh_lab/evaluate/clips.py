"""The clips of an evaluation: ray-traced once, then read back."""

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import overload

import torch

from bokeh_core.progress import Progress
from bokeh_core.strength import strength_in_pixels

from ..ground_truth import GroundTruthClip, render_clip
from ..mitsuba.clip import render_solid_clip
from ..mitsuba.scenes import make_solid_scene
from ..scenes.library import AssetLibrary
from ..scenes.presets import make_scene
from ..scenes.scene import LayeredFrame, Scene
from .clip_plan import SOLID_AVERAGED, ClipPlan
from .store import read_tensors, write_tensors

_GAMMA = "gamma"


def build_scene(clip: ClipPlan) -> Scene:
    """Draw the scene of a clip; a strength given in the plan replaces the preset's, in all frames.

    Raises:
        ValueError: the preset or the library does not exist.
    """
    scene = make_scene(
        clip.preset,
        clip.seed,
        clip.num_frames,
        clip.height,
        clip.width,
        library=open_library(clip.library, clip.split),
    )
    if clip.strength is None:
        return scene
    strength = torch.full((clip.num_frames,), float(clip.strength))
    return replace(scene, blur_strength_px=strength_in_pixels(strength, clip.width))


def load_or_trace(
    clip: ClipPlan, file: Path, device: str, progress: Progress
) -> tuple[Scene | None, GroundTruthClip]:
    """Return a clip's scene, if it has planes, and its ground truth: from the file, else made and written.

    The file holds float32, so that a result does not depend on whether the truth was read or made.

    Raises:
        ValueError: the preset or the library does not exist, or Mitsuba is needed and not installed.
    """
    scene = None if clip.solid else build_scene(clip)
    tensors = read_tensors(file)
    names = {field.name for field in fields(GroundTruthClip)}
    if tensors is not None and tensors.keys() == names:
        gamma = float(tensors.pop(_GAMMA))
        return scene, GroundTruthClip(**tensors, gamma=gamma)
    truth = _rendered_solids(clip, progress) if scene is None else _ray_traced(scene, clip, device, progress)
    parts = {name: getattr(truth, name) for name in names - {_GAMMA}}
    write_tensors(file, {**parts, _GAMMA: torch.tensor(truth.gamma, dtype=torch.float64)})
    return scene, truth


def _ray_traced(scene: Scene, clip: ClipPlan, device: str, progress: Progress) -> GroundTruthClip:
    return render_clip(
        scene, gamma=clip.gamma, rays_across=clip.rays_across, device=device, progress=progress
    )


def _rendered_solids(clip: ClipPlan, progress: Progress) -> GroundTruthClip:
    return render_solid_clip(
        make_solid_scene(clip.seed, open_library(clip.library, clip.split)),
        clip.num_frames,
        clip.height,
        clip.width,
        gamma=clip.gamma,
        strength=clip.strength,
        averaged_depth=clip.preset == SOLID_AVERAGED,
        progress=progress,
    )


class SceneLayers(Sequence[LayeredFrame]):
    """The layers of a scene, drawn when asked for: all frames at once would fill the memory."""

    def __init__(self, scene: Scene, device: str) -> None:
        self._scene = scene
        self._device = device

    def __len__(self) -> int:
        return self._scene.num_frames

    @overload
    def __getitem__(self, index: int) -> LayeredFrame: ...
    @overload
    def __getitem__(self, index: slice) -> "list[LayeredFrame]": ...
    def __getitem__(self, index: int | slice) -> "LayeredFrame | list[LayeredFrame]":
        frames = range(len(self))[index]
        if isinstance(frames, range):
            return [self._scene.layers(frame, self._device) for frame in frames]
        return self._scene.layers(frames, self._device)


@cache
def open_library(folder: Path | None, split: str) -> AssetLibrary:
    """Open a folder of pictures once a process, so that what is decoded stays decoded.

    Raises:
        ValueError: see `AssetLibrary.load`.
    """
    return AssetLibrary.load(folder, split=split)
