"""Pictures in layers whose answer is known: flat colours, one radius, plain sums over the disk."""

import pytest
import torch

from bokeh_core.models.small.blurred_layers import near_over_far
from bokeh_core.models.small.disks import Disks

from .disks import disk_weights, mean_over_disk

SIZE = 48
RED, BLUE = torch.tensor([1.0, -1.0, -1.0]), torch.tensor([-1.0, -1.0, 1.0])


def layered(frames: torch.Tensor, radius_px: torch.Tensor) -> list[torch.Tensor]:
    return near_over_far(frames, radius_px, Disks(frames))


def pictures() -> torch.Tensor:
    return torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1


def red_on_blue(red: torch.Tensor) -> torch.Tensor:
    return torch.where(red, RED[:, None, None], BLUE[:, None, None])[None]


def part(rows: slice, columns: slice) -> torch.Tensor:
    mask = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    mask[rows, columns] = True
    return mask


def radii(mask: torch.Tensor, there_px: float, elsewhere_px: float) -> torch.Tensor:
    return torch.full((1, 1, SIZE, SIZE), elsewhere_px).masked_fill(mask, there_px)


@pytest.mark.parametrize("radius_px", [0.7, -0.7, 6.5, -6.5, 16.0, -16.0])
def test_one_surface_is_the_mean_over_its_disk(radius_px: float):
    frames = pictures()
    for picture in layered(frames, torch.full((1, 1, SIZE, SIZE), radius_px)):
        for y, x in ((0, 0), (20, 24), (47, 3)):
            expected = mean_over_disk(frames[0], y, x, abs(radius_px))
            assert torch.allclose(picture[0, :, y, x], expected, atol=1e-5), (y, x)


def test_in_focus_is_the_frame_itself():
    frames = pictures()
    for picture in layered(frames, torch.zeros(1, 1, SIZE, SIZE)):
        assert torch.allclose(picture, frames, atol=1e-5)


@pytest.mark.parametrize("behind_px", [0.0, -3.2])
def test_what_is_near_spreads_and_the_background_closes_behind_it(behind_px: float):
    red = part(slice(18, 30), slice(18, 30))
    for picture in layered(red_on_blue(red), radii(red, 3.2, behind_px)):
        for y, x in ((24, 24), (24, 31), (17, 17), (24, 40)):
            weights = disk_weights(SIZE, SIZE, y, x, 3.2)
            cover = (weights * red).sum() / weights.sum()
            assert torch.allclose(picture[0, :, y, x], cover * RED + (1 - cover) * BLUE, atol=1e-4), (y, x)


def test_the_background_goes_on_with_its_own_blur_behind_what_is_near():
    # Stripes, blurred to grey; a near line in front of them, of which little is left.
    frames = torch.ones(1, 3, SIZE, SIZE)
    frames[..., ::2] = -1.0
    line = part(slice(0, SIZE), slice(24, 25))
    picture = layered(frames, radii(line, 9.0, -6.5))[0]
    assert float(picture[0, :, 24, 20:29].abs().max()) < 0.15
    # In focus they are stripes beside the line.
    sharp = layered(frames, radii(line, 9.0, 0.0))[0]
    assert float(sharp[0, :, 24, 23:26:2].abs().min()) > 0.85


def test_what_is_in_focus_does_not_bleed_into_what_is_behind():
    red = part(slice(18, 30), slice(18, 30))
    picture = layered(red_on_blue(red), radii(red, 0.0, -6.5))[0]
    assert torch.allclose(picture[0, :, ~red], BLUE[:, None], atol=1e-4)
    assert torch.allclose(picture[0, :, red], RED[:, None], atol=1e-4)


def test_half_transparent_outlines_leave_no_trace_in_the_second_picture():
    line = part(slice(0, SIZE), slice(23, 25))
    frames = red_on_blue(line)
    # Beside the line: seen as far, but half of the line's colour.
    frames[0, :, :, 22] = frames[0, :, :, 25] = ((RED + BLUE) / 2)[:, None]
    with_trace, without = layered(frames, radii(line, 6.5, 0.0))
    weights = disk_weights(SIZE, SIZE, 24, 22, 6.5)
    cover = (weights * line).sum() / weights.sum()
    expected = cover * RED + (1 - cover) * BLUE
    assert torch.allclose(without[0, :, 24, 22], expected, atol=1e-4)
    assert float(with_trace[0, 0, 24, 22]) > float(expected[0]) + 0.5


def test_a_slanted_surface_has_no_outlines():
    slope_px = torch.linspace(-8, 0, SIZE).expand(1, 1, SIZE, SIZE)
    first, second = layered(pictures(), slope_px)
    assert torch.equal(first, second)
