"""What holds for every renderer: flat pictures, no blur, a point of light, occlusion, shape and batches."""

import dataclasses
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bokeh_lab.peers import RENDERERS, BokehTask, Renderer, renderer_named
from tests.lab.peers.cases import (
    area_disk,
    clip,
    flat_clip,
    flat_layer,
    noise,
    point_of_light,
    two_plane_clip,
)

NEEDS_WEIGHTS = {"any_to_bokeh", "deeplens", "bokehme_neural", "dr_bokeh_neural", "mpib_neural"}
# A network for frames of 64 px or more, and held to its pipeline in test_bundle.py.
NETWORKS = {"bokeh_small"}
RUNNING = [renderer for renderer in RENDERERS if renderer.name not in {*NEEDS_WEIGHTS, *NETWORKS}]
# It works in 8 bits and cuts off decimals; its kernel is a sum of Gaussians.
EIGHT_BIT = "blurgenerator"

every_renderer = pytest.mark.parametrize("renderer", RUNNING, ids=lambda renderer: renderer.name)


def random_task(num_frames: int = 3, height: int = 20, width: int = 28) -> BokehTask:
    frames = noise(num_frames, height, width, 3)
    disparity = noise(num_frames, height, width, seed=1)
    layers = [flat_layer(frame, 0.6) for frame in frames]
    return dataclasses.replace(
        clip(frames, disparity, 6.0, gamma=2.2, layers=layers),
        focal_disparity=torch.linspace(0.3, 0.6, num_frames),
        blur_strength_px=torch.linspace(3, 8, num_frames),
    )


@every_renderer
@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_a_flat_picture_stays_flat(renderer: Renderer, gamma: float):
    frames = torch.tensor([0.2, 0.5, 0.9]).expand(1, 24, 30, 3)
    disparity = None if renderer.given_layers else noise(1, 24, 30)
    task = clip(frames, 0.7, 12.0, gamma=gamma, layers=[flat_layer(frames[0], 0.7)])
    if disparity is not None:
        task = dataclasses.replace(task, disparity=disparity)
    tolerance = 2 / 255 if renderer.name == EIGHT_BIT else 1e-5
    torch.testing.assert_close(renderer.render(task), frames.contiguous(), rtol=0, atol=tolerance)


@every_renderer
def test_type_shape_range_and_input(renderer: Renderer):
    task = random_task()
    before = task.frames.clone()
    result = renderer.render(task)
    assert result.shape == task.frames.shape
    assert result.dtype == torch.float32
    assert result.min() >= 0 and result.max() <= 1
    assert torch.equal(task.frames, before)
    assert result.data_ptr() != task.frames.data_ptr()


@every_renderer
def test_a_frame_does_not_depend_on_the_others(renderer: Renderer):
    task = random_task()
    together = renderer.render(task)
    for t in range(3):
        assert task.layers is not None
        alone = BokehTask(
            task.frames[t : t + 1],
            task.disparity[t : t + 1],
            task.focal_disparity[t : t + 1],
            task.blur_strength_px[t : t + 1],
            task.gamma,
            layers=[task.layers[t]],
        )
        assert torch.equal(renderer.render(alone)[0], together[t])


# Of a pixel itself and of the four beside it. BokehMe: 0.5 / 0.2 and (1/2 + 1/2 tanh(-4)) / 0.2.
# Dr.Bokeh: softstep(1) and softstep(0) (1/2 + 1/2 tanh(-1)).
WEIGHTS_IN_FOCUS = {
    "bokehme": (2.5, 0.00167675),
    "dr_bokeh": (0.6676144, 0.0108366),
    "dr_bokeh_layers": (0.6676144, 0.0108366),
}


@every_renderer
def test_no_blur_gives_the_input_or_what_the_formula_says(renderer: Renderer):
    frames = noise(1, 16, 18, 3)
    own, beside = WEIGHTS_IN_FOCUS.get(renderer.name, (1.0, 0.0))
    kernel = torch.tensor([[0, beside, 0], [beside, own, beside], [0, beside, 0]]).expand(3, 1, 3, 3)
    planes = frames.permute(0, 3, 1, 2)
    weights = F.conv2d(torch.ones_like(planes), kernel, padding=1, groups=3)
    light = F.conv2d(planes, kernel, padding=1, groups=3) / weights
    expected = light.permute(0, 2, 3, 1)
    result = renderer.render(clip(frames, 0.3, 0.0, layers=[flat_layer(frames[0], 0.3)]))
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-6)


EXACT_DISKS = ("gather", "true_layers", "mpib_exact_disks")


def drawn_disk(name: str, radius_px: float) -> np.ndarray:
    """The image of a point that a renderer's formula gives: [k, k], sum 1."""
    if name in EXACT_DISKS:
        return area_disk(radius_px)
    reach = math.ceil(radius_px) + 1
    axis = np.arange(-reach, reach + 1)
    distance_px = np.hypot(axis[:, None], axis)
    if name == "bokehme":
        disk = (0.5 + 0.5 * np.tanh(4 * (radius_px - distance_px))) * (distance_px <= reach)
    elif name.startswith("dr_bokeh"):
        disk = 0.1 / (0.1 + np.exp(-3 * (radius_px + 1 - distance_px))) * (distance_px <= reach)
    else:
        square = np.maximum(np.abs(axis)[:, None], np.abs(axis)) <= radius_px
        disk = (0.5 + 0.5 * np.tanh(0.25 * (radius_px**2 - distance_px**2) + 0.5)) * square
    return disk / disk.sum()


