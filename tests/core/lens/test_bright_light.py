"""Light beyond white and below black: spread as what it is, in every transfer, half hidden too."""

import math

import pytest
import torch
from torch import Tensor

from bokeh_core.lens import Aperture, lens_blur
from bokeh_core.lens.backend import ACCELERATOR, BACKENDS
from bokeh_core.transfer import light_of, values_of
from tests.core.lens.reference import clip_of, convolve, disk, render

RADIUS_PX = 5.66
WHITE_CD_M2 = 203


def lamp(light: float, side: int = 3, around: float = 0.0) -> Tensor:
    """A square lamp in the middle of light [33, 33, 3]."""
    frame = torch.full((33, 33, 3), around)
    before = (33 - side) // 2
    frame[before : before + side, before : before + side] = light
    return frame


# A lamp of L over 9 px has a disk of 9 L / area: 983 cd/m2 give 983 * 9 / 100.6 = 88 cd/m2. In HLG
# that is the light of the scene, which a lens sees.
@pytest.mark.parametrize("transfer", ["pq", "hlg", "linear", "display"])
@pytest.mark.parametrize("side_px", [RADIUS_PX, -RADIUS_PX])
def test_the_disk_of_a_lamp_has_its_light_over_its_area(transfer: str, side_px: float):
    frame = values_of(lamp(983 / WHITE_CD_M2), transfer)
    blurred = light_of(render(frame, side_px, transfer=transfer, contour_reach_px=0), transfer)
    middle = blurred[16, 16] * WHITE_CD_M2
    assert middle.tolist() == pytest.approx([88] * 3, rel=0.03)
    assert blurred.sum((0, 1)).tolist() == pytest.approx([9 * 983 / WHITE_CD_M2] * 3, rel=1e-3)


def test_a_linear_lamp_of_50_gives_a_disk_of_50_over_its_area():
    blurred = render(lamp(50, side=1), 6.0, transfer="linear", contour_reach_px=0)
    assert blurred[16, 16].tolist() == pytest.approx([50 / (math.pi * 36)] * 3, rel=0.01)


@pytest.mark.parametrize("cat_eye", [0.0, 0.5])
def test_the_sun_leaves_the_shadows_as_they_are(cat_eye: float):
    # In float32 a transform of 50,000 whites has an error of about 0.005, a tenth of white on a display.
    frame = torch.full((64, 96, 3), 0.01)
    frame[10:14, 10:14] = 50_000
    blurred = render(frame, 20.0, transfer="linear", contour_reach_px=0, aperture=Aperture(cat_eye=cat_eye))
    assert (blurred[50:, 60:] - 0.01).abs().max() < 1e-5
    assert blurred.max() > 300


def test_light_below_black_stays():
    # Colours of a wide gamut in a smaller one; what is blurred together adds up with its sign.
    frame = torch.full((16, 16, 3), -0.25)
    assert render(frame, 4.0, transfer="linear").sub(frame).abs().max() < 1e-6
    halves = torch.full((31, 41, 3), -0.25)
    halves[:, 20], halves[:, 21:] = 0.25, 0.75
    assert render(halves, 6.0, transfer="linear")[15, 20].tolist() == pytest.approx([0.25] * 3, abs=1e-5)


def test_display_averages_numbers_whatever_they_mean():
    frame = torch.zeros(31, 41, 3)
    frame[:, 20], frame[:, 21:] = 0.5, 1.0
    middle = render(frame, 6.0, transfer="pq", gamma=1.0)[:, 20]
    assert (middle - 0.5).abs().max() < 2e-5


def display_psnr_db(light: Tensor, truth: Tensor) -> float:
    error = light.clamp(0, 1) ** (1 / 2.2) - truth.clamp(0, 1) ** (1 / 2.2)
    return -10 * math.log10(error.square().mean().item())


