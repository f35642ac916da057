"""Eq. 2 by hand: thresholds of the MPI regions and the regions themselves."""

from typing import Any

import pytest
import torch

from bokeh_core.mpi import colour_regions, in_focus_mask, layer_colours, mpi_regions, region_thresholds


def regions_of(disparities: list[float], focal: float, **options: Any) -> list[int]:
    return mpi_regions(torch.tensor([[disparities]]), torch.tensor([focal]), **options)[0, 0].tolist()


def test_thresholds_at_a_near_focal_plane_are_even():
    assert region_thresholds(torch.tensor([1.0])).tolist() == [[0.25, 0.5, 0.75]]


def test_thresholds_at_half_are_squares():
    # 1 / d_f = 2: (1/4)^2, (2/4)^2, (3/4)^2.
    assert region_thresholds(torch.tensor([0.5])).tolist() == [[0.0625, 0.25, 0.5625]]


def test_alpha_sharpens_a_far_focal_plane():
    # d_f^2 = 1/4, so the thresholds are fourth powers.
    assert region_thresholds(torch.tensor([0.5]), alpha=2.0).tolist() == [[1 / 256, 1 / 16, 81 / 256]]


def test_alpha_of_one_and_a_half():
    # 0.25^1.5 = 1/8, so the thresholds are eighth powers.
    expected = [0.25**8, 0.5**8, 0.75**8]
    assert region_thresholds(torch.tensor([0.25]), alpha=1.5)[0].tolist() == pytest.approx(expected, rel=1e-6)


def test_a_distance_equal_to_a_threshold_stays_inside():
    assert regions_of([1.0, 0.75, 0.5, 0.25, 0.0], focal=1.0) == [0, 0, 1, 2, 3]


def test_just_beyond_a_threshold_is_outside():
    # One float32 step beyond 0.75 from the focal plane.
    assert regions_of([0.25 - 2**-24], focal=1.0) == [3]


def test_near_and_far_side_are_treated_alike():
    # Thresholds 0.0625, 0.25, 0.5625 around 0.5; distances 0.0625, 0.1, 0.3 either side.
    assert regions_of([0.5625, 0.4375, 0.6, 0.4, 0.8, 0.2], focal=0.5) == [0, 0, 1, 1, 2, 2]


def test_focus_at_zero_puts_everything_else_farthest():
    # (i/4)^(10^6) underflows to 0.
    assert regions_of([0.0, 0.001, 1.0], focal=0.0) == [0, 3, 3]


def test_negative_focus_counts_as_zero_in_the_power():
    assert region_thresholds(torch.tensor([-0.5])).tolist() == [[0.0, 0.0, 0.0]]


def test_every_frame_has_its_own_focus():
    disparity = torch.full((2, 1, 1), 0.5)
    assert mpi_regions(disparity, torch.tensor([0.5, 1.0])).flatten().tolist() == [0, 1]


def test_the_number_of_layers_is_free():
    # Two layers at d_f = 1: h_1 = 1/2.
    assert regions_of([1.0, 0.5, 0.49, 0.0], focal=1.0, layers=2) == [0, 0, 1, 1]
    assert regions_of([1.0, 0.0], focal=1.0, layers=1) == [0, 0]


def test_regions_are_bytes_of_the_size_of_the_disparity():
    regions = mpi_regions(torch.rand(3, 5, 7), torch.full((3,), 0.4))
    assert (regions.dtype, regions.shape) == (torch.uint8, (3, 5, 7))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 0}, "layers is 0; it must be 1 to 256"),
        ({"alpha": 0.0}, "alpha is 0; it must be 0.01 to 100"),
    ],
)
def test_bad_options_are_named(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        mpi_regions(torch.zeros(1, 1, 1), torch.zeros(1), **options)


def test_one_focus_per_frame_is_required():
    with pytest.raises(ValueError, match=r"shape \(2,\) for 3 disparity frames"):
        mpi_regions(torch.zeros(3, 1, 1), torch.zeros(2))


@pytest.mark.parametrize("layers", [1, 2, 4, 16])
def test_layer_colours_differ_and_darken(layers: int):
    luma = (layer_colours(layers) * torch.tensor([0.2126, 0.7152, 0.0722])).sum(-1)
    assert luma.shape == (layers,)
    assert (luma.diff() < -0.02).all()


def test_regions_are_painted_in_their_colours():
    picture = colour_regions(torch.tensor([[[0, 3]], [[1, 2]]], dtype=torch.uint8), 4)
    colours = layer_colours(4)
    assert picture.shape == (2, 1, 2, 3)
    assert torch.equal(picture[0, 0], colours[[0, 3]])
    assert torch.equal(picture[1, 0], colours[[1, 2]])


def test_the_mask_is_region_zero():
    mask = in_focus_mask(torch.tensor([[[0, 1, 3, 0]]], dtype=torch.uint8))
    assert mask.dtype == torch.float32
    assert mask.tolist() == [[[1.0, 0.0, 0.0, 1.0]]]
