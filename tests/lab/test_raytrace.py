"""Ray-traced ground truth against closed forms."""

import math

import pytest
import torch
from torch import Tensor

from bokeh_lab.raytrace import lens_points, ray_trace, sharp_frame, sufficient_rays_across, visible_disparity
from bokeh_lab.scenes.scene import LayeredFrame


def layered(*layers: tuple[Tensor, Tensor, tuple[float, float, float]]) -> LayeredFrame:
    """Layers given as (color [3, H, W], alpha [H, W], disparity plane), nearest first."""
    color, alpha, disparity = zip(*layers, strict=True)
    return LayeredFrame(torch.stack(color), torch.stack(alpha), torch.tensor(disparity, dtype=torch.float64))


def flat(red: float, height: int, width: int) -> Tensor:
    color = torch.zeros(3, height, width)
    color[0] = red
    return color


def one_point(height: int, width: int, y: int, x: int) -> Tensor:
    color = torch.zeros(3, height, width)
    color[:, y, x] = 1
    return color


@pytest.mark.parametrize(("rays_across", "expected"), [(1, 1), (3, 5), (5, 13), (7, 29), (51, 1961)])
def test_lens_grid_holds_the_lattice_points_of_a_circle(rays_across: int, expected: int):
    # Gauss's circle problem: 5, 13, 29 and 1961 lattice points within radius 1, 2, 3 and 25.
    points = lens_points(rays_across)
    assert len(points) == expected
    assert float(points.norm(dim=1).max()) <= 1 + 1e-12


@pytest.mark.parametrize("focal_disparity", [0.1, 0.9])
@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_point_becomes_a_disk(focal_disparity: float, gamma: float):
    height, width, y, x = 41, 45, 20, 22
    radius_px = 16 * 0.4
    picture = layered((one_point(height, width, y, x), torch.ones(height, width), (0.5, 0.0, 0.0)))
    light = ray_trace(picture, focal_disparity, 16.0, gamma=gamma)[0].double() ** gamma

    assert float(light.sum()) == pytest.approx(1, rel=1e-4)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    distance = torch.hypot((rows - y).double(), (columns - x).double())
    assert float(light[distance > radius_px + 2**0.5].max()) == 0
    inside = light[distance < radius_px - 2**0.5]
    assert float(inside.mean()) == pytest.approx(1 / (math.pi * radius_px**2), rel=0.02)
    assert float(inside.std() / inside.mean()) < 0.1
    # A uniform disk has a mean square radius of r^2 / 2; the bilinear pixel adds 1/6 in x and in y.
    spread = float((light * distance**2).sum())
    assert spread == pytest.approx(radius_px**2 / 2 + 1 / 3, rel=0.02)


def test_edge_in_front_of_the_focus_has_the_profile_of_a_disk():
    height, width, radius_px = 9, 60, 12.0
    alpha = torch.zeros(height, width)
    alpha[:, :30] = 1
    # The frame must be higher than the blur, or rays that leave it change the profile.
    alpha = alpha.repeat(5, 1)
    color = flat(1.0, 45, width)
    picture = layered(
        (color, alpha, (1.0, 0, 0)), (torch.zeros_like(color), torch.ones(45, width), (0.4, 0, 0))
    )
    row = ray_trace(picture, 0.4, 20.0)[0, 22].double()

    # Share of a disk around x on the left of the edge at 29.5, from the disk's chord lengths.
    across = torch.arange(width).double() - 29.5
    x = across.clamp(-radius_px, radius_px)
    chord_sum = x * (radius_px**2 - x**2).sqrt() + radius_px**2 * torch.asin(x / radius_px)
    expected = 0.5 - chord_sum / (math.pi * radius_px**2)
    # Near the left border rays leave the frame.
    assert float((row - expected)[13:].abs().max()) < 0.01


def test_blurred_background_does_not_bleed_into_a_sharp_foreground():
    height, width = 32, 40
    alpha = torch.zeros(height, width)
    alpha[:, :20] = 1
    background = torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))
    picture = layered(
        (flat(0.25, height, width), alpha, (0.9, 0, 0)), (background, torch.ones(height, width), (0.1, 0, 0))
    )
    result = ray_trace(picture, 0.9, 8.0)
    assert torch.allclose(result[:, :, :20], flat(0.25, height, 20), atol=1e-6)
    assert float((result - sharp_frame(picture))[:, :, 24:].abs().max()) > 0.1


