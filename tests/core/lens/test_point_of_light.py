"""A point of light K pixels out of focus becomes a disk of that radius with the same energy."""

import functools
import math

import pytest
import torch
from torch import Tensor

from tests.core.lens.reference import render

# Whole and fractional radii, on and between the renderer's slabs, and a hair above one (2, 4, 10.08).
RADII_PX = [1.5, 2.0, 2.003, 2.3, 3.25, 4.0, 4.01, 4.6, 6.0, 8.5, 10.080002, 10.1, 12.0, 20.0]
BOTH_SIDES = [radius if i % 2 else -radius for i, radius in enumerate(RADII_PX)] + [-4.01, 12.0]
# Within the reach of the frame's border a point counts for more: what lies outside is not known.
SIZE_PX = 101


@functools.cache
def point_of_light(radius_px: float, gamma: float = 1.0) -> tuple[Tensor, Tensor]:
    """Linear light [H, W] of a point on a dark plane, and the distance of each pixel from it."""
    frame = torch.zeros(SIZE_PX, SIZE_PX, 3)
    frame[SIZE_PX // 2, SIZE_PX // 2] = 1
    light = render(frame, radius_px, gamma=gamma)[..., 0] ** gamma
    axis = torch.arange(SIZE_PX) - SIZE_PX // 2
    return light, torch.hypot(axis[:, None].float(), axis.float())


@pytest.mark.parametrize("gamma", [1.0, 2.2])
@pytest.mark.parametrize("radius_px", [1.0, 3.25, 8.0, -8.0, 20.0])
def test_energy_in_light_is_kept(radius_px: float, gamma: float):
    light, _ = point_of_light(radius_px, gamma)
    assert light.sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("radius_px", BOTH_SIDES)
def test_energy_stays_within_the_disk(radius_px: float):
    light, distance_px = point_of_light(radius_px)
    assert light.sum().item() == pytest.approx(1, abs=1e-5)
    # The rim may cut a pixel up to 0.71 px away, and a radius is a mixture of two slabs up to 12 % apart.
    assert light[distance_px > abs(radius_px) + 1].sum() < 0.01
    assert light[distance_px > 1.12 * abs(radius_px) + 1.5].sum() < 1e-6


@pytest.mark.parametrize("radius_px", BOTH_SIDES)
def test_the_disk_is_flat_and_has_the_area_of_its_radius(radius_px: float):
    light, distance_px = point_of_light(radius_px)
    # Wholly covered pixels of a disk of area A hold 1 / A each.
    level = light[distance_px < 0.88 * abs(radius_px) - 0.75]
    assert level.numel() > 0
    assert level.max() - level.min() < 1e-5
    # 1 / A is convex: two slabs a share p of the radius apart exceed it by up to 0.75 p^2 of it.
    slab_step_px = 0.5 if abs(radius_px) < 4 else max(1.0, 0.12 * abs(radius_px))
    tolerance = 0.75 * (slab_step_px / radius_px) ** 2 + 0.01
    assert 1 / level.mean().item() == pytest.approx(math.pi * radius_px**2, rel=tolerance)


@pytest.mark.parametrize("radius_px", BOTH_SIDES)
def test_the_spread_has_the_second_moment_of_a_disk(radius_px: float):
    light, distance_px = point_of_light(radius_px)
    # The mean squared distance in a disk is r^2 / 2; pixels and slabs add at most p^2 r^2 / 8 + 1/6 px^2.
    excess = (light * distance_px.square()).sum().item() - radius_px**2 / 2
    assert abs(excess) < 0.0018 * radius_px**2 + 1 / 3


@pytest.mark.parametrize("radius_px", [2.3, -4.6, 10.0, 20.0])
def test_the_disk_is_symmetric(radius_px: float):
    light, _ = point_of_light(radius_px)
    for mirrored in (light.flip(0), light.flip(1), light.T):
        torch.testing.assert_close(light, mirrored, rtol=0, atol=1e-7)


@pytest.mark.parametrize("radius_px", [0.3, -0.3, 0.5])
def test_a_disk_smaller_than_a_pixel_stays_a_point(radius_px: float):
    light, distance_px = point_of_light(radius_px)
    torch.testing.assert_close(light, (distance_px == 0).float(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("radius_px", [3.0, -7.0, 12.0])
def test_points_add_up(radius_px: float):
    frame = torch.zeros(SIZE_PX, SIZE_PX, 3)
    first, second = frame.clone(), frame.clone()
    first[30, 28] = torch.tensor([1.0, 0.5, 0.0])
    second[33, 35] = torch.tensor([0.0, 0.5, 1.0])
    alone = [render(picture, radius_px, gamma=1.0) for picture in (first, second)]
    torch.testing.assert_close(render(first + second, radius_px, gamma=1.0), sum(alone), rtol=0, atol=1e-6)


@pytest.mark.parametrize("side", [1, -1])
def test_on_a_slanted_plane_every_point_has_its_own_radius(side: int):
    height, width = 61, 241
    radius_px = torch.linspace(0, 12, width)  # 1/20 px of radius per px
    columns = [60, 100, 140, 180, 212]
    frame = torch.zeros(height, width, 3)
    frame[height // 2, columns] = 1
    light = render(frame, side * radius_px.expand(height, width), gamma=1.0)[..., 0]
    rows = torch.arange(height)[:, None] - height // 2
    for column in columns:
        disk = light[:, column - 17 : column + 18]
        expected_px = radius_px[column].item()
        across = torch.arange(-17, 18)
        assert disk.sum().item() == pytest.approx(1, abs=0.01)
        for offsets in (rows, across):
            # The variance of a disk along any axis is r^2 / 4, a pixel adds up to 1/12.
            measured_px = 2 * math.sqrt((disk * offsets.square()).sum() / disk.sum())
            assert measured_px == pytest.approx(expected_px, abs=0.1)
