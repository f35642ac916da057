"""Soft steps of maps whose true outline is known."""

import cv2
import numpy as np
import pytest
import torch

from bokeh_core.disparity.refine.guided_filter import guide
from bokeh_core.disparity.refine.outlines import sharpened_outlines
from tests.core.disparity.refine.scenes import textured


def soft(disparity: torch.Tensor, sigma_px: float) -> torch.Tensor:
    return torch.from_numpy(cv2.GaussianBlur(disparity.numpy(), (0, 0), sigma_px))


def picture_of(disparity: torch.Tensor) -> torch.Tensor:
    """Each surface in a colour of its own, textured."""
    height, width = disparity.shape
    colours = torch.stack([disparity, 1 - disparity, (3 * disparity) % 1], -1)
    return 0.75 * colours + 0.25 * textured(height, width, 7)


def block(height: int = 128, width: int = 192) -> torch.Tensor:
    disparity = torch.full((height, width), 0.2)
    disparity[height // 4 : -height // 4, width // 4 : -width // 4] = 0.8
    return disparity


def wrong(found: torch.Tensor, truth: torch.Tensor) -> int:
    return int(((found - truth).abs() > 0.05).sum())


@pytest.mark.parametrize("sigma_px", [1.0, 1.5])
def test_a_soft_outline_lands_on_that_of_the_picture(sigma_px: float):
    truth = block()
    given = soft(truth, sigma_px)
    found = sharpened_outlines(given, picture_of(truth))
    # The corners of the block may be rounded by a px or two.
    assert wrong(found, truth) <= 16 < wrong(given, truth) / 20


def test_no_value_between_two_surfaces_is_left():
    truth = block()
    found = sharpened_outlines(soft(truth, 1.5), picture_of(truth))
    assert bool(((found - 0.2).abs().minimum((found - 0.8).abs()) < 0.03).all())


def test_a_thin_part_is_not_eaten():
    truth = block()
    truth[:32, 90:94] = 0.8
    given = soft(truth, 1.5)
    found = sharpened_outlines(given, picture_of(truth))
    # Alone, it is as near as the map says of its middle.
    assert torch.allclose(found[4:16, 90:94], given[4:16, 91:92].expand(-1, 4), atol=0.03)
    assert torch.allclose(found[4:16, 94:98], torch.full((12, 4), 0.2), atol=0.03)


def test_a_third_surface_stays_beside_a_nearer_one():
    truth = block()
    truth[40:90, 96:108] = 0.5
    given = soft(truth, 1.0)
    found = sharpened_outlines(given, picture_of(truth))
    assert bool(((found[44:86, 99:105] - 0.5).abs() < 0.03).all())
    assert wrong(found, truth) < wrong(given, truth) / 4


def test_a_sharp_map_is_handed_back():
    truth = block()
    assert sharpened_outlines(truth, picture_of(truth)) is truth
    flat = torch.full((20, 30), 0.4)
    assert sharpened_outlines(flat, torch.zeros(20, 30, 3)) is flat


def test_a_sharp_map_with_few_soft_pixels_is_handed_back():
    truth = block(640, 512)
    given = truth.clone()
    # Over 18 of 1152 px of its outline.
    given[180:198, 110:146] = soft(truth, 2.0)[180:198, 110:146]
    assert sharpened_outlines(given, picture_of(truth)) is given


@pytest.mark.parametrize("rise", [0.001, 0.003, 0.01])
def test_slanted_surfaces_are_handed_back(rise: float):
    # From a floor up a slant and, for the steeper ones, on to a wall.
    slant = (torch.arange(192.0) * rise - 0.1).clamp(0, 1).expand(128, -1).contiguous()
    assert sharpened_outlines(slant, picture_of(slant)) is slant
    assert sharpened_outlines(slant.T.contiguous(), picture_of(slant.T)) is not None
    assert torch.equal(sharpened_outlines(slant.T.contiguous(), picture_of(slant.T)), slant.T)


def test_no_step_is_put_beside_a_ramp_that_goes_on_as_a_slope():
    """A box on a floor that slants, seen so softly that its outline does not end before the floor goes on."""
    rows, columns = torch.meshgrid(torch.arange(192), torch.arange(320), indexing="ij")
    on_box = (rows > 76) & (columns > 96)
    given = soft(0.2 + 0.003 * rows + 0.1 * on_box, 2.5)
    found = sharpened_outlines(given, picture_of(torch.where(on_box, 0.8, 0.2)))
    beside = cv2.morphologyEx(on_box.numpy().astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((5, 5))) == 0
    steps = found.diff(dim=0).abs()[:, :-1] + found.diff(dim=1).abs()[:-1]
    # The slope itself has 0.003.
    assert int((steps[beside[:-1, :-1]] > 0.025).sum()) <= 4


def test_where_the_picture_has_no_edge_the_step_stays_in_the_middle():
    truth = block()
    found = sharpened_outlines(soft(truth, 1.5), torch.full((128, 192, 3), 0.5))
    assert wrong(found[40:88], truth[40:88]) == wrong(found[:, 56:136], truth[:, 56:136]) == 0


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_pictures_and_alpha(channels: int):
    truth = block()
    picture = picture_of(truth)
    alpha = torch.rand(128, 192, 1, generator=torch.Generator().manual_seed(0))
    frame = picture[..., :1] if channels == 1 else torch.cat([picture, alpha], -1)
    assert wrong(sharpened_outlines(soft(truth, 1.5), frame), truth) <= 16


def test_wide_maps_are_judged_small_and_drawn_by_all_pixels_of_the_picture():
    truth = block(384, 1024)
    given = soft(truth, 4.0)
    found = sharpened_outlines(given, picture_of(truth))
    assert found.shape == truth.shape
    assert wrong(found, truth) < wrong(given, truth) / 20
    assert sharpened_outlines(truth, picture_of(truth)) is truth


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (2, 2), (6, 9)])
def test_small_maps(size: tuple[int, int]):
    given = torch.rand(size, generator=torch.Generator().manual_seed(1))
    found = sharpened_outlines(given, torch.rand(*size, 3, generator=torch.Generator().manual_seed(2)))
    assert found.shape == given.shape
    assert bool(((found >= given.min()) & (found <= given.max())).all())


def test_the_guided_filter_finds_what_is_straight_in_the_colours():
    picture = np.random.default_rng(0).uniform(0, 1, (24, 30, 3)).astype(np.float32)
    values = picture @ np.array([0.5, -0.3, 0.2], np.float32) + np.float32(0.1)
    slopes, offset = guide(picture, values, np.ones((24, 30), np.float32), 4)
    assert np.allclose((slopes * picture).sum(-1) + offset, values, atol=0.005)


def test_the_guided_filter_asks_the_pixels_of_weight():
    picture = np.random.default_rng(1).uniform(0, 1, (24, 30, 3)).astype(np.float32)
    values = picture[..., 0].copy()
    spoilt = np.random.default_rng(2).uniform(0, 1, (24, 30)) < 0.2
    values[spoilt] = 0
    weights = np.where(spoilt, 1e-4, 1).astype(np.float32)
    slopes, offset = guide(picture, values, weights, 4)
    assert np.allclose((slopes * picture).sum(-1) + offset, picture[..., 0], atol=0.01)
