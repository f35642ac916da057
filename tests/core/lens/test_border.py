"""At the border of the frame its pixels go on, or a pixel is the mean of what its disk covers inside."""

import pytest
import torch
import torch.nn.functional as F

from bokeh_core.lens import Aperture
from tests.core.lens.reference import convolve, disk, random_texture, render


@pytest.mark.parametrize("radius_px", [4.0, -4.0, 8.0, 10.080002])
@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_every_pixel_is_the_mean_inside_its_disk(radius_px: float, gamma: float):
    # These radii are rungs of the slab ladder, so nothing is mixed from two kernels.
    frame = random_texture(37, 43, seed=1, low=0.1, high=0.9)
    blurred = render(frame, radius_px, gamma=gamma, contour_reach_px=0, border="ignore")
    light = convolve(frame.permute(2, 0, 1) ** gamma, disk(radius_px))
    torch.testing.assert_close(blurred, (light ** (1 / gamma)).permute(1, 2, 0), rtol=0, atol=2e-3)


def test_where_only_the_inside_counts_a_lamp_in_the_corner_counts_once():
    # A quarter of the disk lies inside: pi 6^2 / 4 px, plus half a pixel's width along both sides.
    frame = torch.zeros(40, 40, 3)
    frame[0, 0] = 1
    corner = render(frame, 6.0, gamma=1.0, border="ignore")[0, 0, 0].item()
    kernel = disk(6.0)
    expected = kernel[6, 6] / kernel[6:, 6:].sum()
    assert corner == pytest.approx(expected.item(), rel=0.05)
    # Border pixels that repeat would count it once for each pixel of the three quarters outside.
    assert corner < 0.05


@pytest.mark.parametrize("radius_px", [4.0, -8.0, 10.080002])
def test_stripes_go_on_beyond_the_border_that_they_cross(radius_px: float):
    # Far from the ends of the stripes: beyond the border a step is twice as soft as the distance, but even.
    frame = torch.full((60, 160, 3), 0.2)
    frame[:, 80:] = 0.7
    blurred = render(frame, radius_px, gamma=1.0, contour_reach_px=0)
    reach = disk(radius_px).shape[0] // 2
    beyond = F.pad(frame.permute(2, 0, 1)[None], (reach,) * 4, mode="replicate")
    light = F.conv2d(beyond.movedim(1, 0), disk(radius_px)[None, None])[:, 0].permute(1, 2, 0)
    inside = slice(reach, 60 - reach)
    torch.testing.assert_close(blurred[inside], light[inside], rtol=0, atol=2e-3)
    # The step is where it was, and light that one side loses the other wins.
    torch.testing.assert_close(blurred[0, 70:90].mean(), light[0, 70:90].mean(), rtol=0, atol=1e-3)
    assert (blurred[0] - light[0]).abs().max() < 0.12


@pytest.mark.parametrize("light", [1.0, 5.0])
@pytest.mark.parametrize("width", [48, 128])
def test_a_bright_sky_goes_on(light: float, width: int):
    frame = torch.full((64, 128, 3), 0.02)
    frame[:40, :width] = light
    blurred = render(frame, -8.0, gamma=1.0, contour_reach_px=0)
    # What is below it, or beside it, is farther away than the blur reaches.
    far = (slice(0, 40 - 9), slice(0, width - 9 if width < 128 else 128))
    torch.testing.assert_close(blurred[far], frame[far], rtol=0, atol=0.05 * light)


def test_a_large_lamp_that_the_border_cuts_throws_no_more_light_than_it_has():
    # Half of it lies within. Repeated as far as the blur reaches it would be more than twice as long.
    radius_px, lamp_px = 16.0, 5
    y, x = torch.meshgrid(torch.arange(60), torch.arange(160), indexing="ij")
    lamp = (y - 0.5).square() + (x - 80).square() <= lamp_px**2
    frame = 0.02 + 0.98 * lamp[..., None].float().expand(-1, -1, 3)
    blurred = render(frame, radius_px, gamma=1.0)[..., 0] - 0.02
    kernel = disk(radius_px)
    reach = kernel.shape[0] // 2
    whole = F.pad(lamp.float(), (0, 0, lamp_px, 0))
    whole[:lamp_px] = whole[lamp_px : 2 * lamp_px].flip(0)
    of_whole = 0.98 * F.conv2d(whole[None, None], kernel[None, None], padding=reach)[0, 0, lamp_px:]
    of_half = 0.98 * F.conv2d(lamp[None, None].float(), kernel[None, None], padding=reach)[0, 0]
    assert of_half.sum() < blurred.sum() < of_whole.sum()
    assert blurred.max() < 1.2 * of_whole.max()


