"""Layered disk blur against closed forms and the ray-traced truth."""

import math

import numpy as np
import pytest
import torch

from bokeh_lab.peers.true_layers import render
from bokeh_lab.raytrace import ray_trace, sharp_frame
from bokeh_lab.scenes.scene import LayeredFrame
from tests.lab.peers.cases import clip, noise, two_plane_clip


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_profile_of_a_blurred_edge_over_a_wall_in_focus(gamma: float):
    radius_px = 5.0
    task, _ = two_plane_clip("wall", radius_px, gamma)
    picture = render(task)[0, 20, 4:16, 0]
    # The share of a disk right of an edge x px away, averaged over a pixel; the square begins at 9.5.
    fine = (np.arange(4 * 100, 16 * 100) + 0.5) / 100 - 0.5
    x = np.clip(fine - 9.5, -radius_px, radius_px)
    segment = (x * np.sqrt(radius_px**2 - x**2) + radius_px**2 * np.arcsin(x / radius_px)) / (
        math.pi * radius_px**2
    )
    share = (0.5 + segment).reshape(12, 100).mean(1)
    expected = share * 0.8**gamma + (1 - share) * 0.2**gamma
    np.testing.assert_allclose(picture**gamma, expected, atol=2e-3)


def psnr_db(layered: LayeredFrame, focal_disparity: float, strength: float) -> float:
    frames = sharp_frame(layered).permute(1, 2, 0)[None]
    task = clip(frames, 0.5, strength, focal_disparity, gamma=2.2, layers=[layered])
    truth = ray_trace(layered, focal_disparity, strength, gamma=2.2, rays_across=41)
    return -10 * math.log10((render(task)[0].permute(2, 0, 1) - truth).square().mean().item())


def cut_out(size_px: int, radius_px: float) -> torch.Tensor:
    axis = torch.arange(size_px) - size_px / 2 + 0.5
    return (radius_px - torch.hypot(axis[:, None], axis) + 0.5).clamp(0, 1)


@pytest.mark.parametrize("focal_disparity", [0.9, 0.1])
def test_one_blurred_layer_and_one_in_focus_agree_with_the_rays(focal_disparity: float):
    layered = LayeredFrame(
        noise(2, 3, 48, 48),
        torch.stack([cut_out(48, 12), torch.ones(48, 48)]),
        torch.tensor([[0.9, 0, 0], [0.1, 0, 0]], dtype=torch.float64),
    )
    assert psnr_db(layered, focal_disparity, 8.0) > 50


def test_a_slanted_layer_agrees_with_the_rays():
    layered = LayeredFrame(
        noise(1, 3, 48, 48),
        torch.ones(1, 48, 48),
        torch.tensor([[0.4, 0.004, 0.002]], dtype=torch.float64),
    )
    # Radii from 3.2 to 5.5 px.
    assert psnr_db(layered, 0.0, 8.0) > 40
