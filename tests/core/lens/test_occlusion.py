"""An occlusion edge between two flat planes of constant colour, the map exact."""

import math

import pytest
import torch
from torch import Tensor

from bokeh_core.lens.occlusion import light_of, put_behind, unpainted
from tests.core.lens.reference import disk_edge_coverage, render

NEAR_COLOUR = torch.tensor([0.9, 0.2, 0.1])
FAR_COLOUR = torch.tensor([0.1, 0.5, 0.8])
HEIGHT_PX, WIDTH_PX, EDGE = 41, 64, 32
# Rim pixels of a disk are sampled on a grid of at least 4 x 4, and a radius is mixed from two slabs a share p
# apart. The mixture's edge profile departs from the disk's by at most about p^2 / 4 (0.004 at p = 12 %); the
# slope of the display curve, x^(1/2.2) at light 0.1^2.2, makes that up to 0.03 at the foot of the profile.
TOLERANCE = {1.0: 0.006, 2.2: 0.03}


def half_plane() -> Tensor:
    return (torch.arange(WIDTH_PX) < EDGE).float().expand(HEIGHT_PX, WIDTH_PX)


def pole() -> Tensor:
    columns = torch.arange(WIDTH_PX)
    return ((columns >= EDGE - 1) & (columns <= EDGE + 1)).float().expand(HEIGHT_PX, WIDTH_PX)


def away_from_borders(picture: Tensor, radius_px: float) -> Tensor:
    """The rows of [H, W, 3] at which no part of a disk lies outside of the frame."""
    reach = math.ceil(radius_px * 1.12) + 1
    return picture[reach : HEIGHT_PX - reach]


def picture_of(near_mask: Tensor) -> Tensor:
    return torch.where(near_mask[..., None] > 0, NEAR_COLOUR, FAR_COLOUR)


def mixed(coverage: Tensor, gamma: float) -> Tensor:
    """Display colours [W, 3] where the near plane covers [W] of the light's way to the far one."""
    share = coverage[:, None]
    return (share * NEAR_COLOUR**gamma + (1 - share) * FAR_COLOUR**gamma) ** (1 / gamma)


@pytest.mark.parametrize("near_mask", [half_plane(), pole()], ids=["half", "pole"])
@pytest.mark.parametrize("gamma", [1.0, 2.2])
@pytest.mark.parametrize("radius_px", [1.5, 3.25, 8.0, 12.0])
def test_a_sharp_foreground_and_its_blurred_background_do_not_mix(
    near_mask: Tensor, gamma: float, radius_px: float
):
    # The far plane has one colour, so blurring it changes nothing: the frame must come back as it was,
    # without foreground colour beside the contour, without darkening, the foreground untouched.
    frame = picture_of(near_mask)
    blurred = render(frame, -radius_px * (1 - near_mask), gamma=gamma, contour_reach_px=0)
    torch.testing.assert_close(blurred, frame, rtol=0, atol=1e-5)


@pytest.mark.parametrize("gamma", [1.0, 2.2])
@pytest.mark.parametrize("radius_px", [2.0, 3.25, 6.0, 8.0, 10.1, 12.0])
def test_a_blurred_foreground_fades_over_a_sharp_background_like_a_disk(gamma: float, radius_px: float):
    near_mask = half_plane()
    blurred = render(picture_of(near_mask), radius_px * near_mask, gamma=gamma, contour_reach_px=0)
    from_edge_px = torch.arange(WIDTH_PX) - (EDGE - 0.5)
    expected = mixed(disk_edge_coverage(from_edge_px, radius_px), gamma)
    inside = away_from_borders(blurred, radius_px)
    torch.testing.assert_close(inside, expected.expand_as(inside), rtol=0, atol=TOLERANCE[gamma])


