"""Rays through a lens with character: a point of light becomes what docs/lenses.md states, energy kept."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.lens import Aperture, LensSettings, lens_blur
from bokeh_core.lens.aperture_image import aperture_image_of
from bokeh_lab.raytrace import ray_trace
from bokeh_lab.raytrace.pupil import BEHIND, FRONT, rays_through
from bokeh_lab.scenes.scene import LayeredFrame

SIZE_PX = 61
RADIUS_PX = 10.0
# On a slab of Lens Blur's, so that a point's image is one kernel.
ON_SLAB_PX = 8.0


def point_of_light(
    side: int, place: tuple[int, int] = (30, 30), radius_px: float = RADIUS_PX, **settings: Any
) -> Tensor:
    """Linear light [3, H, W] of a white point in front of the focus (side 1) or behind it (side -1)."""
    color = torch.zeros(1, 3, SIZE_PX, SIZE_PX)
    color[0, :, place[0], place[1]] = 1
    layered = LayeredFrame(color, torch.ones(1, SIZE_PX, SIZE_PX), torch.tensor([[0.5, 0.0, 0.0]]).double())
    # At disparity 0.5, and the focus at 0 or 1.
    focus = 0.0 if side > 0 else 1.0
    return ray_trace(layered, focus, 2 * radius_px, rays_across=41, lens=LensSettings(**settings))


def about(place: tuple[int, int] = (30, 30)) -> tuple[Tensor, Tensor]:
    """Distances (x, y) in px from a place, y downwards."""
    axis = torch.arange(SIZE_PX).float()
    return (axis - place[1]).expand(SIZE_PX, SIZE_PX), (axis - place[0])[:, None].expand(SIZE_PX, SIZE_PX)


def mean_of(light: Tensor, values: Tensor) -> float:
    return ((light * values).sum() / light.sum()).item()


@pytest.mark.parametrize("ring", [0.8, -0.7, 1.0])
@pytest.mark.parametrize("side", [1, -1])
def test_a_ring_has_the_stated_profile(ring: float, side: int):
    light = point_of_light(side, aperture=Aperture(ring=ring))[0]
    b = -side * ring
    x, y = about()
    square = (x**2 + y**2) / RADIUS_PX**2
    assert light.sum().item() == pytest.approx(1, abs=1e-3)
    # The share within q is q^2 (1 - b) + b q^4, and the mean of q^2 is 1/2 + b / 6.
    for q in (0.4, 0.7):
        within = light[square <= q**2].sum().item()
        assert within == pytest.approx((1 - b) * q**2 + b * q**4, abs=0.025)
    assert mean_of(light, square) == pytest.approx(0.5 + b / 6, abs=0.01)


def test_blades_are_a_polygon_upright_in_front_and_upside_down_behind():
    front, behind = (point_of_light(side, aperture=Aperture(blades=3))[0] for side in (1, -1))
    _, y = about()
    # Of a triangle in a circle of radius r with a corner up, 4/9 lies above the middle, and the mean of the
    # squared height is r^2 / 8.
    assert front[y < 0].sum().item() + front[y == 0].sum().item() / 2 == pytest.approx(4 / 9, abs=0.01)
    assert mean_of(front, y**2) == pytest.approx(RADIUS_PX**2 / 8, rel=0.02)
    torch.testing.assert_close(behind, front.flip(0, 1), rtol=0, atol=1e-4)


def test_an_oval_is_taller_by_its_ratio():
    light = point_of_light(-1, aperture=Aperture(anamorphic_ratio=2.0))[0]
    x, y = about()
    # The variance along a half axis a is a^2 / 4, the bilinear pixel adds 1/6.
    assert mean_of(light, y**2) == pytest.approx(RADIUS_PX**2 * 2 / 4 + 1 / 6, rel=0.02)
    assert mean_of(light, x**2) == pytest.approx(RADIUS_PX**2 / 2 / 4 + 1 / 6, rel=0.02)


def test_a_picture_is_upright_in_front_and_turns_with_the_rotation():
    # Two dots, twice as bright at the left; the farthest corner is 5.8548 px from the middle of their light.
    dots = torch.kron(torch.tensor([[1.0, 0, 0, 0, 0, 0, 0, 0, 0.5]]), torch.ones(16, 16))
    image = aperture_image_of(dots)
    light = point_of_light(1, aperture=Aperture(image=image))[0]
    x, y = about()
    assert light[x < 0].sum().item() == pytest.approx(2 / 3, abs=3e-3)
    left = torch.where(x < 0, light, 0.0)
    assert mean_of(left, x) == pytest.approx(-RADIUS_PX * 2.6667 / 5.8548, rel=0.02)
    # A quarter turn anticlockwise brings the left to the bottom.
    turned = point_of_light(1, aperture=Aperture(image=image, rotation_deg=90))[0]
    assert turned[y > 0].sum().item() == pytest.approx(2 / 3, abs=3e-3)


@pytest.mark.parametrize("side", [1, -1])
def test_the_barrel_leaves_what_two_disks_share(side: int):
    place, half = (30, 50), SIZE_PX / math.sqrt(2)
    light = point_of_light(side, place, radius_px=5.0, aperture=Aperture(cat_eye=1.0))[0]
    x, y = about(place)
    # The disks are h apart; rays come from beyond the point, h less u K d / half a diagonal, which widens the
    # barrel by half of it at d = 0.5. Their common shape moves by h / 2, outwards in front of the focus.
    h = 20 / half
    assert mean_of(light, x) == pytest.approx(side * 5.0 * h / 2, abs=0.35)
    assert abs(mean_of(light, y)) < 0.02
    around, along = mean_of(light, y**2), mean_of(light, x**2) - mean_of(light, x) ** 2
    assert along < 0.75 * around


def test_swirl_stretches_around_the_middle():
    place, half = (30, 50), SIZE_PX / math.sqrt(2)
    light = point_of_light(-1, place, radius_px=5.0, aperture=Aperture(swirl=1.0))[0]
    x, y = about(place)
    ratio = 1 + 2 * (20 / half) ** 2
    # Rays come from up to u K d / half a diagonal beside the point, which evens out but for its square.
    assert mean_of(light, y**2) == pytest.approx(25 / 4 * ratio + 1 / 6, rel=0.06)
    assert mean_of(light, x**2) - mean_of(light, x) ** 2 == pytest.approx(25 / 4 / ratio + 1 / 6, rel=0.12)


def test_colours_focus_at_their_own_distance():
    # Green with radius 10 behind the focus at 1; red and blue focus at 0.8 and have 6 of it.
    light = point_of_light(-1, fringe=0.2)
    x, y = about()
    for channel, radius_px in ((0, 6.0), (1, 10.0), (2, 6.0)):
        square = mean_of(light[channel], x**2 + y**2)
        assert square == pytest.approx(radius_px**2 / 2 + 1 / 3, rel=0.02)


@pytest.mark.parametrize(
    "aperture",
    [Aperture(ring=1.0), Aperture(cat_eye=1.0, swirl=1.0, ring=-0.7), Aperture(5, cat_eye=0.5)],
    ids=["ring", "all", "blades"],
)
def test_an_evenly_lit_scene_stays_so(aperture: Aperture):
    # A hole in a near layer of the same brightness: what passes it and what it stops add up.
    color = torch.full((2, 3, 40, 50), 0.5)
    alpha = torch.ones(2, 40, 50)
    alpha[0, 10:25, 15:30] = 0
    layered = LayeredFrame(color, alpha, torch.tensor([[0.9, 0, 0], [0.1, 0.001, 0]]).double())
    seen = ray_trace(layered, 0.5, 15.0, rays_across=15, lens=LensSettings(aperture))
    assert (seen - 0.5).abs().max() < 1e-5


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_a_lamp_of_50_becomes_a_disk_of_50_over_its_area(gamma: float):
    color = torch.zeros(1, 3, SIZE_PX, SIZE_PX)
    color[0, :, 30, 30] = 50 ** (1 / gamma)
    layered = LayeredFrame(color, torch.ones(1, SIZE_PX, SIZE_PX), torch.tensor([[0.0, 0, 0]]).double())
    traced = ray_trace(layered, 1.0, ON_SLAB_PX, gamma=gamma, rays_across=41)
    frame = color[0].permute(1, 2, 0)[None]
    # CHW -> HWC
    blurred = lens_blur(
        frame,
        torch.zeros(1, SIZE_PX, SIZE_PX),
        torch.tensor([1.0]),
        torch.tensor([ON_SLAB_PX]),
        gamma=gamma,
    )[0].permute(2, 0, 1)
    x, y = about()
    inside = torch.hypot(x, y) < ON_SLAB_PX - 1.5
    for picture in (traced, blurred):
        light = picture[1] ** gamma
        assert light.sum().item() == pytest.approx(50, rel=2e-3)
        assert light[inside].mean().item() == pytest.approx(50 / (math.pi * ON_SLAB_PX**2), rel=0.02)


def test_rays_of_an_even_round_opening_are_the_published_grid():
    rays = rays_through(Aperture(), 51)
    assert len(rays) == 1961
    assert all(ray.is_straight and ray.light == (1.0, 1.0) for ray in rays)


def test_rays_carry_the_light_of_the_opening():
    # Of a disk, pi; of a hexagon in it, 3/2 sqrt(3). A cell of 2/31 squared carries its covered share.
    for aperture, area in ((Aperture(ring=0.5), math.pi), (Aperture(blades=6), 1.5 * math.sqrt(3))):
        rays = rays_through(aperture, 31)
        for side in (FRONT, BEHIND):
            light = sum(ray.light[side] for ray in rays) * (2 / 31) ** 2
            assert light == pytest.approx(area, rel=3e-3)
    points = np.array([ray.points[BEHIND] for ray in rays_through(Aperture(ring=1.0), 31)])
    assert np.hypot(*points.T).max() <= 1
