"""Wires and twigs thinner than what tells their colour: the closed forms of what a lens makes of them."""

import pytest
import torch
from torch import Tensor

from bokeh_core.lens import DEFAULT_LENS, lens_blur
from bokeh_core.lens.aperture import lens_kernel
from bokeh_core.lens.convolve import spread
from bokeh_core.lens.matte import edge_matte
from bokeh_core.lens.matte_again import matte_again
from bokeh_core.lens.neighbourhood import Surroundings

HEIGHT, WIDTH = 48, 64
WIRE = 0.1
RADIUS_PX = 8.0


def a_wire(width_px: float, tilt: float) -> tuple[Tensor, Tensor]:
    """Coverage [H, W] of a wire that leans by `tilt` px a row, and which centres of pixels it has."""
    x, y = torch.arange(WIDTH)[None].float(), torch.arange(HEIGHT)[:, None].float()
    left = 22.3 + tilt * y
    covers = (torch.minimum(x + 1, left + width_px) - torch.maximum(x, left)).clamp(0, 1)
    return covers, (x + 0.5 >= left) & (x + 0.5 < left + width_px)


def split_colors(width_px: float, tilt: float) -> tuple[Tensor, Tensor]:
    """Colours of the wire that the first and the second matte find, where it covers some of a pixel."""
    covers, at_centre = a_wire(width_px, tilt)
    behind = 0.6 + 0.25 * torch.sin(0.9 * torch.arange(HEIGHT))[:, None].expand(HEIGHT, WIDTH)
    color = torch.lerp(behind, torch.tensor(WIRE), covers).expand(3, HEIGHT, WIDTH).contiguous()
    radius_px = torch.where(at_centre, RADIUS_PX, 0.0)
    radius = Surroundings(radius_px)
    around, band = radius.within(1), radius.within(1).step() > 1
    first = edge_matte(color, radius_px, around, band)
    second = matte_again(color, radius_px, around, band, first)
    seen = covers.flatten()[first.index] > 0.1
    return first.near_color[0, seen], second.near_color[0, seen]


def test_the_colour_of_a_wire_without_a_pixel_of_its_own_is_found():
    first, second = split_colors(2.0, 0.3)

    assert (first - WIRE).square().mean().sqrt() > 0.03
    assert (second - WIRE).square().mean().sqrt() < 0.02


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_a_wire_in_focus_is_whole(tilt: float):
    # A slope of light is the same out of focus, so nothing may change where the wire is sharp.
    covers, at_centre = a_wire(2.0, tilt)
    behind = (0.4 + 0.006 * torch.arange(WIDTH)).expand(HEIGHT, WIDTH)
    light = torch.lerp(behind, torch.tensor(WIRE), covers)
    frame = light[None, :, :, None].expand(1, HEIGHT, WIDTH, 3).contiguous()
    disparity = at_centre.float()[None]

    blurred = lens_blur(frame, disparity, torch.ones(1), torch.tensor([RADIUS_PX]), DEFAULT_LENS, gamma=1.0)

    middle = (slice(None), slice(10, -10), slice(14, -14))
    assert (blurred - frame)[middle].abs().max() < 0.01


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_a_twig_out_of_focus_leaves_no_residue(tilt: float):
    covers, at_centre = a_wire(2.0, tilt)
    behind = (0.4 + 0.006 * torch.arange(WIDTH)).expand(HEIGHT, WIDTH)
    light = torch.lerp(behind, torch.tensor(WIRE), covers)
    frame = light[None, :, :, None].expand(1, HEIGHT, WIDTH, 3).contiguous()
    disparity = at_centre.float()[None]

    blurred = lens_blur(frame, disparity, torch.zeros(1), torch.tensor([RADIUS_PX]), DEFAULT_LENS, gamma=1.0)

    # The light of the twig, spread, over what it leaves uncovered of the sharp background.
    spread_covers = spread(covers[None], lens_kernel(DEFAULT_LENS.aperture, RADIUS_PX))[0]
    truth = spread_covers * WIRE + (1 - spread_covers) * behind
    middle = (slice(10, -10), slice(14, -14))
    assert (blurred[0, :, :, 0] - truth)[middle].abs().max() < 0.01