def test_background_behind_a_blurred_foreground_is_seen_through_it():
    # What a foreground one pixel wide hides is known, so all that it does not cover shows.
    height, width = 40, 40
    alpha = torch.zeros(height, width)
    alpha[:, 20] = 1
    background = flat(1.0, height, width)
    picture = layered(
        (torch.zeros(3, height, width), alpha, (0.8, 0, 0)),
        (background, torch.ones(height, width), (0.2, 0, 0)),
    )
    at_centre = float(ray_trace(picture, 0.2, 10.0)[0, 20, 20])
    # A strip 1 px wide through the middle of a disk of radius r covers 2 / (pi r) of it, to first order.
    assert at_centre == pytest.approx(1 - 2 / (math.pi * 6), abs=0.003)


@pytest.mark.parametrize("x", [20, 60, 100])
def test_radius_changes_along_a_slanted_plane(x: int):
    height, width, strength = 41, 121, 24.0
    slope = 0.006
    disparity = 0.1 + slope * x
    picture = layered((one_point(height, width, 20, x), torch.ones(height, width), (0.1, slope, 0)))
    light = ray_trace(picture, 0.4, strength)[0].double()
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    square = (rows - 20.0).square() + (columns - float(x)).square()
    radius_px = strength * abs(disparity - 0.4)
    measured = math.sqrt(2 * (float((light * square).sum() / light.sum()) - 1 / 3))
    assert measured == pytest.approx(radius_px, abs=0.15)


def test_rays_meet_a_slanted_plane_where_the_papers_formula_says():
    # Colour that is linear in the position averages to the mean position of the hits; five known rays.
    height, width, strength, z_f = 24, 30, 6.0, 2.0
    a, b, c = 0.02, -0.03, 1.25
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    color = torch.stack([columns / 100, rows / 100, torch.zeros(height, width)])
    picture = layered((color, torch.ones(height, width), (1 / c, -a / c, -b / c)))
    result = ray_trace(picture, 1 / z_f, strength, rays_across=3)

    x, y = 13.0, 11.0
    hits = []
    for u, v in ((0, 0), (strength, 0), (-strength, 0), (0, strength), (0, -strength)):
        t = (a * u + b * v + c) / (z_f - a * (z_f * x - u) - b * (z_f * y - v))
        hits.append(((t * (z_f * x - u) + u) / (t * z_f), (t * (z_f * y - v) + v) / (t * z_f)))
    expected_x, expected_y = (sum(values) / 5 for values in zip(*hits, strict=True))
    assert float(result[0, 11, 13]) * 100 == pytest.approx(expected_x, abs=1e-3)
    assert float(result[1, 11, 13]) * 100 == pytest.approx(expected_y, abs=1e-3)
    # The plane is steep enough for the formula to differ from the pixel's own position.
    assert abs(expected_x - x) > 0.05


def test_borders_are_means_of_what_is_inside():
    height, width = 20, 26
    picture = layered((flat(0.7, height, width), torch.ones(height, width), (0.0, 0, 0)))
    assert torch.allclose(ray_trace(picture, 1.0, 9.0), flat(0.7, height, width), atol=1e-5)


def test_layers_mix_along_a_ray_from_near_to_far():
    # 0.5 of 0.8, then 0.5 * 0.25 of 0.4, then the rest, 0.375, of 0.2.
    size = (5, 6)
    picture = layered(
        (flat(0.8, *size), torch.full(size, 0.5), (1.0, 0, 0)),
        (flat(0.4, *size), torch.full(size, 0.25), (0.5, 0, 0)),
        (flat(0.2, *size), torch.ones(size), (0.0, 0, 0)),
    )
    expected = 0.5 * 0.8 + 0.125 * 0.4 + 0.375 * 0.2
    assert torch.allclose(sharp_frame(picture), flat(expected, *size), atol=1e-6)
    # All rays see the same, so the lens changes nothing away from the borders.
    assert float(ray_trace(picture, 0.5, 2.0)[0, 2, 3]) == pytest.approx(expected, abs=1e-6)


