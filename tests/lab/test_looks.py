"""Truth by area: the same scene on finer frames, and the mean of their pixels."""

import torch

from bokeh_lab.ground_truth import render_clip
from bokeh_lab.looks.finer import by_area, finer
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
