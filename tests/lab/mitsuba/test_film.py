"""What Mitsuba sees of a tiny scene, where it is installed: places, depth, the radius of a point of light."""

import importlib.util
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from bokeh_lab.evaluate.clip_plan import plan_clips
from bokeh_lab.evaluate.plan import Bench, make_plan
from bokeh_lab.mitsuba import runtime
from bokeh_lab.mitsuba.clip import render_solid_clip
from bokeh_lab.mitsuba.film import Camera, Film, blur_strength_px, focal_length_px
from bokeh_lab.mitsuba.scenes import SolidScene
from bokeh_lab.mitsuba.solids import Lamp, Panel, ball, sheet

needs_mitsuba = pytest.mark.skipif(
    importlib.util.find_spec("mitsuba") is None, reason="Mitsuba is an optional package of the laboratory"
)
HEIGHT, WIDTH = 24, 32
# Half of the frame's width is seen at as much distance to the side.
FIELD_DEG = 90.0


def test_without_mitsuba_the_preset_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install mitsuba"):
        plan_clips("mitsuba", 1, "64x48", 1)
    assert runtime.missing() is not None


def test_k_of_a_lens_by_hand():
    # 448 px at 90 degrees: 224 px to the pinhole. A lens of radius 0.1, focus at 2: at 1 a point's disk has
    # 224 * 0.1 * (1 - 1/2) = 11.2 px, and K is that over the share of the disparity between them.
    scene = SolidScene((), (), FIELD_DEG, 2.0, 0.0)
    focal_px = focal_length_px(scene, 448)
    assert focal_px == pytest.approx(224)
    strength = blur_strength_px(0.1, 1.0, 0.2, focal_px)
    assert strength * ((1 - 0.2) / 0.8 - (0.5 - 0.2) / 0.8) == pytest.approx(11.2)


@needs_mitsuba
def test_linear_light_is_the_default_and_renderers_of_layers_are_left_out():
    (clip,) = plan_clips("mitsuba", 1, "64x48", 1)
    assert clip.solid and clip.gamma == 2.2
    plan = make_plan([clip], ["gather", "mpib_layers", "ground_truth"], ["none"], Bench())
    assert [unit.renderer for unit in plan.units] == ["gather", "ground_truth"]
    with pytest.raises(ValueError, match="--rays-across is 9"):
        plan_clips("mitsuba", 1, "64x48", 1, rays_across=9)


@needs_mitsuba
@pytest.mark.parametrize(("z", "focus_z"), [(8.0, 2.0), (2.0, 8.0)])
def test_a_point_of_light_has_the_radius_of_the_formula(z: float, focus_z: float):
    aperture = 1.0
    lamp = Lamp((0.0, 0.0, z), 0.004 * z, (50.0, 50.0, 50.0))
    film = Film(SolidScene((), (lamp,), FIELD_DEG, focus_z, 0.0), 1.0)
    light = film.light(Camera(HEIGHT, WIDTH, 0.0, aperture, focus_z), 0)[..., 0].astype(np.float64)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    squared = (x + 0.5 - WIDTH / 2) ** 2 + (y + 0.5 - HEIGHT / 2) ** 2
    # Of a disk the mean square distance is half the squared radius; of a pixel it is 1/6.
    radius = math.sqrt(2 * ((light * squared).sum() / light.sum() - 1 / 6))
    assert radius == pytest.approx(16 * aperture * abs(1 / z - 1 / focus_z), rel=0.01)


@needs_mitsuba
def test_a_clip_shows_its_scene():
    # A red sheet before a green one, from x = 0 to the right and from y = 0 downwards.
    picture = torch.tensor([0.0, 0.5, 0.0])[:, None, None].expand(3, 4, 4).contiguous()
    red = torch.tensor([0.8, 0.0, 0.0])[:, None, None].expand(3, 4, 4).contiguous()
    solids = (
        sheet((-20, -20, 8), (40, 0, 0), (0, 40, 0), picture),
        sheet((0, 0, 2), (4, 0, 0), (0, 4, 0), red),
    )
    clip = render_solid_clip(SolidScene(solids, (), FIELD_DEG, 2.0, 10.0), 1, HEIGHT, WIDTH)
    near = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool)
    near[:, HEIGHT // 2 :, WIDTH // 2 :] = True
    torch.testing.assert_close(clip.disparity, near.float(), atol=1e-6, rtol=0)
    assert torch.equal(clip.in_focus, near)
    assert clip.focal_disparity.item() == pytest.approx(1, abs=1e-6)
    # The greatest radius is that of the far sheet: 10 px at 1024 px width.
    assert clip.blur_strength_px.item() == pytest.approx(10 * WIDTH / 1024)
    torch.testing.assert_close(clip.frames[0, 20, 20], torch.tensor([0.8, 0.0, 0.0]), atol=1e-3, rtol=0)
    torch.testing.assert_close(clip.frames[0, 2, 2], torch.tensor([0.0, 0.5, 0.0]), atol=1e-3, rtol=0)
    # The near sheet is in focus, what lies behind it stays behind it.
    torch.testing.assert_close(clip.bokeh, clip.frames, atol=2e-2, rtol=0)


@needs_mitsuba
def test_lacquer_mirrors_a_panel_where_angles_are_equal():
    black = torch.zeros(3, 4, 4)
    body = replace(ball((0, 0, 4), 1.0, black), roughness=0.05)
    panel = Panel((6.0, 0.0, 0.0), (0.0, 0.0, 4.0), 0.5, 400.0)
    scene = SolidScene((body,), (), FIELD_DEG, 3.0, 0.0, (panel,))
    light = Film(scene, 1.0).light(Camera(HEIGHT, WIDTH), 0)[..., 0].astype(np.float64)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    seen = [float((light * place).sum() / light.sum()) for place in (x, y)]

    # By hand: along the ball's equator, the normal that halves the angle between the camera and the panel.
    angle = np.linspace(0, math.pi / 2, 10001)
    normal = np.stack([np.sin(angle), -np.cos(angle)])
    point = normal + np.array([[0.0], [4.0]])
    to_camera, to_panel = -point, np.array([[6.0], [0.0]]) - point
    cosines = [(normal * way).sum(0) / np.linalg.norm(way, axis=0) for way in (to_camera, to_panel)]
    place = point[:, np.abs(cosines[0] - cosines[1]).argmin()]
    assert seen[0] == pytest.approx(WIDTH / 2 + WIDTH / 2 * place[0] / place[1], abs=0.5)
    assert seen[1] == pytest.approx(HEIGHT / 2, abs=0.2)