@pytest.mark.parametrize(("row", "column"), [(0, 60), (39, 60), (20, 0), (20, 127)])
@pytest.mark.parametrize("light", [1.0, 50.0])
def test_a_lamp_at_the_border_does_not_go_on(row: int, column: int, light: float):
    frame = torch.zeros(40, 128, 3)
    frame[row, column] = light
    blurred = render(frame, 8.0, gamma=1.0)[row, column, 0].item()
    # The disk has about pi 8^2 = 201 px. Repeated beyond the border the lamp would count 9 times there.
    assert light / 201 < blurred < 1.5 * max(light, 1.5) / 201


def test_a_lamp_at_the_border_is_one_lamp_however_bright_it_is():
    frame = torch.zeros(40, 128, 3)
    frame[0, 60] = 50.0
    total = render(frame, 8.0, gamma=1.0)[..., 0].sum().item()
    # Half of its disk lies inside, and the half pixel row that it stands in; white beyond would add 8 px.
    assert 25 <= total <= 30


def test_a_bright_surface_at_the_border_goes_on_beside_a_dark_one():
    frame = torch.full((40, 128, 3), 0.02)
    frame[:, :40] = 0.9
    radius_px = torch.zeros(40, 128)
    radius_px[:, :40] = -8.0
    blurred = render(frame, radius_px, contour_reach_px=0)
    torch.testing.assert_close(blurred, frame, rtol=0, atol=1e-4)


@pytest.mark.parametrize("border", ["repeat", "ignore"])
@pytest.mark.parametrize("radius_px", [4.0, -10.080002])
def test_a_field_of_equal_kernels_is_no_different(radius_px: float, border: str):
    frame = random_texture(61, 71, seed=2, low=0.1, high=0.9)
    radii = torch.full((61, 71), radius_px)
    radii[20:40, 25:50] = -radius_px
    plain = render(frame, radii, border=border)
    # A barrel that cuts away nothing measurable takes the path of a kernel that changes across the frame.
    field = render(frame, radii, aperture=Aperture(cat_eye=1e-9), border=border)
    torch.testing.assert_close(field, plain, rtol=0, atol=2e-3)


@pytest.mark.parametrize("border", ["repeat", "ignore"])
def test_borders_are_the_same_on_all_four_sides(border: str):
    frame = random_texture(33, 33, seed=3, low=0, high=1)
    radii = torch.full((33, 33), 6.0)
    blurred = render(frame, radii, border=border)
    for axes in ((0,), (1,), (0, 1)):
        turned = render(frame.flip(axes), radii, border=border).flip(axes)
        torch.testing.assert_close(turned, blurred, rtol=0, atol=1e-5)


def test_a_border_of_another_name_is_refused():
    with pytest.raises(ValueError, match=r"'mirror'.*repeat"):
        render(torch.zeros(8, 8, 3), 1.0, border="mirror")


@pytest.mark.parametrize(
    ("lamps", "less_than"),
    [
        (0.0, {"ignore", "its pixels again"}),
        (1.0, {"ignore", "its pixels again"}),
        (5.0, {"its pixels again"}),
    ],
)
def test_while_the_camera_pans_the_border_swims_no_more_than_one_beyond_which_nothing_counts(
    lamps: float, less_than: set[str]
):
    radius_px, frames, width = 8.0, 8, 128
    kernel = disk(radius_px)
    reach = kernel.shape[0] // 2
    scene = random_texture(80 + 2 * reach, width + frames + 2 * reach, seed=3, low=0.1, high=0.5)
    if lamps:  # that come into the frame and leave it
        for row, column in (
            (8, reach + 2),
            (20, reach + width + 1),
            (33, reach + 6),
            (30, reach + width - 3),
        ):
            scene[row + reach, column] = lamps

    def spread(picture: torch.Tensor) -> torch.Tensor:
        planes = picture.permute(2, 0, 1)[:, None]
        return F.conv2d(planes, kernel[None, None])[:, 0].permute(1, 2, 0)

    errors: dict[str, list[torch.Tensor]] = {"repeat": [], "ignore": [], "its pixels again": []}
    for t in range(frames):
        seen = scene[reach:-reach, reach + t : reach + t + width].contiguous()
        truth = spread(scene[:, t : t + width + 2 * reach])
        for border in ("repeat", "ignore"):
            errors[border].append(
                render(seen, radius_px, gamma=1.0, contour_reach_px=0, border=border) - truth
            )
        again = F.pad(seen.permute(2, 0, 1)[None], (reach,) * 4, mode="replicate")[0].permute(1, 2, 0)
        errors["its pixels again"].append(spread(again) - truth)
    within = torch.zeros(80, width, dtype=torch.bool)
    within[reach:-reach, reach:-reach] = True
    found = {name: torch.stack(each)[:, ~within] for name, each in errors.items()}
    error = {name: each.square().mean().item() for name, each in found.items()}
    swims = {name: each.diff(dim=0).abs().mean().item() for name, each in found.items()}
    assert error["repeat"] < min(error["ignore"], error["its pixels again"])
    assert swims["repeat"] < min(swims[other] for other in less_than)
