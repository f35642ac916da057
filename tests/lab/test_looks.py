"""Looks against rays: truth by area, and what Lens Blur is told of the truth."""

from dataclasses import replace

import pytest
import torch

from bokeh_core.lens import LensSettings, lens_blur, lens_of_controls
from bokeh_lab.ground_truth import render_clip
from bokeh_lab.looks.finer import by_area, finer
from bokeh_lab.looks.given import LAYERS, MIXED_PIXELS, PICTURE, rendered_given
from bokeh_lab.scenes.scene import Plane, Scene

HEIGHT, WIDTH = 12, 18


def ramp() -> Scene:
    """A slanted plane that is brighter to the right, larger than the frame, in focus in its middle."""
    light = torch.linspace(0, 1, 60).expand(3, 40, 60)
    texture = torch.cat([light, torch.ones(1, 40, 60)])
    placement = torch.tensor([[[2.0, 0, 11], [0, 2.0, 7]]], dtype=torch.float64)
    disparity = torch.tensor([[0.2, 0.02, 0.03]], dtype=torch.float64)
    focal, strength = torch.tensor([0.5]), torch.tensor([4.0])
    return Scene((Plane(texture, placement, disparity),), HEIGHT, WIDTH, focal, strength, 0)


def test_the_mean_of_a_finer_ramp_is_the_ramp():
    coarse = render_clip(ramp())
    fine = finer(ramp(), 3)
    assert (fine.height, fine.width, fine.blur_strength_px.item()) == (36, 54, 12)
    clip = by_area(render_clip(fine, rays_across=15), 3)
    assert clip.frames.shape == coarse.frames.shape == (1, HEIGHT, WIDTH, 3)
    torch.testing.assert_close(clip.frames, coarse.frames, atol=1e-5, rtol=0)
    torch.testing.assert_close(clip.disparity, coarse.disparity, atol=1e-6, rtol=0)
    assert clip.blur_strength_px.item() == 4
    assert torch.equal(clip.in_focus, coarse.in_focus)


def test_a_pixel_is_the_mean_light_of_its_square():
    # Black and white columns of a third of a pixel: a third or two thirds of the light of white.
    columns = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0, 1.0]).expand(3, 6, 6)
    texture = torch.cat([columns, torch.ones(1, 6, 6)])
    placement = torch.tensor([[[3.0, 0, 1], [0, 3.0, 1]]], dtype=torch.float64)
    flat = Plane(texture, placement, torch.zeros(1, 3, dtype=torch.float64))
    scene = Scene((flat,), 2, 2, torch.zeros(1), torch.zeros(1), 0)
    frames = by_area(render_clip(finer(scene, 3), gamma=2.2), 3).frames
    expected = torch.tensor([1 / 3, 2 / 3]) ** (1 / 2.2)
    torch.testing.assert_close(frames[0, :, :, 0], expected.expand(2, 2), atol=1e-5, rtol=0)


def three_sheets(middle: float) -> Scene:
    """Near, middle and far sheets of one light each, the first two with borders that let half through.

    From the left: near alone, near over middle, half near over half middle over far, half middle over far.
    """
    height, width = 8, 24
    light = {"near": 0.8, "middle": middle, "far": 0.2}
    alpha = {name: torch.ones(height, width) for name in light}
    alpha["near"][:, 12], alpha["near"][:, 13:] = 0.5, 0
    alpha["middle"][:, 12:14], alpha["middle"][:, 14:] = 0.5, 0
    placement = torch.tensor([[[1.0, 0, 0], [0, 1.0, 0]]], dtype=torch.float64)
    planes = []
    for name, depth in zip(light, (0.5, 0.3, 0.1), strict=True):
        texture = torch.cat([torch.full((3, height, width), light[name]), alpha[name][None]])
        planes.append(Plane(texture, placement, torch.tensor([[depth, 0, 0]], dtype=torch.float64)))
    return Scene(tuple(planes), height, width, torch.tensor([0.5]), torch.tensor([20.0]), 0)


@pytest.mark.parametrize("fringe", [0.0, 0.1])
def test_given_the_picture_alone_it_is_lens_blur(fringe: float):
    scene, lens = three_sheets(0.5), lens_of_controls(fringe=fringe)
    clip = render_clip(scene, gamma=2.2, rays_across=3)
    expected = lens_blur(
        clip.frames,
        clip.disparity,
        clip.focal_disparity,
        clip.blur_strength_px,
        replace(lens, gamma=2.2).at_width(24),
    )
    assert torch.equal(rendered_given(PICTURE, clip, scene.layers(0), lens), expected)


@pytest.mark.parametrize(
    ("given", "middle"),
    # What is hidden is told or of one light: else it is continued from what is seen.
    [(MIXED_PIXELS, 0.2), (LAYERS, 0.5)],
)
def test_shares_of_a_pixel_are_the_true_ones(given: str, middle: float):
    # The near sheet is in focus; what is behind it averages out around its border. Linear light.
    scene = three_sheets(middle)
    clip = render_clip(scene, gamma=1.0, rays_across=3)
    row = rendered_given(given, clip, scene.layers(0), LensSettings())[0, 4, :, 0]
    torch.testing.assert_close(row[4:12], torch.full((8,), 0.8), atol=1e-4, rtol=0)
    assert row[12].item() == pytest.approx(0.5 * 0.8 + 0.5 * (middle + 0.2) / 2, abs=0.02)
