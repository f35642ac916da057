"""What a user turns: strength 0, near and far strength, the protect mask; and alpha and grey frames."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bokeh_core.lens import Aperture, contour_reach_px, lens_blur
from tests.core.lens.reference import clip_of, disk_edge_coverage, random_texture, render

HEIGHT_PX, WIDTH_PX = 32, 48


def picture(channels: int = 3) -> Tensor:
    return torch.rand(HEIGHT_PX, WIDTH_PX, channels, generator=torch.Generator().manual_seed(7))


def radii() -> Tensor:
    """Near on the left, in focus in the middle, far on the right."""
    columns = torch.arange(WIDTH_PX)
    return torch.where(columns < 16, 6.0, torch.where(columns < 32, 0.0, -5.0)).expand(HEIGHT_PX, WIDTH_PX)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_zero_strength_returns_the_frames_bit_for_bit(channels: int):
    frames = torch.rand(2, HEIGHT_PX, WIDTH_PX, channels)
    blurred = lens_blur(
        frames,
        torch.rand(2, HEIGHT_PX, WIDTH_PX),
        torch.tensor([0.3]),
        torch.tensor([0.0]),
        highlight_gain=5.0,
        aperture=Aperture(blades=5),
    )
    assert torch.equal(blurred, frames)


def test_frames_of_zero_strength_in_a_schedule_come_back_bit_for_bit():
    frames, disparity = torch.rand(4, HEIGHT_PX, WIDTH_PX, 3), torch.rand(4, HEIGHT_PX, WIDTH_PX)
    blurred = lens_blur(frames, disparity, torch.tensor([0.5]), torch.tensor([0.0, 8.0, 0.0, 8.0]))
    same = [torch.equal(after, before) for after, before in zip(blurred, frames, strict=True)]
    assert same == [True, False, True, False]


def test_a_clip_that_lies_in_focus_comes_back_bit_for_bit():
    frame = picture()
    assert torch.equal(render(frame, 0.0), frame)


def test_values_outside_the_range_survive_zero_strength():
    frame = 3 * picture() - 1
    assert torch.equal(render(frame, 0.0), frame)


@pytest.mark.parametrize(
    ("option", "kept"), [("near_strength", torch.minimum), ("far_strength", torch.maximum)]
)
def test_strength_zero_on_one_side_puts_that_side_in_focus(option: str, kept: Callable[..., Tensor]):
    expected = render(picture(), kept(radii(), torch.zeros(())))
    torch.testing.assert_close(render(picture(), radii(), **{option: 0.0}), expected, rtol=0, atol=1e-6)


def test_strengths_scale_the_radius_of_their_side():
    scaled_px = torch.where(radii() > 0, 0.5 * radii(), 1.5 * radii())
    blurred = render(picture(), radii(), near_strength=0.5, far_strength=1.5)
    torch.testing.assert_close(blurred, render(picture(), scaled_px), rtol=0, atol=1e-6)
    assert (blurred - render(picture(), radii())).abs().max() > 0.05


def test_protected_pixels_stay_bit_for_bit():
    frame, protect = picture(), torch.zeros(1, HEIGHT_PX, WIDTH_PX)
    protect[:, 8:20, 4:44] = 1
    blurred = render(frame, radii(), protect=protect)
    assert torch.equal(blurred[protect[0] == 1], frame[protect[0] == 1])
    assert (
        blurred[:, 33:][protect[0, :, 33:] == 0] - frame[:, 33:][protect[0, :, 33:] == 0]
    ).abs().max() > 0.1


def test_protected_pixels_do_not_bleed_into_their_surroundings():
    frame = torch.full((HEIGHT_PX, WIDTH_PX, 3), 0.2)
    protect = torch.zeros(1, HEIGHT_PX, WIDTH_PX)
    frame[12:20, 20:28], protect[:, 12:20, 20:28] = 0.9, 1
    blurred = render(frame, -6.0, protect=protect, contour_reach_px=0)
    torch.testing.assert_close(blurred, frame, rtol=0, atol=1e-5)


def test_a_mask_of_zeros_protects_nothing():
    protect = torch.zeros(1, HEIGHT_PX, WIDTH_PX)
    assert torch.equal(render(picture(), radii(), protect=protect), render(picture(), radii()))


def test_each_frame_may_have_its_own_mask():
    frames = picture().expand(2, -1, -1, -1)
    protect = torch.stack([torch.ones(HEIGHT_PX, WIDTH_PX), torch.zeros(HEIGHT_PX, WIDTH_PX)])
    blurred = lens_blur(frames, **clip_of(radii().expand(2, -1, -1)), protect=protect)
    assert torch.equal(blurred[0], frames[0])
    torch.testing.assert_close(blurred[1], render(picture(), radii()), rtol=0, atol=0)


def test_half_protection_lies_between():
    protect = torch.full((1, HEIGHT_PX, WIDTH_PX), 0.5)
    change = [
        (render(picture(), -6.0, protect=mask) - picture()).abs().mean()
        for mask in (torch.zeros_like(protect), protect)
    ]
    assert 0.1 * change[0] < change[1] < 0.9 * change[0]


def test_opaque_alpha_stays_opaque():
    frame = torch.cat([random_texture(HEIGHT_PX, WIDTH_PX, 1, 0, 1), torch.ones(HEIGHT_PX, WIDTH_PX, 1)], -1)
    blurred = render(frame, radii())
    torch.testing.assert_close(blurred[..., 3], torch.ones(HEIGHT_PX, WIDTH_PX), rtol=0, atol=1e-6)
    # The colours are those of the clip without alpha.
    torch.testing.assert_close(blurred[..., :3], render(frame[..., :3], radii()), rtol=0, atol=0.02)


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_the_colour_of_transparent_pixels_does_not_bleed(gamma: float):
    frame = torch.zeros(HEIGHT_PX, WIDTH_PX, 4)
    frame[:, :24] = torch.tensor([1.0, 0.0, 0.0, 1.0])
    frame[:, 24:] = torch.tensor([0.0, 1.0, 0.0, 0.0])
    blurred = render(frame, -6.0, gamma=gamma)
    # Alpha is a coverage, not light: it fades like the edge of a disk whatever the gamma.
    coverage = disk_edge_coverage(torch.arange(WIDTH_PX) - 23.5, 6.0)
    # Nearer to the border the disk is cut, and with it the profile.
    inside = blurred[8:-8, :, 3]
    torch.testing.assert_close(inside, coverage.expand_as(inside), rtol=0, atol=0.003)
    visible = blurred[..., 3] > 1e-3
    assert visible[:, :29].all()
    seen = blurred[..., :3][visible]
    torch.testing.assert_close(seen, torch.tensor([1.0, 0.0, 0.0]).expand_as(seen), rtol=0, atol=1e-3)


def test_a_grey_frame_is_blurred_like_its_colour_copy():
    grey = picture(1)
    blurred = render(grey, radii())
    assert blurred.shape == grey.shape
    torch.testing.assert_close(blurred, render(grey.expand(-1, -1, 3), radii())[..., :1], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("tolerance_px", "width_px", "expected"),
    [
        (4.0, 1024, 4),
        (4.0, 512, 2),
        (4.0, 64, 1),
        (0.0, 1024, 0),
        (0.0, 64, 0),
        (4.0, 1920, 8),
        (0.5, 1024, 1),
    ],
)
def test_contour_tolerance_scales_with_the_width(tolerance_px: float, width_px: int, expected: int):
    # 4 * 1920 / 1024 = 7.5 rounds to 8; whatever is asked for is at least one pixel.
    assert contour_reach_px(tolerance_px, width_px) == expected
