"""Disturbed disparity against small maps worked out by hand."""

import math

import numpy as np
import pytest
import torch

from bokeh_lab.evaluate.faults import FAULTS
from bokeh_lab.evaluate.perturb import PERTURBATIONS, TITLES, displacement_px, parse_perturbations, perturb

STEP = torch.tensor([[0.2, 0.2, 0.8, 0.2, 0.2]]).expand(3, 5)  # a bright column


@pytest.fixture
def maps() -> torch.Tensor:
    """Two frames: a bright column, and a bright corner."""
    corner = torch.zeros(3, 5)
    corner[0, 0] = 1.0
    return torch.stack([STEP, corner])


def wide_maps(width: int = 1024, height: int = 48) -> torch.Tensor:
    return torch.rand(2, height, width, generator=torch.Generator().manual_seed(0))


def test_none_is_the_very_same_tensor(maps):
    assert perturb(maps, "none", 3) is maps


def test_dilation_grows_what_is_near_by_one_px(maps):
    expected = torch.tensor([[0.2, 0.8, 0.8, 0.8, 0.2]]).expand(3, 5)
    grown_corner = torch.tensor([[1.0, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]])
    assert torch.equal(perturb(maps, "dilate", 0), torch.stack([expected, grown_corner]))


def test_erosion_shrinks_what_is_near_by_one_px(maps):
    assert torch.equal(perturb(maps, "erode", 0), torch.stack([torch.full((3, 5), 0.2), torch.zeros(3, 5)]))


def test_8bit_rounds_to_255_levels():
    maps = torch.tensor([[[0.0, 0.4 / 255, 0.6 / 255, 0.5004, 1.0]]])
    expected = torch.tensor([[[0.0, 0.0, 1.0, 128.0, 255.0]]]) / 255
    assert torch.allclose(perturb(maps, "8bit", 0), expected, atol=1e-7)


def test_half_resolution_takes_means_of_two_by_two_and_interpolates():
    maps = torch.tensor([[[0.0, 0.4, 0.8, 0.8], [0.4, 0.0, 0.8, 0.8]]])
    # The means are 0.2 and 0.8; centres of the small pixels lie at 0.5 and 2.5 of the large ones, so that
    # columns 1 and 2 are a quarter and three quarters of the way.
    row = [0.2, 0.35, 0.65, 0.8]
    assert torch.allclose(perturb(maps, "half_resolution", 0), torch.tensor([[row, row]]), atol=1e-6)


def test_half_resolution_keeps_odd_sizes():
    maps = torch.full((2, 5, 7), 0.25)
    assert torch.allclose(perturb(maps, "half_resolution", 0), maps, atol=1e-6)


def test_blur_is_a_gaussian_of_4_px_at_1024():
    maps = torch.zeros(1, 65, 1024)
    maps[0, :, 512:] = 1.0
    blurred = perturb(maps, "blur", 0)[0, 32]
    # A step blurred by a Gaussian is its cumulative distribution; pixel 512 + k has its centre k + 0.5 px in.
    for k in (-9, -4, 0, 3, 8):
        expected = 0.5 * (1 + math.erf((k + 0.5) / (4 * math.sqrt(2))))
        assert blurred[512 + k].item() == pytest.approx(expected, abs=2e-3)


def test_blur_scales_with_the_frame():
    maps = torch.zeros(1, 33, 256)
    maps[0, :, 128:] = 1.0
    blurred = perturb(maps, "blur", 0)[0, 16]
    # 256 px wide: sigma is 1 px. Sampled at whole px, half the centre's weight and its neighbour's count.
    density = [math.exp(-(j**2) / 2) / math.sqrt(2 * math.pi) for j in (0, 1)]
    assert blurred[129].item() == pytest.approx(0.5 + density[0] / 2 + density[1], abs=2e-4)


def test_displacement_has_the_size_of_smoothed_noise():
    # Uniform noise in [-1, 1] has variance 1/3; a Gaussian of sigma leaves 1 / (4 pi sigma^2) of it.
    for sigma_px in (4.0, 2.0):
        dx, dy = displacement_px(400, 600, sigma_px, np.random.default_rng(5))
        at_1024 = 50 / (2 * 4 * math.sqrt(3 * math.pi))
        expected_px = at_1024 * sigma_px / 4
        assert dx.std() == pytest.approx(expected_px, rel=0.05)
        assert dy.std() == pytest.approx(expected_px, rel=0.05)
        assert abs(np.corrcoef(dx.ravel(), dy.ravel())[0, 1]) < 0.05


def test_elastic_moves_values_and_makes_none():
    # On the map d = x / W, d' - d is the displacement in x over W.
    width, height = 1024, 128
    ramp = (torch.arange(width) / width).expand(2, height, width).contiguous()
    moved = (perturb(ramp, "elastic", 7) - ramp)[:, :, 32:-32] * width
    assert moved.std().item() == pytest.approx(50 / (8 * math.sqrt(3 * math.pi)), rel=0.1)
    assert moved.abs().max().item() < 12
    # The border is repeated: nothing comes in from outside the range.
    constant = torch.full((1, 20, 300), 0.7)
    assert torch.allclose(perturb(constant, "elastic", 1), constant, atol=1e-6)


def test_morphology_is_dilation_or_erosion_by_1_2_or_3_px():
    maps = torch.zeros(1, 31, 1024)
    maps[0, 10:21, 500:511] = 1.0  # 11 x 11 px
    sides = set()
    for seed in range(40):
        near = perturb(maps, "morphology", seed)[0] > 0.5
        side = int(near.any(0).sum())
        assert int(near.sum()) == side * side
        sides.add(side)
    assert sides == {5, 7, 9, 13, 15, 17}


def test_morphology_reaches_one_px_at_least():
    maps = torch.zeros(1, 9, 64)
    maps[0, 3:6, 30:33] = 1.0
    sides = {int((perturb(maps, "morphology", seed)[0] > 0.5).any(0).sum()) for seed in range(12)}
    assert sides == {1, 5}


@pytest.mark.parametrize("name", [name for name in PERTURBATIONS if name != "none"])
def test_each_is_a_pure_function_of_map_and_seed(name):
    maps = wide_maps()
    kept = maps.clone()
    first = perturb(maps, name, 11)
    assert torch.equal(maps, kept)
    assert torch.equal(first, perturb(maps, name, 11))
    assert not torch.equal(first, maps)
    assert first.shape == maps.shape
    assert first.dtype == torch.float32
    assert first.min() >= 0
    assert first.max() <= 1


def test_noise_is_drawn_once_a_clip():
    still = wide_maps()[:1].expand(3, -1, -1).contiguous()
    moved = perturb(still, "elastic", 4)
    assert torch.equal(moved[0], moved[1])
    assert torch.equal(moved[0], moved[2])
    assert not torch.equal(moved, perturb(still, "elastic", 5))


def test_names():
    assert parse_perturbations("none") == ("none",)
    assert parse_perturbations("erode, blur,none") == ("none", "erode", "blur")
    assert parse_perturbations("over_time") == ("none", *FAULTS)
    assert (*parse_perturbations("all"), *FAULTS) == tuple(PERTURBATIONS)
    assert TITLES.keys() == PERTURBATIONS.keys()
    with pytest.raises(ValueError, match="no perturbation 'fog'; choose from none, elastic"):
        parse_perturbations("blur,fog")
