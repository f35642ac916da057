"""Disparity told by colour: what is a straight function of the colours comes back as it was."""

import torch

from bokeh_core.disparity.refine.trained.by_colour import told_by_colour


def colours(height: int, width: int) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def test_a_straight_function_of_the_colours_comes_back():
    picture = colours(24, 40)
    told = 0.3 * picture[:, :1] - 0.2 * picture[:, 1:2] + 0.1 * picture[:, 2:] + 0.4
    found = told_by_colour(picture, torch.cat([told, torch.full_like(told, 0.7)], 1))
    # Half-size means have a variance of 1/48, beside which the smoothness of 1e-4 is 0.5 %.
    assert torch.allclose(found[:, :1], told, atol=0.005)
    assert torch.allclose(found[:, 1:], torch.full_like(told, 0.7), atol=1e-4)


def test_a_soft_step_becomes_one_where_the_colours_change():
    picture = torch.zeros(1, 3, 32, 48)
    picture[..., 24:] = 0.8
    soft = ((torch.arange(48.0) - 19.5) / 8).clamp(0, 1).expand(1, 1, 32, 48).contiguous()
    found = told_by_colour(picture, soft)[0, 0]
    assert (found[:, 20:24] < 0.5).all() and (found[:, 24:28] > 0.5).all()
    assert (found[:, 24] - found[:, 23]).min() > 0.5


def test_any_size():
    for size in ((1, 1), (1, 5), (7, 3), (33, 18)):
        found = told_by_colour(colours(*size), torch.full((1, 2, *size), 0.4))
        assert found.shape == (1, 2, *size)
        assert torch.allclose(found, torch.full_like(found, 0.4), atol=1e-4)
