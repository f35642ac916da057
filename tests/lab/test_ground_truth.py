"""A synthetic clip and its truth."""

import pytest
import torch

from bokeh_lab.ground_truth import near_occlusion_edges, render_clip
from bokeh_lab.scenes.scene import Plane, Scene

IDENTITY = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype=torch.float64)


def two_plane_scene(num_frames: int = 2) -> Scene:
    """A red square of 8 x 8 px that moves right by 4 px a frame, in front of green; K = 6."""
    height, width = 24, 32
    green = torch.zeros(4, height, width)
    green[1], green[3] = 0.5, 1
    red = torch.zeros(4, 8, 8)
    red[0], red[3] = 0.8, 1
    still = Plane(
        green,
        IDENTITY.expand(num_frames, 2, 3),
        torch.tensor([[0.0, 0.0, 0.0]], dtype=torch.float64).expand(num_frames, 3),
    )
    # Texture px = frame px minus where the square begins.
    begins = torch.tensor([[-(8.0 + 4 * t), -6.0] for t in range(num_frames)], dtype=torch.float64)
    moving = Plane(
        red,
        torch.cat([IDENTITY[:, :2].expand(num_frames, 2, 2), begins[..., None]], -1),
        torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64).expand(num_frames, 3),
    )
    strength = torch.full((num_frames,), 6.0)
    return Scene((still, moving), height, width, torch.ones(num_frames), strength, subject=1)


def test_layers_are_drawn_where_they_are_nearest_first():
    layers = two_plane_scene().layers(1)
    assert layers.disparity[:, 0].tolist() == [1.0, 0.0]
    expected = torch.zeros(24, 32)
    expected[6:14, 12:20] = 1
    assert torch.equal(layers.alpha[0], expected)
    assert torch.allclose(layers.color[0, 0, 6:14, 12:20], torch.full((8, 8), 0.8))
    assert torch.equal(layers.alpha[1], torch.ones(24, 32))


def test_clip_shows_the_scene_and_its_truth():
    ticks: list[tuple[int, int]] = []
    clip = render_clip(two_plane_scene(), progress=lambda *tick: ticks.append(tick))
    assert ticks == [(1, 2), (2, 2)]
    square = torch.zeros(2, 24, 32, dtype=torch.bool)
    square[0, 6:14, 8:16] = True
    square[1, 6:14, 12:20] = True
    assert torch.equal(clip.disparity, square.float())
    assert torch.equal(clip.in_focus, square)
    # The focused square hides what is behind it, and one colour behind it blurs to itself.
    assert torch.allclose(clip.bokeh, clip.frames, atol=1e-5)
    assert clip.frames[1, 8, 14].tolist() == pytest.approx([0.8, 0, 0])
    assert clip.frames[1, 0, 0].tolist() == pytest.approx([0, 0.5, 0])


def test_edges_reach_as_far_as_the_wider_blur():
    # One edge between columns 9 and 10, radii 0 and -2.4 px: 3 + 1 px from either pixel along the row.
    radius_px = torch.zeros(9, 24)
    radius_px[:, 10:] = -2.4
    expected = torch.zeros(9, 24, dtype=torch.bool)
    expected[:, 5:15] = True
    assert torch.equal(near_occlusion_edges(radius_px), expected)


def test_slopes_are_no_edges():
    radius_px = torch.linspace(-10, 10, 41).expand(5, 41)
    assert not bool(near_occlusion_edges(radius_px).any())


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_soft_edges_in_focus_are_the_same_with_and_without_blur(gamma: float):
    # Half of white over black: 1/2 in display values, 0.5 ** (1 / 2.2) in linear light.
    scene = two_plane_scene(1)
    background = Plane(
        torch.tensor([0.0, 0.0, 0.0, 1.0])[:, None, None].expand(4, 24, 32),
        scene.planes[0].placement,
        scene.planes[0].disparity,
    )
    veil = Plane(
        torch.tensor([1.0, 1.0, 1.0, 0.5])[:, None, None].expand(4, 8, 8),
        scene.planes[1].placement,
        scene.planes[1].disparity,
    )
    clip = render_clip(
        Scene((background, veil), 24, 32, torch.ones(1), torch.full((1,), 6.0), subject=1), gamma=gamma
    )
    assert float(clip.frames[0, 10, 12, 0]) == pytest.approx(0.5 ** (1 / gamma), abs=1e-5)
    assert float(clip.bokeh[0, 10, 12, 0]) == pytest.approx(0.5 ** (1 / gamma), abs=1e-5)
