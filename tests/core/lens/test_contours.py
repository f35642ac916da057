"""A disparity contour that lies beside the picture's: the renderer follows the picture."""

import pytest
import torch
from torch import Tensor

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
