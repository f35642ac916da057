"""Maps mended by networks whose answer is known."""

from dataclasses import replace

import pytest
import torch

from bokeh_core.disparity.refine.trained import mend
from bokeh_core.disparity.refine.trained.candidates import candidates
from bokeh_core.disparity.refine.trained.evidence import (
    CHANNELS,
    Witnesses,
    shown,
    without_witnesses,
    witnesses_of,
)
from bokeh_core.disparity.refine.trained.mend import mended
from tests.core.disparity.refine.stand_ins import AGREED, KEEP, Always, agreed_place, own_place, undecided


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def agreeing(own: torch.Tensor, agreed: torch.Tensor) -> Witnesses:
    """What is known of a map [h, w] where all frames around, which are trusted, agree on another."""
    return replace(without_witnesses(own[None]), agreed=agreed[None], trust=torch.ones_like(own[None]))


def far_and_near(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A map of one value, and what the frames around have: other values, so near that none is a speck."""
    return torch.zeros(height, width), 0.6 + 0.4 * noise(height, width, seed=1)


def test_a_pixel_that_the_network_keeps_is_kept_to_the_bit():
    own, agreed = noise(20, 30), noise(20, 30, seed=1)
    found = mended(own, own, own, noise(20, 30, 3), agreeing(own, agreed), KEEP)
    assert found is own


def test_places_grow_with_the_frame():
    own, (small, agreed) = torch.zeros(40, 60), far_and_near(20, 30)
    witnesses, network = agreeing(small, agreed), Always(agreed_place(0, 3))
    found = mended(own, small, small, noise(20, 30, 3), witnesses, network)
    doubled = agreed.repeat_interleave(2, 0).repeat_interleave(2, 1)
    assert torch.equal(found[:, :54], doubled[:, 6:])


@pytest.mark.parametrize(("y", "x"), [(0, 0), (3, 0), (-2, 2)])
def test_neighbours_in_time_give_theirs(y: int, x: int):
    own, agreed = far_and_near(20, 30)
    found = mended(own, own, own, noise(20, 30, 3), agreeing(own, agreed), Always(agreed_place(y, x)))
    rows, columns = torch.arange(20) + y, torch.arange(30) + x
    assert torch.equal(found, agreed[rows.clamp(0, 19)][:, columns.clamp(0, 29)])


def test_nothing_is_taken_from_elsewhere_in_the_map_itself():
    own, agreed = torch.full((20, 30), 0.2), torch.full((20, 30), 0.5)
    own[:, 15:] = 0.9
    # What is left is as likely as each other, so the median is what the frames around have.
    found = mended(own, own, own, noise(20, 30, 3), agreeing(own, agreed), Always(own_place(0, 1)))
    assert torch.equal(found, agreed)


def test_many_pixels_are_decided_in_parts(monkeypatch: pytest.MonkeyPatch):
    (own, agreed), network = far_and_near(24, 40), undecided()
    witnesses = agreeing(own, agreed)
    whole = mended(own, own, own, noise(24, 40, 3), witnesses, network)
    monkeypatch.setattr(mend, "_AT_ONCE", 7)
    parts = mended(own, own, own, noise(24, 40, 3), witnesses, network)
    assert not torch.equal(whole, own)
    assert torch.equal(parts, whole)


def test_only_pixels_that_the_frames_around_doubt_are_asked():
    own = torch.full((40, 60), 0.2)
    own[:, 30:] = 0.8
    agreed = own.clone()
    agreed[10:20, 26:30] = 0.8
    agreed[30:] += 0.01
    found = mended(own, own, own, noise(40, 60, 3), agreeing(own, agreed), Always(agreed_place(0, 3)))
    # What lies 3 px to the right, in the part that is doubted and 1 px around it; corners of that are specks.
    wanted = own.clone()
    wanted[9:21, 27:30] = 0.8
    wanted[10:20, 25:27] = 0.8
    assert torch.equal(found, wanted)


def test_where_no_frame_around_is_trusted_nothing_is_asked():
    own, agreed = far_and_near(20, 30)
    untrusted = replace(agreeing(own, agreed), trust=torch.full((1, 20, 30), 0.04))
    assert mended(own, own, own, noise(20, 30, 3), untrusted, Always(AGREED)) is own


@pytest.mark.parametrize(("kept", "changes_at_end"), [(0.3, False), (0.1, True)])
def test_at_the_ends_of_a_shot_a_network_must_be_surer(kept: float, changes_at_end: bool):
    own, agreed = far_and_near(20, 30)
    network = Always(AGREED, instead_of=kept)
    inside, at_end = (
        mended(own, own, own, noise(20, 30, 3), agreeing(own, agreed), network, at_end=end)
        for end in (False, True)
    )
    assert torch.equal(inside, agreed)
    assert torch.equal(at_end, agreed if changes_at_end else own)


def test_thin_things_are_not_asked_of():
    own = torch.full((40, 60), 0.2)
    own[:, 30:32] = 0.8
    agreed = torch.full((40, 60), 0.2)
    found = mended(own, own, own, noise(40, 60, 3), agreeing(own, agreed), Always(AGREED))
    assert found is own


@pytest.mark.parametrize("size", [(9, 17), (16, 24), (41, 30)])
def test_what_is_told_of_some_pixels_is_what_is_told_of_all(size: tuple[int, int]):
    network = undecided()
    planes = noise(1, CHANNELS, *size, seed=3) - 0.5
    y, x = (noise(*size, seed=4) < 0.3).nonzero(as_tuple=True)
    torch.testing.assert_close(
        network.told_at(planes, y, x), network(planes)[0][:, y, x].T, atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 40), (5, 7), (33, 17)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size(size: tuple[int, int], channels: int):
    network = undecided()
    own, agreed = noise(*size), noise(*size, seed=1)
    found = mended(own, own, own, noise(*size, channels), agreeing(own, agreed), network)
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