@pytest.mark.parametrize("radius_px", [0.8, 1.2, 1.5, 1.75])
def test_a_slightly_blurred_foreground_fades_outside_its_contour(radius_px: float):
    # Inside, a background this close in radius is not revealed yet.
    near_mask = half_plane()
    blurred = render(picture_of(near_mask), radius_px * near_mask, gamma=1.0, contour_reach_px=0)
    expected = mixed(disk_edge_coverage(torch.arange(WIDTH_PX) - (EDGE - 0.5), radius_px), 1.0)
    # Kernels this small are mixed from slabs that differ by a quarter to a half.
    torch.testing.assert_close(
        blurred[:, EDGE:], expected[EDGE:].expand(HEIGHT_PX, -1, -1), rtol=0, atol=0.02
    )
    assert (blurred[:, EDGE - 3 : EDGE] - FAR_COLOUR).abs().amin() > 0.2


@pytest.mark.parametrize("gamma", [1.0, 2.2])
@pytest.mark.parametrize("radius_px", [3.25, 8.0, 12.0])
def test_a_blurred_pole_becomes_a_veil(gamma: float, radius_px: float):
    near_mask = pole()
    blurred = render(picture_of(near_mask), radius_px * near_mask, gamma=gamma, contour_reach_px=0)
    from_middle_px = torch.arange(WIDTH_PX) - float(EDGE)
    coverage = disk_edge_coverage(from_middle_px - 1.5, radius_px) - disk_edge_coverage(
        from_middle_px + 1.5, radius_px
    )
    inside = away_from_borders(blurred, radius_px)
    expected = mixed(coverage, gamma).expand_as(inside)
    torch.testing.assert_close(inside, expected, rtol=0, atol=TOLERANCE[gamma])


def test_the_background_is_revealed_where_the_foreground_was():
    # At the old contour half of the lens sees past the foreground.
    near_mask = half_plane()
    blurred = render(picture_of(near_mask), 8 * near_mask, gamma=1.0, contour_reach_px=0)
    inside = blurred[HEIGHT_PX // 2, EDGE - 4]
    # x = -3.5 px of r = 8 px: 1/2 + (3.5 sqrt(64 - 12.25) + 64 asin(0.4375)) / (64 pi) = 0.769 covered.
    expected = 0.769 * NEAR_COLOUR + 0.231 * FAR_COLOUR
    torch.testing.assert_close(inside, expected, rtol=0, atol=0.005)


@pytest.mark.parametrize("radius_px", [4.0, 8.0])
def test_both_planes_out_of_focus_on_opposite_sides(radius_px: float):
    # The far plane has one colour, so only the near plane's fading is seen.
    near_mask = half_plane()
    signed_px = torch.where(near_mask > 0, radius_px, -radius_px)
    blurred = render(picture_of(near_mask), signed_px, gamma=1.0, contour_reach_px=0)
    from_edge_px = torch.arange(WIDTH_PX) - (EDGE - 0.5)
    expected = mixed(disk_edge_coverage(from_edge_px, radius_px), 1.0)
    inside = away_from_borders(blurred, radius_px)
    torch.testing.assert_close(inside, expected.expand_as(inside), rtol=0, atol=TOLERANCE[1.0])


@pytest.mark.parametrize("radius_px", [4.4, 5.5, 6.5])
def test_nothing_shines_through_a_surface_that_lies_between_two_slabs(radius_px: float):
    # Of a pixel's light 0.3 is that of a near rim of radius 2.5 px. All the rest is of one surface, in the
    # slabs above and below its radius, and none of a bright one behind it.
    state = unpainted(torch.zeros(1, 1))
    above = int(radius_px)
    below_share = radius_px - above
    for slab_px, weight, light in (
        (-2.5, 0.3, 0.2),
        (-above, 1 - below_share, 0.5),
        (-above - 1, below_share, 0.5),
        (-11.0, 1.0, 50.0),
    ):
        # Light, rim and weight: the near rim is all edge.
        rim = weight if slab_px == -2.5 else 0.0
        put_behind(state, torch.tensor([[weight * light], [rim], [weight]]), float(slab_px))
    assert light_of(state).item() == pytest.approx(0.3 * 0.2 + 0.7 * 0.5, abs=1e-5)
