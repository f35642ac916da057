"""A synthetic clip as renderers see it, with the truth they are measured against."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from bokeh_core.coc import signed_circle_of_confusion_px
from bokeh_core.lens.neighbourhood import dilate
from bokeh_core.lens.settings import DEFAULT_LENS, LensSettings
from bokeh_core.progress import Progress, no_progress

from .raytrace import ray_trace, sharp_frame, visible_disparity
from .scenes.scene import LayeredFrame, Scene

IN_FOCUS_DISPARITY = 0.05
"""What is within this distance of the focal disparity counts as in focus."""

EDGE_STEP_PX = 1.0
"""Neighbouring pixels whose blur radii differ by more than this lie on two surfaces."""


@dataclass(frozen=True)
class GroundTruthClip:
    """A clip, its lens, and what that lens records.

    Attributes:
        frames: float32 [T, H, W, 3], all in focus, display values, 0 or more.
        disparity: float32 [T, H, W] in [0, 1], 1 = near.
        focal_disparity: float32 [T].
        blur_strength_px: float32 [T], K in px of these frames.
        gamma: light = display ** gamma is what added up, in `bokeh` and at the soft edges of `frames`.
        bokeh: float32 [T, H, W, 3], ray-traced.
        in_focus: bool [T, H, W], disparity within 0.05 of the focus.
        edges: bool [T, H, W], see `near_occlusion_edges`.
    """

    frames: Tensor
    disparity: Tensor
    focal_disparity: Tensor
    blur_strength_px: Tensor
    gamma: float
    bokeh: Tensor
    in_focus: Tensor
    edges: Tensor


def layers_of(scene: Scene, device: torch.device | str = "cpu") -> Iterator[LayeredFrame]:
    """Draw the layers of every frame, one frame at a time."""
    return (scene.layers(frame, device) for frame in range(scene.num_frames))


def render_clip(
    scene: Scene,
    *,
    gamma: float = 1.0,
    rays_across: int | None = None,
    device: torch.device | str = "cpu",
    lens: LensSettings = DEFAULT_LENS,
    progress: Progress = no_progress,
) -> GroundTruthClip:
    """Film a scene through a pinhole and through its lens.

    Args:
        scene: what to film.
        gamma: 1 averages display values as the authors do, 2.2 linear light.
        rays_across: see `ray_trace`.
        device: where rays are traced; the clip comes back on the CPU.
        lens: see `ray_trace`.
        progress: told of finished frames; may raise to stop.
    """
    frames, maps, bokeh = [], [], []
    for t, layered in enumerate(layers_of(scene, device)):
        focal, strength = float(scene.focal_disparity[t]), float(scene.blur_strength_px[t])
        frames.append(sharp_frame(layered, gamma).cpu())
        maps.append(visible_disparity(layered).cpu())
        traced = ray_trace(layered, focal, strength, gamma=gamma, rays_across=rays_across, lens=lens)
        bokeh.append(traced.cpu())
        progress(t + 1, len(scene.focal_disparity))
    disparity = torch.stack(maps).clamp(0, 1)
    radius_px = signed_circle_of_confusion_px(disparity, scene.focal_disparity, scene.blur_strength_px)
    return GroundTruthClip(
        frames=torch.stack(frames).permute(0, 2, 3, 1).contiguous(),  # [T, 3, H, W] -> [T, H, W, 3]
        disparity=disparity,
        focal_disparity=scene.focal_disparity,
        blur_strength_px=scene.blur_strength_px,
        gamma=gamma,
        bokeh=torch.stack(bokeh).permute(0, 2, 3, 1).contiguous(),
        in_focus=(disparity - scene.focal_disparity[:, None, None]).abs() <= IN_FOCUS_DISPARITY,
        edges=torch.stack([near_occlusion_edges(frame) for frame in radius_px]),
    )


def near_occlusion_edges(radius_px: Tensor) -> Tensor:
    """Find the pixels in which light of two surfaces may mix.

    Two pixels side by side or one above the other are an edge where their signed blur radii differ by more
    than 1 px. Around an edge, everything counts as far as the wider of its two blurs reaches, plus 1 px.

    Args:
        radius_px: [H, W] signed blur radius, near positive.

    Returns:
        bool [H, W].
    """
    reach_px = torch.zeros_like(radius_px)
    for axis in (0, 1):
        length = radius_px.shape[axis] - 1
        first, second = radius_px.narrow(axis, 0, length), radius_px.narrow(axis, 1, length)
        wider = torch.maximum(first.abs(), second.abs()) * ((first - second).abs() > EDGE_STEP_PX)
        for part in (reach_px.narrow(axis, 0, length), reach_px.narrow(axis, 1, length)):
            part.copy_(torch.maximum(part, wider))
    whole_px = torch.where(reach_px > 0, reach_px.ceil() + 1, 0.0)
    mixed = torch.zeros_like(radius_px, dtype=torch.bool)
    for reach in whole_px[whole_px > 0].unique().int().tolist():
        mixed |= dilate(whole_px == reach, reach)
    return mixed
