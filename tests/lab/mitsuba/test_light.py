"""What is measured of light beyond white, without Mitsuba."""

import math

import pytest
import torch

from bokeh_lab.ground_truth import GroundTruthClip
from bokeh_lab.mitsuba.light import shown_psnr, within_frame


def clip_with_lamp(row: int, column: int) -> GroundTruthClip:
    """A dark frame with a lamp of one pixel; all of it has a radius of 3 px."""
    frames = torch.full((1, 24, 32, 3), 0.2)
    frames[0, row, column] = 5.0
    still = torch.ones(1)
    off = torch.zeros(1, 24, 32, dtype=torch.bool)
    return GroundTruthClip(frames, torch.zeros(1, 24, 32), still, 3 * still, 2.2, frames, off, off)


def test_a_lamp_at_the_border_leaves_out_what_it_reaches():
    assert within_frame(clip_with_lamp(12, 16)).all()
    left = within_frame(clip_with_lamp(12, 1))
    # The radius, and 2 px for what of the lamp lies beside that pixel.
    assert (~left).nonzero().amin(0).tolist() == [7, 0] and (~left).nonzero().amax(0).tolist() == [17, 6]


def test_light_beyond_white_is_compared_as_a_screen_shows_it():
    truth = torch.full((1, 4, 4, 3), 0.5)
    picture = truth + 0.1
    picture[0, 0], truth[0, 0] = 7.0, 1.0
    everywhere = -10 * math.log10(0.01 * 3 / 4)
    assert shown_psnr(picture, truth) == pytest.approx(everywhere, abs=1e-3)
    where = torch.zeros(4, 4, dtype=torch.bool)
    where[1:] = True
    assert shown_psnr(picture, truth, where) == pytest.approx(20, abs=1e-3)
