"""The ladder of slabs and the shares of samples between them."""

import pytest
import torch
from torch import Tensor

from bokeh_core.lens.backend import ACCELERATOR, CPU
from bokeh_core.lens.layers import Layer
from bokeh_core.lens.slabs import SlabShares, share_between_slabs, slab_radii_px

RANGES = [
    (-30.0, 30.0),
    (0.0, 12.0),
    (-7.3, -2.2),
    (3.1, 3.3),
    (5.0, 5.0),
    (0.0, 0.0),
    (-0.2, 0.1),
    (60.0, 64.0),
]


@pytest.mark.parametrize(("lowest_px", "highest_px"), RANGES)
def test_the_ladder_encloses_the_range_and_no_more(lowest_px: float, highest_px: float):
    ladder = slab_radii_px(lowest_px, highest_px)
    assert ladder == sorted(set(ladder))
    assert ladder[0] <= lowest_px
    assert ladder[-1] >= highest_px
    assert [r for r in ladder[1:-1] if not lowest_px < r < highest_px] == []


def test_the_first_rungs():
    # 0.5 px steps to 4 px, then 1 px, then 12 % once that is more: 9 * 1.12 = 10.08, 10.08 * 1.12 = 11.2896.
    expected = [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9, 10.08, 11.2896]
    assert slab_radii_px(0.0, 11.0) == pytest.approx(expected)
    assert slab_radii_px(-11.0, 0.0) == pytest.approx([-r for r in reversed(expected)])


@pytest.mark.parametrize(("lowest_px", "highest_px"), RANGES)
def test_rungs_do_not_depend_on_the_range(lowest_px: float, highest_px: float):
    everywhere = slab_radii_px(-100.0, 100.0)
    assert [r for r in slab_radii_px(lowest_px, highest_px) if r not in everywhere] == []
    assert 0.0 in everywhere


def shares_of(radii: Tensor, weight: Tensor) -> tuple[Tensor, SlabShares, list[float]]:
    """Weights [S, H, W] of all slabs."""
    ladder = slab_radii_px(float(radii.min()), float(radii.max()))
    shares = share_between_slabs(Layer(torch.zeros(3, *radii.shape), radii, weight), ladder)
    whole = (slice(0, radii.shape[0]), slice(0, radii.shape[1]))
    return torch.stack([shares.weight(slab, whole) for slab in range(len(ladder))]), shares, ladder


@pytest.mark.parametrize(("lowest_px", "highest_px"), RANGES)
def test_shares_add_up_and_average_to_the_radius(lowest_px: float, highest_px: float):
    radii = torch.linspace(lowest_px, highest_px, 301).expand(2, -1)
    weights, _, ladder = shares_of(radii, torch.ones(2, 301))
    torch.testing.assert_close(weights.sum(0), torch.ones(2, 301), rtol=0, atol=1e-6)
    mean_px = (weights * torch.tensor(ladder)[:, None, None]).sum(0)
    torch.testing.assert_close(mean_px, radii, rtol=1e-6, atol=1e-5)
    assert ((weights > 0).sum(0) <= 2).all()


def test_a_radius_between_two_rungs_by_hand():
    # 4.25 is a quarter of the way from 4 to 5; -2.4 is 0.2 of the way from -2.5 to -2.
    weights, _, ladder = shares_of(torch.tensor([[4.25, -2.4]]), torch.tensor([[1.0, 0.5]]))
    found = {(r, x): round(float(weights[i, 0, x]), 5) for i, r in enumerate(ladder) for x in (0, 1)}
    given = {key: share for key, share in found.items() if share > 0}
    assert given == {(4.0, 0): 0.75, (5.0, 0): 0.25, (-2.5, 1): 0.4, (-2.0, 1): 0.1}


def test_blocks_hold_every_sample_and_no_more():
    radii = 20 * torch.rand(9, 21, generator=torch.Generator().manual_seed(2)) - 10
    radii[:, 8:16] = -9.0
    weights, shares, _ = shares_of(radii, (radii > -8).float())
    for top in (0, 1):
        for left in (0, 1, 2):
            block = weights[:, 8 * top : 8 * top + 8, 8 * left : 8 * left + 8]
            assert torch.equal(shares.blocks[:, top, left], (block > 0).any(2).any(1))
    assert shares.blocks.shape[1:] == (2, 3)
    assert not shares.blocks[:, :, 1].any()


@pytest.mark.parametrize(("lowest_px", "highest_px"), RANGES)
def test_both_backends_find_the_same_places_on_the_ladder(lowest_px: float, highest_px: float):
    radii = torch.linspace(lowest_px, highest_px, 301)[None]
    ladder = slab_radii_px(lowest_px, highest_px)
    found, expected = ACCELERATOR.on_ladder(radii, ladder), CPU.on_ladder(radii, ladder)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-5)
