"""Which side of a contour is in front, on scenes whose planes move as a camera or a subject would."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from bokeh_core.disparity.prepare import prepare_disparity
from bokeh_lab.evaluate.perturb import perturb
from bokeh_lab.ground_truth import layers_of
from bokeh_lab.raytrace import sharp_frame, visible_disparity
from bokeh_lab.scenes.presets import make_scene

FRAMES, HEIGHT, WIDTH, SPEED_PX = 7, 192, 320, 3.0
SEEDS = (60001, 60002)


def shift_px(motion: str, disparity: float, nearest: float) -> float:
    """What a plane goes to the right in a frame."""
    return {
        "the camera goes past": disparity,
        # The far moves faster than the near.
        "the camera follows the nearest": disparity - nearest,
        "the nearest moves": float(disparity == nearest),
        "the nearest stands": float(disparity != nearest),
        "the camera turns": 1.0,
        "nothing moves": 0.0,
    }[motion] * SPEED_PX


def filmed(motion: str, seed: int) -> tuple[Tensor, Tensor]:
    """Frames and disparity of a scene of the paper's kind, whose planes move sideways only."""
    scene = make_scene("paper", seed, FRAMES, HEIGHT, WIDTH)
    at = torch.tensor([1, WIDTH / 2, HEIGHT / 2], dtype=torch.float64)
    middles = [float(plane.disparity[0] @ at) for plane in scene.planes]
    planes = []
    for plane, disparity in zip(scene.planes, middles, strict=True):
        placement = plane.placement[:1].repeat(FRAMES, 1, 1)
        depth = plane.disparity[:1].repeat(FRAMES, 1)
        shifts = torch.arange(FRAMES) * shift_px(motion, disparity, max(middles))
        placement[:, :, 2] -= placement[:, :, 0] * shifts[:, None]
        depth[:, 0] -= depth[:, 1] * shifts
        planes.append(replace(plane, placement=placement, disparity=depth))
    layers = list(layers_of(replace(scene, planes=tuple(planes))))
    frames = torch.stack([sharp_frame(layer).permute(1, 2, 0) for layer in layers])
    return frames, torch.stack([visible_disparity(layer) for layer in layers]).clamp(0, 1)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "motion",
    ["the camera goes past", "the camera follows the nearest", "the nearest moves", "the nearest stands"],
)
def test_swapped_maps_are_found_out_and_others_are_not(motion: str, seed: int):
    frames, disparity = filmed(motion, seed)
    # As an estimator gives them: soft, and with a scale of their own in each frame.
    maps = perturb(disparity, "estimator", seed)
    assert "Polarity: near white (auto" in prepare_disparity(maps, frames=frames).report
    assert "Polarity: near black (auto)" in prepare_disparity(1 - maps, frames=frames).report


@pytest.mark.parametrize("motion", ["the camera turns", "nothing moves"])
def test_without_parallax_white_is_near(motion: str):
    frames, disparity = filmed(motion, SEEDS[0])
    for maps in (disparity, 1 - disparity):
        report = prepare_disparity(maps, frames=frames).report
        assert "Polarity: near white (auto, as depth estimators give it)." in report
        assert "contours that move" not in report
