"""Procedural surfaces: range, determinism, band, and highlights that are small and bright."""

import pytest
import torch

from bokeh_lab.scenes.draws import Draws
from bokeh_lab.scenes.textures import SURFACES, night, noise, with_highlights


@pytest.mark.parametrize("surface", [*SURFACES, night])
def test_surfaces_are_in_range_and_follow_their_draws(surface):
    picture = surface(60, 100, Draws.named("a"))
    assert picture.shape == (3, 60, 100)
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert picture.std() > 0.01
    assert torch.equal(picture, surface(60, 100, Draws.named("a")))
    assert not torch.equal(picture, surface(60, 100, Draws.named("b")))


@pytest.mark.parametrize("surface", [*SURFACES, night])
def test_a_larger_picture_shows_the_same_surface(surface):
    small = surface(64, 96, Draws.named("c"))
    large = surface(256, 384, Draws.named("c"))
    reduced = torch.nn.functional.avg_pool2d(large[None], 4)[0]
    blurred = [torch.nn.functional.avg_pool2d(each[None], 16)[0].flatten() for each in (small, reduced)]
    assert torch.corrcoef(torch.stack(blurred))[0, 1] > 0.7


def test_noise_has_no_detail_coarser_than_its_band():
    # With 16 cells across and more, the mean over a quarter of the picture is close to the middle grey.
    field = noise(256, 256, Draws.named("d"), coarsest=16, falloff=0.6)
    quarters = field.unfold(0, 128, 128).unfold(1, 128, 128).mean((2, 3))
    assert float((quarters - 0.5).abs().max()) < 0.08
    assert float(field.std()) > 0.15


def test_highlights_are_small_near_white_and_only_where_the_picture_is_opaque():
    dark = torch.zeros(4, 200, 200)
    dark[3, :, :100] = 1
    lit = with_highlights(dark, Draws.named("e"), 60)
    assert torch.equal(lit[3], dark[3])
    bright = lit[:3].amin(0) > 0.9
    # 60 disks of 0.6 to 2 px radius; the mean of pi r^2 is 5.8 px.
    assert 60 < int(bright.sum()) < 60 * 5.8
    assert 0 < float((lit[:3].amax(0) > 0.1).float().mean()) < 0.05


def test_draws_do_not_touch_the_global_generators():
    before = torch.get_rng_state()
    first = Draws.named("paper", 3).numbers(5)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert torch.equal(first, Draws.named("paper", 3).numbers(5))
    assert not torch.equal(first, Draws.named("paper", 4).numbers(5))


def test_draws_stay_in_their_ranges():
    draws = Draws.named("ranges")
    integers = [draws.integer(2, 5) for _ in range(400)]
    assert set(integers) == {2, 3, 4, 5}
    values = [draws.log_uniform(1, 16) for _ in range(400)]
    assert all(1 <= value < 16 for value in values)
    # Half of the draws lie below the geometric mean.
    assert sum(value < 4 for value in values) == pytest.approx(200, abs=40)
    assert sorted(draws.order(7)) == list(range(7))
