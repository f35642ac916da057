"""Maps mended by networks whose answer is known."""

from dataclasses import replace

import pytest
import torch

from bokeh_core.disparity.refine.trained import mend
from bokeh_core.disparity.refine.trained.candidates import candidates
from bokeh_core.disparity.refine.trained.evidence import Witnesses, shown, without_witnesses, witnesses_of
from bokeh_core.disparity.refine.trained.mend import mended
from tests.core.disparity.refine.stand_ins import AGREED, KEEP, agreed_place, always, own_place, undecided


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def agreeing(own: torch.Tensor, agreed: torch.Tensor) -> Witnesses:
    """What is known of a map [h, w] where the frames around agree on another."""
    return replace(without_witnesses(own[None]), agreed=agreed[None])


def test_a_pixel_that_the_network_keeps_is_kept_to_the_bit():
    own, agreed = noise(20, 30), noise(20, 30, seed=1)
    found, share = mended(own, own, own, noise(20, 30, 3), agreeing(own, agreed), KEEP)
    assert found is own
    assert share == 0.0


def test_places_grow_with_the_frame():
    own, small, agreed = noise(40, 60), noise(20, 30, seed=1), noise(20, 30, seed=2)
    witnesses, network = agreeing(small, agreed), always(agreed_place(0, 3))
    found, share = mended(own, small, small, noise(20, 30, 3), witnesses, network)
    doubled = agreed.repeat_interleave(2, 0).repeat_interleave(2, 1)
    assert torch.equal(found[:, :54], doubled[:, 6:])
    assert share > 0.99


@pytest.mark.parametrize(("y", "x"), [(0, 0), (3, 0), (-2, 2)])
def test_neighbours_in_time_give_theirs(y: int, x: int):
    own, agreed = noise(20, 30), noise(20, 30, seed=1)
    found, _ = mended(own, own, own, noise(20, 30, 3), agreeing(own, agreed), always(agreed_place(y, x)))
    rows, columns = torch.arange(20) + y, torch.arange(30) + x
    assert torch.equal(found, agreed[rows.clamp(0, 19)][:, columns.clamp(0, 29)])


def test_nothing_is_taken_from_elsewhere_in_the_map_itself():
    own, agreed = noise(20, 30), torch.full((20, 30), 0.5)
    # What is left is as likely as each other, so the median is what the frames around have.
    found, _ = mended(own, own, own, noise(20, 30, 3), agreeing(own, agreed), always(own_place(0, 1)))
    assert torch.equal(found, agreed)


def test_many_pixels_are_decided_in_parts(monkeypatch: pytest.MonkeyPatch):
    own, network = noise(24, 40), undecided()
    witnesses = agreeing(own, noise(24, 40, seed=1))
    whole, _ = mended(own, own, own, noise(24, 40, 3), witnesses, network)
    monkeypatch.setattr(mend, "_AT_ONCE", 7)
    parts, _ = mended(own, own, own, noise(24, 40, 3), witnesses, network)
    assert not torch.equal(whole, own)
    assert torch.equal(parts, whole)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 40), (5, 7), (33, 17)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size(size: tuple[int, int], channels: int):
    network = undecided()
    own, agreed = noise(*size), noise(*size, seed=1)
    found, _ = mended(own, own, own, noise(*size, channels), agreeing(own, agreed), network)
    assert found.shape == size
    assert min(own.min(), agreed.min()) <= found.min() and found.max() <= max(own.max(), agreed.max())


def test_candidates_are_in_the_order_of_their_places():
    own = noise(1, 9, 11)
    found = candidates(own, own + 1)
    assert torch.equal(found[0, 0], own[0]) and torch.equal(found[0, AGREED], own[0] + 1)
    assert torch.equal(found[0, own_place(2, -2), :7, 2:], own[0, 2:, :-2])
    assert torch.equal(found[0, agreed_place(0, 1), :, :-1], own[0, :, 1:] + 1)


def test_witnesses_count_by_trust_and_hints_by_colour():
    own = torch.full((1, 3), 0.5)
    seen = torch.tensor([[[0.2, 0.2, 0.2]], [[0.3, 0.3, 0.3]], [[0.9, 0.9, 0.9]]])
    trust = torch.tensor([[[1.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]]])
    # Only the last is of the frame's colour in the second pixel, none in the third.
    difference = torch.tensor([[[0.0, 1.0, 1.0]], [[0.0, 1.0, 1.0]], [[0.0, 0.0, 1.0]]])
    found = witnesses_of(own, seen, trust, difference)
    assert found.agreed[0, 0].tolist() == pytest.approx([0.3, 0.9, 0.5])
    assert found.mean[0, 0].tolist() == pytest.approx([1.4 / 3, 0.9, 0.5])
    assert found.spread[0, 0].tolist() == pytest.approx([0.7 / 3, 0, 0])
    assert found.trust[0, 0].tolist() == pytest.approx([0.5, 0, 0])
    assert found.alike[0, 0].tolist() == pytest.approx([0.5, 1 / 6, 0])


def test_faint_outlines_look_like_strong_ones():
    own = noise(1, 16, 16)
    strong, faint = (
        shown(noise(1, 3, 16, 16), v, v, without_witnesses(v)).planes for v in (own, 0.2 * own + 0.4)
    )
    assert torch.allclose(strong[:, 3:6], faint[:, 3:6], atol=1e-5)
    assert torch.allclose(strong[:, 6], faint[:, 6] / 0.2**0.5, atol=1e-5)
