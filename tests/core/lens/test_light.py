"""How light adds up: gamma, highlights, and colours that do not shift."""

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.lens import Aperture
from tests.core.lens.reference import disk, random_texture, render

COLOUR = torch.tensor([0.8, 0.35, 0.05])


# (0 + 1) / 2 in light; in display values 0.5 for gamma 1 and 0.5^(1/2.2) = 0.72974 for gamma 2.2.
# 0.2 and 0.8: 0.2^2.2 = 0.028991, 0.8^2.2 = 0.612066, mean 0.320528, and 0.320528^(1/2.2) = 0.596203.
@pytest.mark.parametrize(
    ("left", "right", "gamma", "expected"),
    [
        (0.0, 1.0, 1.0, 0.5),
        (0.0, 1.0, 2.2, 0.72974),
        (0.2, 0.8, 1.0, 0.5),
        (0.2, 0.8, 2.2, 0.596203),
    ],
)
def test_two_halves_average_in_light(left: float, right: float, gamma: float, expected: float):
    # The kernel is symmetric, so the column between two halves receives as much from either side. Its own
    # colour is the expected average, which leaves the average where it is.
    frame = torch.empty(31, 41, 3)
    frame[:, :20], frame[:, 20], frame[:, 21:] = left, expected, right
    middle = render(frame, 6.0, gamma=gamma)[:, 20]
    torch.testing.assert_close(middle, torch.full_like(middle, expected), rtol=0, atol=2e-5)


def depth_maps() -> dict[str, Tensor]:
    height, width = 32, 48
    generator = torch.Generator().manual_seed(0)
    return {
        "random": 24 * (torch.rand(height, width, generator=generator) - 0.5),
        "smooth": 24 * (random_texture(height, width, 3, 0, 1, 8)[..., 0] - 0.5),
        "edge": torch.where(torch.arange(width) < 22, 9.0, -7.0).expand(height, width),
        "slanted": torch.linspace(-6, 6, width).expand(height, width),
        "far": torch.full((height, width), -24.0),
    }


@pytest.mark.parametrize("depth", ["random", "smooth", "edge", "slanted", "far"])
@pytest.mark.parametrize(
    ("gamma", "contour_reach_px", "cat_eye"), [(2.2, 4, 0.0), (1.0, 0, 0.0), (2.2, 0, 1.0)]
)
def test_a_uniform_frame_stays_uniform_up_to_its_borders(
    depth: str, gamma: float, contour_reach_px: int, cat_eye: float
):
    radius_px = depth_maps()[depth]
    frame = COLOUR.expand(*radius_px.shape, 3)
    options: dict[str, Any] = {
        "gamma": gamma,
        "contour_reach_px": contour_reach_px,
        "aperture": Aperture(cat_eye=cat_eye),
    }
    torch.testing.assert_close(render(frame, radius_px, **options), frame, rtol=0, atol=1e-5)


@pytest.mark.parametrize("depth", ["random", "smooth", "edge", "slanted"])
def test_no_colour_appears_that_was_not_there(depth: str):
    # Blurring averages, so results lie between the darkest and the brightest value of each channel.
    radius_px = depth_maps()[depth]
    frame = random_texture(radius_px.shape[0], radius_px.shape[1], seed=5, low=0.2, high=0.7)
    blurred = render(frame, radius_px)
    assert (blurred >= frame.amin((0, 1)) - 1e-5).all()
    assert (blurred <= frame.amax((0, 1)) + 1e-5).all()
    assert (blurred - frame).abs().max() > 0.05


def white_point(value: float, radius_px: float, gain: float, threshold: float = 0.8) -> Tensor:
    frame = torch.zeros(31, 31, 3)
    frame[15, 15] = value
    return render(frame, radius_px, gamma=1.0, highlight_gain=gain, highlight_threshold=threshold)[..., 0]


@pytest.mark.parametrize(("gain", "factor"), [(0.5, 1.5), (1.0, 2.0), (4.0, 5.0)])
@pytest.mark.parametrize("radius_px", [6.0, -6.0])
def test_gain_multiplies_white_out_of_focus(gain: float, factor: float, radius_px: float):
    assert white_point(1.0, radius_px, gain).sum().item() == pytest.approx(factor, rel=1e-4)


def test_gain_leaves_what_is_below_the_threshold():
    for value in (0.3, 0.79):
        assert white_point(value, 6.0, 4.0).sum().item() == pytest.approx(value, rel=1e-4)
    assert white_point(0.79, 6.0, 4.0, threshold=0.5).sum() > 1.1 * 0.79


def test_gain_sets_in_gradually_above_the_threshold():
    lifted = [white_point(value, 6.0, 1.0).sum().item() / value for value in (0.8, 0.85, 0.9, 0.95, 1.0)]
    assert lifted[0] == pytest.approx(1, abs=1e-4)
    assert lifted[-1] == pytest.approx(2, abs=1e-3)
    assert all(later > earlier + 0.01 for earlier, later in itertools.pairwise(lifted))


def test_gain_leaves_the_plane_in_focus():
    frame = torch.rand(24, 32, 3, generator=torch.Generator().manual_seed(1))
    radius_px = torch.where(torch.arange(32) < 16, 0.0, -8.0).expand(24, 32)
    lifted = render(frame, radius_px, highlight_gain=5.0, contour_reach_px=0)
    plain = render(frame, radius_px, contour_reach_px=0)
    torch.testing.assert_close(lifted[:, :15], frame[:, :15], rtol=0, atol=1e-5)
    assert (lifted[:, 16:] - plain[:, 16:]).mean() > 0.02


def test_lifted_light_clips_at_white():
    frame = torch.zeros(16, 16, 3)
    frame[6:9, 6:9] = 1
    # Eleven times the light of 9 white pixels on the 50 of a disk.
    assert render(frame, 4.0, highlight_gain=10.0).max() == 1


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_light_brighter_than_white_is_spread_as_what_it_is(gamma: float):
    # A lamp of 50 times white: its light spreads over a disk of radius 4, and nothing of it is cut.
    frame = torch.zeros(21, 21, 3)
    frame[10, 10] = 50.0
    expected = torch.zeros(21, 21)
    kernel = disk(4.0)
    half = kernel.shape[0] // 2
    expected[10 - half : 11 + half, 10 - half : 11 + half] = (50.0**gamma * kernel) ** (1 / gamma)
    blurred = render(frame, 4.0, gamma=gamma)[..., 1]
    torch.testing.assert_close(blurred, expected, rtol=0.05, atol=0.02 * expected.max().item())
    assert blurred.max() > 0.9


def test_a_clip_without_such_light_ends_at_white():
    frame = torch.zeros(21, 21, 3)
    frame[9:12, 9:12] = 0.9
    assert render(frame, 4.0, highlight_gain=100.0).max() <= 1
    brighter = frame.clone()
    brighter[0, 0] = 1.5
    # The brightest pixel tells how far the picture's scale reaches.
    assert 1 < render(brighter, 4.0, highlight_gain=100.0).max() <= 1.5 + 1e-5
