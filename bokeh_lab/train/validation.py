"""Held-out clips, measured as in the paper: PSNR, PSNR near edges, SSIM, RM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from bokeh_core.published import MPIMode
from bokeh_core.strength import strength_in_pixels

from ..ground_truth import GroundTruthClip, render_clip
from ..metrics import ClipPair, Missing, mean_over_clips, measure_clip
from ..peers import gather
from ..peers.renderer import BokehTask
from ..scenes.library import AssetLibrary
from ..scenes.presets import make_scene
from .config import TrainConfig
from .network import BokehNetwork

METRICS = ("psnr", "edge_psnr", "ssim", "rm")


class Validation:
    """The held-out clips of a config, ray-traced once, when they are first measured."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self._config = config
        self._device = device
        self._clips: list[GroundTruthClip] = []

    def clips(self) -> list[GroundTruthClip]:
        """All held-out clips with their truth, ray-traced by the first call."""
        if not self._clips:
            self._clips = list(self._render())
        return self._clips

    def _render(self) -> Iterator[GroundTruthClip]:
        asked, data = self._config.validation, self._config.data
        width, height = asked.size or data.size
        library = AssetLibrary.load(data.library, split="held-out")
        for number in range(asked.clips):
            scene = make_scene(asked.preset, asked.first_seed + number, asked.frames, height, width, library)
            strength = torch.full((asked.frames,), asked.strengths[number % len(asked.strengths)])
            scene = replace(scene, blur_strength_px=strength_in_pixels(strength, width))
            device = torch.device("cpu") if data.device == "cpu" else self._device
            yield render_clip(scene, gamma=data.gamma, rays_across=data.rays_across, device=device)

    def baselines(self) -> dict[str, dict[str, float]]:
        """What doing nothing and plain gather reach on the same clips."""
        return {
            "identity": self._measure([clip.frames for clip in self.clips()]),
            "gather": self._measure([gather.render(_task(clip)) for clip in self.clips()]),
        }

    def measure(self, network: BokehNetwork, mpi_mode: MPIMode) -> tuple[dict[str, float], list[Tensor]]:
        """Render all clips with the network.

        Returns:
            Means over the clips, and the rendered clips [T, H, W, 3] in [0, 1].
        """
        overlap = self._config.model.overlap_frames if self._config.ablation.overlap else 0
        pipeline = network.pipeline()
        # As the truth is made: light from beyond the frame does not count.
        pipeline.vae.beyond_frame = False
        rendered = []
        for clip in self.clips():
            pipeline.vae.gamma = clip.gamma
            frames = pipeline(
                clip.frames.permute(0, 3, 1, 2),  # THWC -> TCHW
                clip.disparity,
                clip.focal_disparity,
                clip.blur_strength_px,
                mpi_mode=mpi_mode,
                overlap=overlap,
                working_size="native",
            )
            rendered.append(frames.permute(0, 2, 3, 1))
        return self._measure(rendered), rendered

    def _measure(self, rendered: list[Tensor]) -> dict[str, float]:
        pairs = [
            ClipPair(prediction, clip.bokeh, clip.frames, clip.in_focus, clip.edges)
            for prediction, clip in zip(rendered, self.clips(), strict=True)
        ]
        means = {name: mean_over_clips([measure_clip(name, pair) for pair in pairs]) for name in METRICS}
        return {name: value for name, value in means.items() if not isinstance(value, Missing)}


def _task(clip: GroundTruthClip) -> BokehTask:
    return BokehTask(
        clip.frames, clip.disparity, clip.focal_disparity, clip.blur_strength_px, gamma=clip.gamma
    )
