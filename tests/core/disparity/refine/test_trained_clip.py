"""The trained network as a part of the refinement of a clip."""

from collections.abc import Callable

import pytest
import torch

from bokeh_core.disparity.refine import DisparityRefiner, RefineSettings, refine_clip, window
from bokeh_core.disparity.refine.flicker import in_span
from tests.core.disparity.refine.scenes import moving_square, textured
from tests.core.disparity.refine.stand_ins import AGREED, KEEP, Always

Tell = Callable[[Always], None]

TRAINED = RefineSettings(trained=True)
ALONE = RefineSettings(steady=False, banding=False, trained=True)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Sets the network that is asked."""

    def tell(network: Always) -> None:
        monkeypatch.setattr(window, "trained_network", lambda device: network)

    return tell


def displaced(count: int, step_px: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A clip, its disparity, and that disparity with outlines off by up to 2 px, elsewhere in each frame."""
    frames, disparity = moving_square(count, step_px)
    moved = torch.stack([one.roll((t % 3 - 1, 2 - t % 5), (0, 1)) for t, one in enumerate(disparity)])
    return frames, disparity, moved


def error(found: torch.Tensor, disparity: torch.Tensor) -> float:
    return (found - disparity).abs().mean().item()


def test_the_shipped_network_moves_outlines_that_are_off():
    frames, disparity, moved = displaced(7)
    # Steadied, few are left to move.
    found = refine_clip(frames, moved, RefineSettings(trained=True, steady=False))
    assert error(found.disparity, disparity) < 0.95 * error(moved, disparity)
    assert found.report.replaced >= 3 and found.report.replaced_share > 0.001
    assert "pixels chosen anew in" in str(found.report)


def test_the_shipped_network_leaves_clean_maps_nearly_alone():
    frames, disparity = moving_square(7, 2)
    found = refine_clip(frames, disparity, TRAINED)
    assert ((found.disparity - disparity).abs() > 0.01).float().mean() < 0.004


def test_clean_maps_pass_bit_for_bit_where_the_network_keeps_them(told: Tell):
    told(KEEP)
    frames, disparity = moving_square(7, 2)
    found = refine_clip(frames, disparity, TRAINED)
    assert torch.equal(found.disparity, disparity)
    assert found.report.replaced == 0


def test_the_stream_gives_what_the_function_gives(told: Tell):
    told(Always(AGREED))
    frames, _, moved = displaced(5)
    refiner = DisparityRefiner(TRAINED)
    maps = [one for pair in zip(frames, moved, strict=True) for one in refiner.add(*pair)] + refiner.finish()
    streamed = torch.stack([in_span(one, t, refiner.spans()) for t, one in enumerate(maps)])
    found = refine_clip(frames, moved, TRAINED)
    assert torch.equal(streamed, found.disparity)
    assert found.report.replaced == 5


def test_nothing_is_taken_from_beyond_a_cut_nor_where_no_neighbour_is(told: Tell):
    told(Always(AGREED))
    frames = torch.stack([textured(48, 64, 1)] * 3 + [1 - textured(48, 64, 2)] * 3)
    disparity = torch.rand(6, 48, 64, generator=torch.Generator().manual_seed(0))
    disparity[3:] = disparity[3]
    cuts = iter([False, False, True, False, False])
    found = refine_clip(frames, disparity, ALONE, is_cut=lambda before, frame: next(cuts)).disparity
    # The three after the cut are alike, so what they agree on is what they have.
    assert torch.allclose(found[3:], disparity[3:], atol=1e-3)
    alone = refine_clip(frames[:1], disparity[:1], ALONE).disparity
    assert torch.equal(alone, disparity[:1])


def test_without_limbs_nothing_is_asked(told: Tell):
    told(Always(AGREED))
    frames, _, moved = displaced(3)
    off = RefineSettings(outlines=False, steady=False, limbs=False, banding=False, trained=True)
    found = refine_clip(frames, moved, off)
    assert torch.equal(found.disparity, moved)
    assert "chosen anew" not in str(found.report)


def test_limbs_alone_take_what_the_neighbours_have(told: Tell):
    told(Always(AGREED))
    frames, disparity = moving_square(5)
    thin = disparity.clone()
    # Too thin for the rule, which thinks that motion may have moved it.
    thin[2, 30:60, 100:104] = 0.8
    settings = RefineSettings(outlines=False, steady=False, limbs=True, banding=False, trained=True)
    assert (refine_clip(frames, thin, settings).disparity - disparity).abs().max() < 1e-3
