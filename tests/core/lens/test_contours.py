"""A disparity contour that lies beside the picture's: the renderer follows the picture."""

import pytest
import torch
from torch import Tensor

from bokeh_core.lens.contour_shift import shift_contours
from bokeh_core.lens.edges import softness
from tests.core.lens.reference import dilated, eroded, psnr_db, random_texture, render, two_planes

HEIGHT_PX, WIDTH_PX = 96, 128
FAR_TINT, NEAR_TINT = torch.tensor([0.3, 1.0, 1.0]), torch.tensor([1.0, 1.0, 0.5])


def scene(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Bright warm cut-out, its mask, and a dark blue background: textured, yet never of one colour."""
    near = random_texture(HEIGHT_PX, WIDTH_PX, seed, 0.6, 1.0, 4) * NEAR_TINT
    far = random_texture(HEIGHT_PX, WIDTH_PX, seed + 100, 0.0, 0.3, 4) * FAR_TINT
    rows, columns = torch.arange(HEIGHT_PX)[:, None], torch.arange(WIDTH_PX)
    mask = ((columns - 60) ** 2 + (rows - 45) ** 2 < 26**2).float()
    return near, mask, far


def quality_db(
    seed: int, map_mask: Tensor, near_radius_px: float, far_radius_px: float, gamma: float, reach_px: int
) -> float:
    near, mask, far = scene(seed)
    truth = two_planes(near, mask, far, near_radius_px, far_radius_px, gamma)
    frame = torch.where(mask[..., None] > 0, near, far)
    radius_px = torch.where(map_mask > 0.5, near_radius_px, far_radius_px)
    contour = (dilated(mask, 12) - eroded(mask, 12)) > 0
    return psnr_db(render(frame, radius_px, gamma=gamma, contour_reach_px=reach_px), truth, contour)


@pytest.mark.parametrize("gamma", [1.0, 2.2])
@pytest.mark.parametrize(("near_radius_px", "far_radius_px"), [(0.0, -8.0), (8.0, 0.0)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_foreground_eroded_in_the_map_is_found_again(
    seed: int, near_radius_px: float, far_radius_px: float, gamma: float
):
    map_mask = eroded(scene(seed)[1], 2)
    trusting, following = (
        quality_db(seed, map_mask, near_radius_px, far_radius_px, gamma, reach_px) for reach_px in (0, 4)
    )
    # Measured: 17 to 23 dB against 39 to 51.
    assert following > trusting + 12
    assert following > 35


@pytest.mark.parametrize(("near_radius_px", "far_radius_px"), [(0.0, -8.0), (8.0, 0.0)])
def test_a_foreground_grown_in_the_map_is_found_again(near_radius_px: float, far_radius_px: float):
    map_mask = dilated(scene(1)[1], 2)
    trusting, following = (
        quality_db(1, map_mask, near_radius_px, far_radius_px, 2.2, reach_px) for reach_px in (0, 4)
    )
    assert following > trusting + 6


@pytest.mark.parametrize("reach_px", [0, 4])
@pytest.mark.parametrize(("near_radius_px", "far_radius_px"), [(0.0, -8.0), (8.0, 0.0)])
def test_an_exact_map_is_rendered_well_with_and_without_tolerance(
    near_radius_px: float, far_radius_px: float, reach_px: int
):
    assert quality_db(2, scene(2)[1], near_radius_px, far_radius_px, 2.2, reach_px) > 38


def map_of(mask: Tensor) -> Tensor:
    """Radii in px of a cut-out in focus before a background 8 px out of it."""
    return torch.where(mask > 0.5, 0.0, -8.0)


def light_of(near: Tensor, mask: Tensor, far: Tensor) -> Tensor:
    return torch.where(mask[..., None] > 0.5, near, far).movedim(-1, 0) ** 2.2


def fitted(radius_px: Tensor, light: Tensor, reach_px: int) -> Tensor:
    crisp = torch.zeros(1, 1)
    return shift_contours(radius_px, light, reach_px, crisp)


def test_an_exact_contour_keeps_every_pixel_though_single_ones_look_like_the_other_side():
    near, mask, far = scene(1)
    light = light_of(near, mask, far)
    # Every sixth pixel of the near side of the outline has the colour of the background behind it.
    outline = ((mask - eroded(mask, 1)) > 0.5).nonzero()[::6]
    light[:, outline[:, 0], outline[:, 1]] = (far**2.2).movedim(-1, 0)[:, outline[:, 0], outline[:, 1]]
    assert len(outline) > 20
    assert torch.equal(fitted(map_of(mask), light, 4), map_of(mask))


@pytest.mark.parametrize(("change", "amount_px"), [(eroded, 2), (dilated, 2)])
def test_a_straight_contour_two_px_off_is_moved_where_the_picture_has_it(change, amount_px: int):
    near, _, far = scene(2)
    mask = (torch.arange(WIDTH_PX) < 60).float().expand(HEIGHT_PX, WIDTH_PX).contiguous()
    moved = fitted(map_of(change(mask, amount_px)), light_of(near, mask, far), 4)
    inner = slice(8, -8)
    torch.testing.assert_close(moved[inner], map_of(mask)[inner], atol=0.01, rtol=0)


def test_a_wire_in_an_exact_map_stays_whole():
    near, _, far = scene(3)
    mask = torch.zeros(HEIGHT_PX, WIDTH_PX)
    mask[40] = 1
    mask[:, 20:22] = 1
    assert torch.equal(fitted(map_of(mask), light_of(near, mask, far), 4), map_of(mask))


def test_a_map_is_soft_where_its_contours_are_ramps():
    crisp = map_of(scene(1)[1])
    ramp = torch.full((20, 20), -8.0)
    ramp[:, 10:] = 0.0
    ramp[:, 9] = -4.0
    assert softness(crisp).item() == 0
    assert softness(ramp).item() == 1
    # Where there is no contour, nothing says that the map is crisp.
    assert softness(torch.zeros(20, 20)).item() == 1
