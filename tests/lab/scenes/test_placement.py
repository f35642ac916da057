"""Placement, visible parts and normalised disparity against hand-computed cases."""

import math

import numpy as np
import pytest
import torch

from bokeh_lab.scenes.placement import (
    inverse_depth_plane,
    opaque_hull,
    placement,
    planes_over_clip,
    visible_hull,
)
from bokeh_lab.scenes.scene import Scene
from bokeh_lab.scenes.trajectories import Track, scale_with_depth, tilt_towards

HEIGHT, WIDTH = 60, 80


def constant(*values):
    return torch.tensor(values, dtype=torch.float64)


def track(x, y, inverse_depth, *, tilt=(0.0, 0.0), rotation=0.0, scale=1.0):
    """One frame."""
    return Track(
        constant(x), constant(y), constant(inverse_depth), constant(tilt), constant(rotation), constant(scale)
    )


def opaque(height, width):
    return torch.ones(4, height, width)


def scene_of(planes, num_frames):
    return Scene(planes, HEIGHT, WIDTH, torch.zeros(num_frames), torch.ones(num_frames), 0)


def texture_point(place, x, y):
    return (place[0] @ constant(x, y, 1.0)).tolist()


def test_the_middle_of_the_texture_lies_on_the_track_and_scale_stretches_it():
    place = placement(track(10, 20, 1.0, scale=0.5), 4, 8)
    assert texture_point(place, 10, 20) == pytest.approx([3.5, 1.5])
    # Half a frame px per texture px: a step in the frame is two in the texture.
    assert texture_point(place, 11, 20) == pytest.approx([5.5, 1.5])
    assert texture_point(place, 10, 21) == pytest.approx([3.5, 3.5])


def test_rotation_is_clockwise_on_the_screen():
    place = placement(track(10, 20, 1.0, rotation=math.pi / 2), 5, 5)
    # The right side of the texture (x = 4) has turned to the bottom.
    assert texture_point(place, 10, 22) == pytest.approx([4, 2])
    assert texture_point(place, 8, 20) == pytest.approx([2, 4])


def test_a_cutout_at_twice_the_disparity_is_twice_as_wide():
    inverse_depth = constant(0.25, 0.5)
    moving = Track(
        constant(40, 40),
        constant(30, 30),
        inverse_depth,
        torch.zeros(2, 2).double(),
        torch.zeros(2).double(),
        scale_with_depth(inverse_depth, 0.5),
    )
    # A background at infinity makes disparity proportional to 1 / z.
    still = Track(
        constant(39.5, 39.5),
        constant(29.5, 29.5),
        constant(0, 0),
        torch.zeros(2, 2).double(),
        torch.zeros(2).double(),
        torch.ones(2).double(),
    )
    planes = planes_over_clip([opaque(40, 40), opaque(HEIGHT, WIDTH)], [moving, still], HEIGHT, WIDTH)
    scene = scene_of(planes, 2)
    widths = []
    for frame in range(2):
        layers = scene.layers(frame)
        # Coverage of the middle row is the width; a bilinear edge adds half a texture px on either side.
        widths.append(float(layers.alpha[0, 30].sum()))
    assert widths == pytest.approx([20, 40], abs=0.6)
    assert planes[0].disparity[:, 0].tolist() == pytest.approx([0.5, 1.0])


def test_disparity_is_min_max_normalised_over_the_clip():
    textures = [opaque(20, 20), opaque(20, 20), opaque(HEIGHT + 4, WIDTH + 4)]
    tracks = [track(20, 30, 1.0), track(60, 30, 0.4), track(39.5, 29.5, 0.2)]
    planes = planes_over_clip(textures, tracks, HEIGHT, WIDTH)
    # (q - 0.2) / (1 - 0.2)
    assert [float(plane.disparity[0, 0]) for plane in planes] == pytest.approx([1, 0.25, 0])
    assert all(float(plane.disparity[0, 1:].abs().max()) == 0 for plane in planes)


def test_the_extremes_of_a_slanted_plane_are_those_of_its_visible_corners():
    # 41 px wide around x = 70: fading out at 49, with 1 / z from 1 - 21 * 0.01 to 1 + 9 * 0.01.
    textures = [opaque(21, 41), opaque(HEIGHT + 4, WIDTH + 4)]
    tracks = [track(70, 30, 1.0, tilt=(0.01, 0.0)), track(39.5, 29.5, 0.09)]
    slanted = planes_over_clip(textures, tracks, HEIGHT, WIDTH)[0].disparity[0]
    d_0, d_x, d_y = slanted.tolist()
    assert d_0 + 79 * d_x == pytest.approx(1)
    assert d_0 + 49 * d_x == pytest.approx((0.79 - 0.09) / (1.09 - 0.09))
    assert d_y == 0


def test_transparent_parts_and_planes_outside_the_frame_do_not_count():
    half = opaque(21, 41)
    half[3, :, 21:] = 0
    textures = [half, opaque(10, 10), opaque(HEIGHT + 4, WIDTH + 4)]
    tracks = [track(40, 30, 1.0, tilt=(0.01, 0.0)), track(-40, 30, 5.0), track(39.5, 29.5, 0.0)]
    d_0, d_x, _ = planes_over_clip(textures, tracks, HEIGHT, WIDTH)[0].disparity[0].tolist()
    # The opaque half ends at the middle of the texture, frame x = 40, and fades out one px on.
    assert d_0 + 41 * d_x == pytest.approx(1)


def test_one_depth_alone_cannot_be_normalised():
    with pytest.raises(ValueError, match="No two depths"):
        planes_over_clip([opaque(HEIGHT, WIDTH)], [track(39.5, 29.5, 0.5)], HEIGHT, WIDTH)


def test_visible_hull_cuts_at_the_frame():
    hull = np.array([[0.0, 0.0], [10, 0], [10, 10], [0, 10]])
    place = np.array([[1.0, 0, 5], [0, 1.0, -55]])  # frame x from -5 to 5, y from 55 to 65
    inside = visible_hull(hull, place, HEIGHT, WIDTH)
    assert sorted(map(tuple, inside.round(6))) == [(0, 55), (0, 59), (5, 55), (5, 59)]
    assert len(visible_hull(hull, place + np.array([[0, 0, 100], [0, 0, 0]]), HEIGHT, WIDTH)) == 0


def test_the_hull_of_a_texture_reaches_one_pixel_beyond_its_opaque_pixels():
    texture = torch.zeros(4, 9, 9)
    texture[3, 2:5, 3:8] = 0.5
    assert sorted(map(tuple, opaque_hull(texture))) == [(2, 1), (2, 5), (8, 1), (8, 5)]
    assert len(opaque_hull(torch.zeros(4, 3, 3))) == 0


def test_tilt_deviates_by_what_was_asked_at_the_corner():
    tilt = tilt_towards(constant(0.3), 0.05, constant(0.5), constant(20.0), 0.5)
    corner = 20 * constant(math.cos(0.3), math.sin(0.3))
    assert float(tilt[0] @ corner) == pytest.approx(0.05)
    plane = inverse_depth_plane(track(30, 40, 0.5, tilt=tilt[0].tolist()))[0]
    assert float(plane @ constant(1, 30, 40)) == pytest.approx(0.5)
    assert float(plane @ constant(1, 30 + corner[0], 40 + corner[1])) == pytest.approx(0.55)
