"""Solid things: where their points and pictures lie, and that they face the camera."""

import numpy as np
import pytest
import torch

from bokeh_lab.mitsuba import scenes
from bokeh_lab.mitsuba.scenes import KINDS, STRENGTHS, make_solid_scene
from bokeh_lab.mitsuba.solids import Solid, ball, blade, box, sheet, together, tube
from bokeh_lab.scenes.library import AssetLibrary

PICTURE = torch.zeros(3, 4, 4)


def faces_camera(solid: Solid) -> np.ndarray:
    corners = solid.points[solid.faces].astype(np.float64)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return (normal * corners.mean(axis=1)).sum(axis=1) <= 1e-9


def test_a_sheet_has_its_picture_upright():
    solid = sheet((-1, -2, 5), (2, 0, 0), (0, 4, 0), PICTURE)
    assert solid.points.tolist() == [[-1, -2, 5], [1, -2, 5], [-1, 2, 5], [1, 2, 5]]
    assert solid.places.tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]
    assert faces_camera(solid).all()


def test_points_of_round_bodies_lie_on_them():
    middle = np.array([1.0, -0.5, 6.0])
    sphere = ball(middle, 0.7, PICTURE, steps=6)
    assert np.linalg.norm(sphere.points - middle, axis=1) == pytest.approx(0.7, abs=1e-5)
    # Upwards is towards smaller y.
    assert sphere.points[sphere.places[:, 1] == 0][:, 1] == pytest.approx(-0.5 - 0.7, abs=1e-5)
    wire = tube(np.array([[-1.0, 0.2, 4.0], [0.0, 0.2, 4.0], [1.0, 0.2, 4.0]]), np.full(3, 0.1), PICTURE)
    assert np.hypot(wire.points[:, 1] - 0.2, wire.points[:, 2] - 4) == pytest.approx(0.1, abs=1e-5)


def test_a_blade_is_as_wide_as_it_is_told_and_turned_to_the_camera():
    path = np.array([[0.5, 1.0, 3.0], [0.5, 0.5, 3.0], [0.5, 0.0, 3.0]])
    strip = blade(path, np.array([0.2, 0.1, 0.0]), PICTURE)
    left, right = strip.points[::2], strip.points[1::2]
    assert np.linalg.norm(left - right, axis=1) == pytest.approx([0.2, 0.1, 0.0], abs=1e-6)
    assert ((left - right) * path).sum(axis=1) == pytest.approx(0, abs=1e-6)
    assert faces_camera(strip).all()


def test_a_box_shows_the_faces_that_the_camera_sees():
    # To the right and below: its front, its left side and its top.
    assert len(box((1, 1, 3), (2, 2, 4), PICTURE)) == 3
    assert len(box((-1, -1, 3), (1, 1, 4), PICTURE)) == 1
    joined = together(box((1, 1, 3), (2, 2, 4), PICTURE))
    assert joined.faces.max() == len(joined.points) - 1 == 11


def test_scenes_take_kinds_and_strengths_in_turn_and_are_the_same_again(monkeypatch):
    monkeypatch.setattr(scenes, "_SURFACE_PX", 32)
    library = AssetLibrary.load()
    first, again = make_solid_scene(0, library), make_solid_scene(0, library)
    assert all(
        np.array_equal(one.points, other.points) and torch.equal(one.picture, other.picture)
        for one, other in zip(first.solids, again.solids, strict=True)
    )
    assert first.strength == STRENGTHS[0] and first.focus_z == again.focus_z
    lamps = make_solid_scene(tuple(KINDS).index("lamps") + len(KINDS), library)
    assert len(lamps.lamps) == 24 and not first.lamps
    assert lamps.strength == STRENGTHS[1]
    assert max(max(lamp.light) for lamp in lamps.lamps) > 1
    glossy = make_solid_scene(len(KINDS), library, "glossy")
    assert glossy.panels and not glossy.lamps and glossy.strength == STRENGTHS[1]
    assert sum(solid.roughness is not None for solid in glossy.solids) == 7
