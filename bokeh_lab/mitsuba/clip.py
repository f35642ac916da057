"""A clip of a solid scene with the truth that renderers are measured against."""

import numpy as np
import torch
from torch import Tensor

from bokeh_core.coc import signed_circle_of_confusion_px
from bokeh_core.progress import Progress, no_progress
from bokeh_core.strength import strength_in_pixels

from ..ground_truth import IN_FOCUS_DISPARITY, GroundTruthClip, near_occlusion_edges
from .film import Camera, Film, blur_strength_px, focal_length_px
from .scenes import SolidScene

# How far the camera moves from frame to frame, as a share of the focal distance.
_STEP = 0.004


def render_solid_clip(
    scene: SolidScene,
    num_frames: int,
    height: int,
    width: int,
    *,
    gamma: float = 2.2,
    strength: float | None = None,
    averaged_depth: bool = False,
    keeps_light: bool = False,
    noise: int = 0,
    progress: Progress = no_progress,
) -> GroundTruthClip:
    """Film a scene with a camera that moves to the right.

    Disparity is 1 / z along the axis, min-max normalised over the clip, so that K is `blur_strength_px` of
    the two extremes.

    Args:
        scene: what to film.
        num_frames, height, width: of the clip, px.
        gamma: light = display ** gamma.
        strength: K in px on a frame 1024 px wide; None = such that the greatest radius is the scene's.
        averaged_depth: the mean over each pixel's square in place of the depth at its centre.
        keeps_light: what is brighter than white stays; else it is clipped, as by a camera.
        noise: rays of another number are others, so that two clips differ by the noise of the truth.
        progress: told of finished frames; may raise to stop.

    Raises:
        ValueError: Mitsuba is not installed.
    """
    film = Film(scene, gamma)
    positions = [_STEP * scene.focus_z * (t - (num_frames - 1) / 2) for t in range(num_frames)]
    centres, means = zip(*(film.depth(Camera(height, width, x)) for x in positions), strict=True)
    nearest, farthest = float(np.max(centres)), float(np.min(centres))
    spread = nearest - farthest
    # What lies in focus may be hidden.
    focus_z = 1 / min(max(1 / scene.focus_z, farthest), nearest)
    focal = (1 / focus_z - farthest) / spread
    strength_px = _strength_px(scene, focal, width, strength)
    aperture = strength_px / blur_strength_px(1.0, nearest, farthest, focal_length_px(scene, width))
    most = np.inf if keeps_light else 1.0
    frames, bokeh = [], []
    for t, x in enumerate(positions):
        rays = 2 * (t + noise * num_frames)
        frames.append(_display(film.light(Camera(height, width, x), rays), gamma, most))
        lens = Camera(height, width, x, aperture, focus_z)
        bokeh.append(_display(film.light(lens, rays + 1), gamma, most))
        progress(t + 1, num_frames)
    at_centres = torch.from_numpy((np.stack(centres) - farthest) / spread).float()
    averaged = torch.from_numpy((np.stack(means) - farthest) / spread).float().clamp(0, 1)
    focal_disparity = torch.full((num_frames,), focal).float()
    strengths = torch.full((num_frames,), strength_px).float()
    radius_px = signed_circle_of_confusion_px(at_centres, focal_disparity, strengths)
    return GroundTruthClip(
        frames=torch.stack(frames),
        disparity=averaged if averaged_depth else at_centres,
        focal_disparity=focal_disparity,
        blur_strength_px=strengths,
        gamma=gamma,
        bokeh=torch.stack(bokeh),
        in_focus=(at_centres - focal).abs() <= IN_FOCUS_DISPARITY,
        edges=torch.stack([near_occlusion_edges(frame) for frame in radius_px]),
    )


def _strength_px(scene: SolidScene, focal: float, width: int, strength: float | None) -> float:
    """K in px of the frames."""
    if strength is None:
        strength = scene.strength / max(focal, 1 - focal)
    return float(strength_in_pixels(torch.tensor([float(strength)]), width))


def _display(light: np.ndarray, gamma: float, most: float) -> Tensor:
    return torch.from_numpy(light).clamp(0, most) ** (1 / gamma)