def half_hidden(
    near_radius_px: float, far_radius_px: float, shine: float, columns: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> tuple[Tensor, Tensor, Tensor]:
    """Frame, radii and what the lens makes of them: a grey board whose edge runs through a lamp's pixels.

    With one of the two in focus the blurred board over the blurred background is exact. The first column of
    the lamp is behind the edge of the board.
    """
    height, width = 40, 64
    board = torch.zeros(height, width)
    board[:, :31], board[:, 31] = 1, 0.6
    behind = torch.full((3, height, width), 0.02)
    for column, share in enumerate(columns, 31):
        behind[:, 18:22, column] = shine * share
    planes = torch.cat([0.2 * board.expand(3, -1, -1), board[None]])
    radius_px = torch.where(board > 0.5, near_radius_px, far_radius_px)
    frame = planes[:3] + (1 - board) * behind
    if near_radius_px:
        planes = convolve(planes, disk(near_radius_px))
    if far_radius_px:
        behind = convolve(behind, disk(far_radius_px))
    truth = planes[:3] + (1 - planes[3:]) * behind
    return frame.permute(1, 2, 0), radius_px, truth.permute(1, 2, 0)


@pytest.mark.parametrize("contour_reach_px", [0.0, 4.0])
@pytest.mark.parametrize("shine", [4.0, 50.0])
@pytest.mark.parametrize(("near_px", "far_px", "least_db"), [(6.0, 0.0, 30), (0.0, -6.0, 27)])
def test_a_lamp_that_is_half_hidden_is_behind_what_hides_it(
    near_px: float, far_px: float, least_db: float, shine: float, contour_reach_px: float
):
    frame, radius_px, truth = half_hidden(near_px, far_px, shine)
    blurred = render(frame, radius_px, transfer="linear", contour_reach_px=contour_reach_px)
    assert display_psnr_db(blurred, truth) > least_db


def test_a_lamp_of_which_the_outline_leaves_a_rim_is_behind_it():
    # Brightest where the board covers 60 %: 50 * 0.4 = 20 there, 50 / 4 in the next column.
    frame, radius_px, truth = half_hidden(0.0, -6.0, 50.0, (1.0, 0.25))
    blurred = render(frame, radius_px, transfer="linear", contour_reach_px=0)
    assert display_psnr_db(blurred, truth) > 27


def test_a_lamp_beside_a_pole_has_its_own_radius():
    # Wherever a lamp 5 px before a wall meets the outline of a pole in focus, there are three surfaces.
    frame, radius_px = torch.full((48, 64, 3), 0.02), torch.full((48, 64), -12.0)
    lamp_light = torch.zeros(3, 48, 64)
    lamp_light[:, 22:25, 30:33] = 30
    radius_px[22:25, 30:33] = -7
    frame[22:25, 30:33] = 30
    frame[:, :30], radius_px[:, :30] = 0.2, 0
    truth = 0.02 + convolve(lamp_light, disk(7.0)).permute(1, 2, 0)
    truth[:, :30] = 0.2
    blurred = render(frame, radius_px, transfer="linear", contour_reach_px=0)
    assert display_psnr_db(blurred, truth) > 30


def test_frames_of_a_pass_keep_their_own_light(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(BACKENDS, "cpu", ACCELERATOR)
    frames = torch.stack([lamp(20), lamp(0.7), lamp(-0.2, around=0.4)])
    clip = clip_of(torch.tensor([6.0, -4.0, 5.0])[:, None, None].expand(3, 33, 33))
    together = lens_blur(frames, **clip, transfer="linear", frames_a_pass=3, workers=1)
    alone = lens_blur(frames, **clip, transfer="linear", frames_a_pass=1, workers=1)
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
    assert together[1].max() <= 1


@pytest.mark.parametrize("light", [1.0, 5.0, 9.5])
def test_a_sky_brighter_than_white_goes_on_behind_a_roof_in_focus(light: float):
    frame = torch.full((64, 128, 3), 0.02)
    frame[:40] = light
    radius_px = torch.where(frame[..., 0] == light, -8.0, 0.0)
    blurred = render(frame, radius_px, gamma=1.0, contour_reach_px=0)
    # But for the row along the outline, which may be of both.
    torch.testing.assert_close(blurred[:39], frame[:39], rtol=0.01, atol=0)
    torch.testing.assert_close(blurred[41:], frame[41:], rtol=0, atol=0.02)