def test_nearly_clear_and_nearly_opaque_layers_are_clear_and_opaque():
    size = (4, 4)
    back = (flat(0.2, *size), torch.ones(size), (0.0, 0, 0))
    clear = layered((flat(1.0, *size), torch.full(size, 0.009), (1.0, 0, 0)), back)
    opaque = layered((flat(1.0, *size), torch.full(size, 0.995), (1.0, 0, 0)), back)
    assert torch.allclose(sharp_frame(clear), flat(0.2, *size))
    assert torch.allclose(sharp_frame(opaque), flat(1.0, *size))


def test_gamma_decides_what_is_averaged():
    # Half of the rays see 1, half see 0: display values give 1/2, linear light 0.5 ** (1 / 2.2).
    height, width = 41, 80
    alpha = torch.zeros(height, width)
    alpha[:, :40] = 1
    back = (torch.zeros(3, height, width), torch.ones(height, width), (0.0, 0, 0))
    picture = layered((flat(1.0, height, width), alpha, (1.0, 0, 0)), back)
    for gamma in (1.0, 2.2):
        both = ray_trace(picture, 0.0, 10.0, gamma=gamma)[0, 20, 39:41].double() ** gamma
        assert float(both.mean()) == pytest.approx(0.5, abs=1e-3)


def test_what_is_in_focus_stays_and_so_does_everything_at_strength_0():
    color = torch.rand(3, 12, 14, generator=torch.Generator().manual_seed(0))
    picture = layered((color, torch.ones(12, 14), (0.3, 0, 0)))
    assert torch.allclose(ray_trace(picture, 0.3, 30.0), color, atol=1e-5)
    assert torch.allclose(ray_trace(picture, 0.9, 0.0), color, atol=1e-6)


def test_visible_disparity_is_that_of_the_nearest_covering_layer():
    size = (1, 4)
    near = torch.tensor([[1.0, 0.6, 0.4, 0.0]])
    picture = layered(
        (flat(0, *size), near, (0.9, 0.01, 0)), (flat(0, *size), torch.ones(size), (0.2, 0.0, 0))
    )
    assert visible_disparity(picture)[0].tolist() == pytest.approx([0.9, 0.91, 0.2, 0.2])


def test_enough_rays_for_the_radius():
    # Half a pixel apart over 2 r: 4 r + 1 points; odd; never fewer than 51 or more than 101.
    assert [sufficient_rays_across(r) for r in (0.0, 12.0, 20.0, 20.1, 100.0)] == [51, 51, 81, 83, 101]


def test_sufficient_rays_agree_with_many_more():
    generator = torch.Generator().manual_seed(3)
    color = torch.rand(2, 3, 40, 48, generator=generator)
    alpha = torch.zeros(40, 48)
    alpha[8:30, 10:30] = 1
    picture = layered((color[0], alpha, (0.9, 0, 0)), (color[1], torch.ones(40, 48), (0.1, 0, 0)))
    difference = ray_trace(picture, 0.5, 10.0) - ray_trace(picture, 0.5, 10.0, rays_across=151)
    assert float(difference.square().mean()) < 10 ** (-55 / 10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"blur_strength_px": -1.0}, "blur_strength_px is -1"),
        ({"blur_strength_px": math.nan}, "blur_strength_px is nan"),
        ({"blur_strength_px": 4.0, "gamma": 0.0}, "gamma is 0"),
        ({"blur_strength_px": 4.0, "rays_across": 0}, "rays_across is 0"),
        ({"blur_strength_px": 200.0}, "product is 1"),
    ],
)
def test_bad_input_is_named(arguments: dict[str, float], message: str):
    picture = layered((flat(0.5, 8, 8), torch.ones(8, 8), (0.5, 0.005, 0.0)))
    with pytest.raises(ValueError, match=message):
        ray_trace(picture, 0.5, **arguments)  # type: ignore[arg-type]
