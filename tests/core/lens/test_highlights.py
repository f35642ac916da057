"""A guessed highlight knows large white things from small lights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bokeh_core.lens.highlights import share_of_lamps
from tests.core.lens.reference import render

HEIGHT, WIDTH = 288, 512


def disk_of(across_px: float, y: float = 140, x: float = 250) -> Tensor:
    rows, columns = torch.arange(HEIGHT)[:, None], torch.arange(WIDTH)
    return ((rows - y).square() + (columns - x).square() <= (across_px / 2) ** 2).float()


@pytest.mark.parametrize("across_px", [1, 4, 9])
@pytest.mark.parametrize("place", [(140, 250), (0, 0), (287, 300)])
def test_a_small_light_is_a_lamp(across_px: int, place: tuple[int, int]):
    assert share_of_lamps(disk_of(across_px, *place)).min() == 1


def test_a_shirt_is_none_to_its_outline():
    shirt = torch.zeros(HEIGHT, WIDTH)
    shirt[90:, 180:330] = 1
    # Sleeves, narrower than a lamp may be, and a collar.
    shirt[100:112, 140:180], shirt[82:90, 240:250] = 1, 1
    assert share_of_lamps(shirt)[shirt > 0].max() == 0


@pytest.mark.parametrize("rows", [slice(0, 60), slice(0, HEIGHT)])
def test_a_sky_is_none_to_the_border(rows: slice):
    sky = torch.zeros(HEIGHT, WIDTH)
    sky[rows] = 1
    assert share_of_lamps(sky)[rows].max() == 0


def test_lamps_stay_lamps_however_many_there_are():
    crowd = sum((disk_of(3, y, x) for y in range(100, 180, 10) for x in range(200, 300, 10)), torch.zeros(()))
    assert share_of_lamps(crowd).min() > 0.99


def test_a_lamp_beside_a_large_white_thing_stays_one():
    wall = torch.zeros(HEIGHT, WIDTH)
    wall[:, :200] = 1
    lamp = disk_of(8, 140, 220)
    assert share_of_lamps((wall + lamp).clamp(max=1))[lamp > 0].min() == 1


def test_an_area_that_grows_loses_its_light_bit_by_bit():
    shares = torch.stack([share_of_lamps(disk_of(across))[140, 250] for across in range(8, 41)])
    assert shares[0] == 1
    assert shares[-1] == 0
    assert (shares.diff() <= 0).all()
    assert shares.diff().min() > -0.2


def test_a_white_sheet_out_of_focus_does_not_glow_at_its_outline():
    frame = torch.full((HEIGHT, WIDTH, 3), 0.1)
    frame[80:220, 150:350] = 1
    frame[40, 420] = 1
    plain, lifted = (render(frame, -8.0, gamma=1.0, highlight_gain=gain)[..., 0] for gain in (0.0, 2.0))
    torch.testing.assert_close(lifted[60:240, 130:370], plain[60:240, 130:370], rtol=0, atol=1e-6)
    lamp = (slice(25, 56), slice(405, 436))
    assert (lifted[lamp] - plain[lamp]).sum().item() == pytest.approx(2, rel=0.01)
