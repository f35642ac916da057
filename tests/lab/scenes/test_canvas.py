"""Antialiased shapes against their areas, and mattes against what hair and wires must look like."""

import math

import numpy as np
import pytest
import torch

from bokeh_lab.scenes.canvas import Canvas, Sketch
from bokeh_lab.scenes.draws import Draws
from bokeh_lab.scenes.mattes import HAIR, STRAND_WIDTH_PX, THIN, blob, fur, strand_path, strand_widths

RED = (1.0, 0.25, 0.0)


@pytest.mark.parametrize("width_px", [0.6, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("angle", [0.1, 0.3, math.pi / 4, 1.2])
def test_a_ribbon_covers_its_length_times_its_width(width_px, angle):
    canvas = Canvas(100, 100)
    half = 40 * np.array([math.cos(angle), math.sin(angle)])
    canvas.ribbon(np.array([49.5 - half, 49.5 + half]), np.full(2, width_px), RED)
    assert float(canvas.picture()[3].sum()) == pytest.approx(80 * width_px, rel=0.1)


def test_a_disk_covers_pi_r_squared_around_its_middle():
    canvas = Canvas(40, 60)
    canvas.disk(29.25, 14.5, 9.0, RED)
    alpha = canvas.picture()[3]
    assert float(alpha.sum()) == pytest.approx(math.pi * 81, rel=0.03)
    assert float((alpha.sum(0) * torch.arange(60)).sum() / alpha.sum()) == pytest.approx(29.25, abs=0.05)
    assert float((alpha.sum(1) * torch.arange(40)).sum() / alpha.sum()) == pytest.approx(14.5, abs=0.05)


def test_colour_is_straight_where_alpha_is_partial():
    canvas = Canvas(20, 20)
    canvas.ribbon(np.array([[2.0, 3.0], [17.0, 11.0]]), np.full(2, 1.5), RED)
    picture = canvas.picture()
    partial = (picture[3] > 0.1) & (picture[3] < 0.9)
    assert partial.any()
    colors = picture[:3, partial]
    assert torch.allclose(colors, torch.tensor([1.0, 64 / 255, 0.0])[:, None].expand_as(colors), atol=1e-5)


def test_a_sketch_fills_its_picture_without_being_cut():
    sketch = Sketch()
    sketch.ribbon(np.array([[-3.0, 7.0], [5.0, 11.0]]), np.full(2, 2.0), RED)
    picture = sketch.picture(50)
    # 8 units by 4 units: half as high as wide, and a pixel of room for the width on every side.
    assert picture.shape[2] == 50
    assert 24 <= picture.shape[1] <= 30
    for side in (picture[3, 0], picture[3, -1], picture[3, :, 0], picture[3, :, -1]):
        assert float(side.max()) < 0.6


def test_a_strand_tapers_and_covers_the_integral_of_its_width():
    num_points, length, root = 40, 90.0, 2.0
    path = strand_path((5.0, 20.0), 0.0, length, 0.0, 0.0, num_points)
    assert path[-1] == pytest.approx([95.0, 20.0])
    canvas = Canvas(40, 110)
    canvas.ribbon(path, strand_widths(root, num_points), RED)
    alpha = canvas.picture()[3]
    # Integral of 0.3 + 1.7 (1 - s)^0.7 over s from 0 to 1.
    assert float(alpha.sum()) == pytest.approx(length * (0.3 + 1.7 / 1.7), rel=0.1)
    assert float(alpha[:, 10].sum()) > 2.5 * float(alpha[:, 90].sum())


@pytest.mark.parametrize("curl", [-2.0, 0.0, 1.0])
@pytest.mark.parametrize("fall", [0.0, 0.6])
def test_a_strand_is_as_long_as_asked_however_it_curls(curl, fall):
    path = strand_path((0.0, 0.0), 0.5, 3.0, curl, fall, 20)
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).sum() == pytest.approx(3.0)


def test_fur_ends_in_single_strands():
    picture = fur(256, Draws.named("fur", 0))
    alpha = picture[3]
    middle = alpha[118:138, 118:138]
    assert float(middle.mean()) > 0.8
    # Along a row through the ends of the hair there are many separate runs, none wider than a few strands.
    inside = alpha[20] > 0.1
    starts = int((inside[1:] & ~inside[:-1]).sum())
    assert starts >= 5
    assert float(inside.sum()) / starts < 4 * STRAND_WIDTH_PX[1]
    # Thin strands leave partly covered pixels wherever they are alone.
    soft = ((alpha > 0.02) & (alpha < 0.98)).float().mean()
    assert soft > 0.1


@pytest.mark.parametrize("matte", [*dict.fromkeys(HAIR), *dict.fromkeys(THIN), blob])
def test_mattes_fill_their_size_keep_clear_of_its_border_and_repeat(matte):
    for size_px in (48, 150):
        picture = matte(size_px, Draws.named(matte.__name__, 1))
        assert max(picture.shape[1:]) == size_px
        assert picture.min() >= 0
        assert picture.max() <= 1
        rim = torch.cat([picture[3, 0], picture[3, -1], picture[3, :, 0], picture[3, :, -1]])
        assert float(rim.mean()) < 0.2
        assert 0.01 < float(picture[3].mean()) < 0.95
        assert torch.equal(picture, matte(size_px, Draws.named(matte.__name__, 1)))
    assert not torch.equal(matte(48, Draws.named(1)).mean((1, 2)), matte(48, Draws.named(2)).mean((1, 2)))


def test_thin_structures_are_mostly_holes_with_wires_of_a_few_pixels():
    for matte in dict.fromkeys(THIN):
        alpha = matte(256, Draws.named("thin", matte.__name__))[3]
        assert float(alpha.mean()) < 0.4