@pytest.mark.parametrize(
    "name",
    [*EXACT_DISKS, "bokehme", "dr_bokeh", "mpib", "mpib_dilated", "dr_bokeh_layers", "mpib_layers"],
)
@pytest.mark.parametrize("gamma", [1.0, 2.2])
@pytest.mark.parametrize("radius_px", [3.0, 7.0])
def test_a_point_of_light_becomes_the_formulas_disk(name: str, radius_px: float, gamma: float):
    light = renderer_named(name).render(flat_clip(point_of_light(), radius_px, gamma))[0, ..., 0] ** gamma
    disk = drawn_disk(name, radius_px)
    expected = np.pad(disk, 20 - disk.shape[0] // 2)
    # Shares of a pixel's area are counted by samples, here and there.
    np.testing.assert_allclose(light, expected, atol=6e-4 if name in EXACT_DISKS else 1e-5)
    assert light.sum().item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", ["lens_blur", "lens_blur_exact"])
@pytest.mark.parametrize("gamma", [1.0, 2.2])
@pytest.mark.parametrize("radius_px", [3.0, 7.0])
def test_a_point_of_light_becomes_a_disk_of_its_energy_and_radius(name: str, radius_px: float, gamma: float):
    light = renderer_named(name).render(flat_clip(point_of_light(), radius_px, gamma))[0, ..., 0] ** gamma
    assert light.sum().item() == pytest.approx(1, abs=1e-4)
    axis = torch.arange(41) - 20.0
    # A disk's mean squared distance is r^2 / 2.
    moment = (light * (axis[:, None].square() + axis.square())).sum().item()
    assert math.sqrt(2 * moment) == pytest.approx(radius_px, abs=0.2)


def test_identity_moves_nothing():
    task = random_task()
    assert torch.equal(renderer_named("identity").render(task), task.frames)


OCCLUSION_AWARE = ["dr_bokeh", "mpib", "mpib_exact_disks", "lens_blur", "lens_blur_exact"]


@pytest.mark.parametrize("name", [*OCCLUSION_AWARE, "dr_bokeh_layers", "mpib_layers", "true_layers"])
def test_a_foreground_in_focus_and_the_wall_behind_it_keep_to_themselves(name: str):
    task, inside = two_plane_clip("square", radius_px=5)
    picture = renderer_named(name).render(task)[0, ..., 0]
    # Dr.Bokeh's gather in focus is not quite a point, and its neighbours on the same plane are alike.
    assert (picture[inside] - 0.8).abs().max() < 0.005
    assert (picture[~inside] - 0.2).abs().max() < 0.005


def test_gather_and_scatter_bleed():
    task, inside = two_plane_clip("square", radius_px=5)
    gathered = renderer_named("gather").render(task)[0, ..., 0]
    assert (gathered[inside] - 0.8).abs().max() < 1e-6
    # A wall pixel beside the square averages almost half a disk of it.
    assert gathered[20, 9] - 0.2 == pytest.approx(0.6 * 0.44, abs=0.03)
    scattered = renderer_named("bokehme").render(task)[0, ..., 0]
    # Half a disk of wall pixels weighs 0.44 pi 5^2 / 25.2 = 1.37, the square's own pixel 2.5.
    assert 0.8 - scattered[20, 10] == pytest.approx(0.6 * 1.37 / (1.37 + 2.5), abs=0.03)


@pytest.mark.parametrize("name", [*OCCLUSION_AWARE, "true_layers", "mpib_layers", "dr_bokeh_layers"])
def test_a_blurred_foreground_spreads_over_a_wall_in_focus(name: str):
    radius_px = 5.0
    task, _ = two_plane_clip("wall", radius_px)
    picture = renderer_named(name).render(task)[0, ..., 0]
    # Half of a disk lies on either side of a straight edge: between pixels 9 and 10 the two mix evenly.
    assert (picture[20, 9] + picture[20, 10]).item() / 2 == pytest.approx(0.5, abs=0.06)
    assert picture[20, 20].item() == pytest.approx(0.8, abs=1e-3)
    assert picture[20, 1].item() == pytest.approx(0.2, abs=1e-3)


def test_plain_gather_ends_at_the_foregrounds_contour():
    task, inside = two_plane_clip("wall", radius_px=5)
    picture = renderer_named("gather").render(task)[0, ..., 0]
    assert (picture[~inside] - 0.2).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"frames": torch.zeros(2, 8, 8, 4)},
            r"frames have shape \(2, 8, 8, 4\); they must be \[T, H, W, 3\]",
        ),
        ({"disparity": torch.zeros(2, 8, 9)}, r"disparity has shape \(2, 8, 9\)"),
        ({"focal_disparity": torch.zeros(3)}, "focal_disparity has shape"),
        ({"blur_strength_px": torch.tensor([1.0, -2.0])}, "blur_strength_px is -2; it must be 0 or more"),
        ({"gamma": 0.0}, "gamma is 0; use 1"),
        ({"layers": [flat_layer(torch.zeros(8, 8, 3), 0.5)]}, "1 frames of layers for 2 frames"),
    ],
)
def test_parts_that_do_not_belong_together(change: dict, message: str):
    task = dataclasses.replace(clip(torch.zeros(2, 8, 8, 3), 0.5, 4.0), **change)
    with pytest.raises(ValueError, match=message):
        renderer_named("gather").render(task)


@pytest.mark.parametrize("name", ["dr_bokeh_layers", "mpib_layers", "true_layers"])
def test_layers_that_are_not_given(name: str):
    with pytest.raises(ValueError, match="works from the true layers and the task has none"):
        renderer_named(name).render(clip(torch.zeros(1, 8, 8, 3), 0.5, 4.0))
