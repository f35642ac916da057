"""Window plans, fusion weights and decode plans against hand-computed values."""

import math
from itertools import pairwise

import pytest
import torch

from bokeh_core.windows import (
    LatentFusion,
    fuse_windows,
    longest,
    overlap_weights,
    plan_decode,
    plan_windows,
)

HALF_ROOT = math.sqrt(2) / 4  # cos(pi/4) / 2


def weights_per_window(num_frames: int, window: int = 8, overlap: int = 4) -> torch.Tensor:
    """[windows, frames]: what fusing gives when one window is all ones and the others are zero."""
    plan = plan_windows(num_frames, window, overlap)
    rows = []
    for k in range(len(plan)):
        latents = [torch.full((w.stop - w.start, 1), float(i == k)) for i, w in enumerate(plan)]
        rows.append(fuse_windows(latents, plan)[:, 0])
    return torch.stack(rows)


@pytest.mark.parametrize(
    ("num_frames", "expected"),
    [
        (1, [(0, 1)]),
        (5, [(0, 5)]),
        (8, [(0, 8)]),
        (9, [(0, 8), (1, 9)]),
        (12, [(0, 8), (4, 12)]),
        (13, [(0, 8), (4, 12), (5, 13)]),
        (20, [(0, 8), (4, 12), (8, 16), (12, 20)]),
        (21, [(0, 8), (4, 12), (8, 16), (12, 20), (13, 21)]),
    ],
)
def test_plan(num_frames, expected):
    assert plan_windows(num_frames) == expected


def test_plan_with_other_settings():
    assert plan_windows(10, window=4, overlap=0) == [(0, 4), (4, 8), (6, 10)]
    assert plan_windows(7, window=4, overlap=3) == [(0, 4), (1, 5), (2, 6), (3, 7)]
    assert plan_windows(3, window=1, overlap=0) == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("num_frames", range(1, 41))
def test_every_length(num_frames):
    plan = plan_windows(num_frames)
    assert {frame for start, stop in plan for frame in range(start, stop)} == set(range(num_frames))
    assert {stop - start for start, stop in plan} == {min(num_frames, 8)}
    assert all(later.start > earlier.start for earlier, later in pairwise(plan))
    # All but a moved-back last window overlap by 4; that one by 5, 6 or 7.
    overlaps = [earlier.stop - later.start for earlier, later in pairwise(plan)]
    assert all(overlap == 4 for overlap in overlaps[:-1])
    if overlaps:
        assert overlaps[-1] == 4 + (-num_frames) % 4
    weights = weights_per_window(num_frames)
    assert torch.allclose(weights.sum(dim=0), torch.ones(num_frames), atol=1e-6)
    assert weights.min() >= 0


def test_weights_of_an_overlap_of_four():
    expected = torch.tensor([1.0, 0.5 + HALF_ROOT, 0.5, 0.5 - HALF_ROOT])
    assert torch.allclose(overlap_weights(4), expected, atol=1e-7)
    assert overlap_weights(0).shape == (0,)


def test_weights_of_two_full_windows():
    g1 = 0.5 + HALF_ROOT
    expected = torch.tensor(
        [
            [1, 1, 1, 1, 1, g1, 0.5, 1 - g1, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 1 - g1, 0.5, g1, 1, 1, 1, 1],
        ]
    )
    assert torch.allclose(weights_per_window(12), expected, atol=1e-6)


def test_weights_of_a_ragged_tail():
    # 10 frames: windows 0-7 and 2-9 share six frames, 2 to 7, with g_j = (1 + cos(pi j / 6)) / 2.
    root3 = math.sqrt(3) / 4
    g = [1, 0.5 + root3, 0.75, 0.5, 0.25, 0.5 - root3]
    expected = torch.tensor([[1, 1, *g, 0, 0], [0, 0, *(1 - value for value in g), 1, 1]])
    assert torch.allclose(weights_per_window(10), expected, atol=1e-6)


def test_a_ragged_tail_blends_with_what_two_windows_already_made():
    # 14 frames: windows 0-7, 4-11 and, moved back, 6-13. Frames 6 and 7 are in all three: the first two blend
    # with g_2 and g_3 of an overlap of 4, then the third comes in with g_0 and g_1 of an overlap of 6.
    weights = weights_per_window(14)
    g3_of_4, g1_of_6 = 0.5 - HALF_ROOT, 0.5 + math.sqrt(3) / 4
    assert torch.allclose(weights[:, 6], torch.tensor([0.5, 0.5, 0.0]), atol=1e-6)
    expected = torch.tensor([g3_of_4 * g1_of_6, (1 - g3_of_4) * g1_of_6, 1 - g1_of_6])
    assert torch.allclose(weights[:, 7], expected, atol=1e-6)


def test_fusion_of_latents_keeps_shape_and_reduced_precision_out():
    plan = plan_windows(12)
    latents = torch.stack([torch.full((8, 4, 2, 3), 1.0), torch.full((8, 4, 2, 3), 3.0)]).half()
    fused = fuse_windows(latents, plan)
    assert fused.shape == (12, 4, 2, 3)
    assert fused.dtype == torch.float32
    assert torch.allclose(fused[6], torch.tensor(2.0))
    # The second window's weight at frame 5 is (1 - cos(pi/4)) / 2.
    assert torch.allclose(fused[5], torch.tensor(1 + 2 * (0.5 - HALF_ROOT)), atol=1e-6)


def test_frames_become_final_in_order():
    plan = plan_windows(13)
    fusion = LatentFusion(plan)
    assert fusion.final_frames == 0
    finals = []
    for _ in plan:
        fusion.add(torch.zeros(8, 1))
        finals.append(fusion.final_frames)
    assert finals == [4, 5, 13]


def test_frames_that_are_not_final_are_not_given_out():
    fusion = LatentFusion(plan_windows(12))
    fusion.add(torch.zeros(8, 1))
    assert fusion.frames(0, 4).shape == (4, 1)
    with pytest.raises(ValueError, match="Frames 0 to 4 were asked for; 4 are final"):
        fusion.frames(0, 5)


def test_final_frames_can_be_dropped():
    plan = plan_windows(40)
    fusion = LatentFusion(plan)
    whole: list[torch.Tensor] = []
    latents = [torch.randn(8, 2, generator=torch.Generator().manual_seed(k)) for k in range(len(plan))]
    held = []
    for window_latents in latents:
        fusion.add(window_latents)
        final = fusion.final_frames
        whole.append(fusion.frames(sum(map(len, whole)), final))
        # Half a window of frames that the next window changes is asked to go as well, and stays.
        fusion.drop_before(final + 4)
        held.append(len(fusion._frames))
    assert torch.equal(torch.cat(whole), fuse_windows(latents, plan))
    assert max(held) == 4
    with pytest.raises(ValueError, match="Frames from 30 on were asked for; those before 40 are gone"):
        fusion.frames(30, 40)


@pytest.mark.parametrize(("num_frames", "overlap", "first"), [(20, 4, 2), (21, 5, 3), (22, 7, 6), (24, 0, 1)])
def test_fusion_that_begins_later_agrees_from_there_on(num_frames, overlap, first):
    plan = plan_windows(num_frames, overlap=overlap)
    latents = [torch.randn(8, 2, generator=torch.Generator().manual_seed(k)) for k in range(len(plan))]
    whole = fuse_windows(latents, plan)
    fusion = LatentFusion(plan, first)
    for window_latents in latents[first:]:
        fusion.add(window_latents)
    # What the windows before hold is not known.
    begin = plan[first - 1].stop
    assert torch.equal(fusion.frames(begin, num_frames), whole[begin:])
    with pytest.raises(ValueError, match=f"those before {begin} are gone"):
        fusion.frames(begin - 1, num_frames)


@pytest.mark.parametrize(
    ("num_frames", "expected"),
    [
        (1, [(0, 1, 0)]),
        (5, [(0, 5, 0)]),
        (8, [(0, 8, 0)]),
        (9, [(0, 8, 0), (1, 9, 8)]),
        (16, [(0, 8, 0), (8, 16, 8)]),
        (20, [(0, 8, 0), (8, 16, 8), (12, 20, 16)]),
        (21, [(0, 8, 0), (8, 16, 8), (13, 21, 16)]),
    ],
)
def test_decode_plan(num_frames, expected):
    assert plan_decode(num_frames) == expected


@pytest.mark.parametrize("join_rest", [False, True])
@pytest.mark.parametrize("num_frames", range(1, 41))
def test_decode_plan_gives_every_frame_once(num_frames, join_rest):
    plan = plan_decode(num_frames, join_rest=join_rest)
    kept = [frame for call in plan for frame in range(call.keep_from, call.stop)]
    assert kept == list(range(num_frames))


def test_a_rest_joins_the_last_call_and_window():
    assert plan_decode(7, join_rest=True) == [(0, 7, 0)]
    assert plan_decode(12, join_rest=True) == [(0, 12, 0)]
    assert plan_decode(16, join_rest=True) == [(0, 8, 0), (8, 16, 8)]
    assert plan_decode(23, join_rest=True) == [(0, 8, 0), (8, 23, 8)]
    assert plan_windows(7, overlap=0, join_rest=True) == [(0, 7)]
    assert plan_windows(23, overlap=0, join_rest=True) == [(0, 8), (8, 23)]
    # Windows of 8 that share 4 begin every 4 frames: three are left over.
    assert plan_windows(15, overlap=4, join_rest=True) == [(0, 8), (4, 15)]
    assert (longest(plan_windows(15, overlap=4, join_rest=True)), longest(plan_decode(16))) == (11, 8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "length of the clip is 0 frames; it must be 1 to 10000000 frames"),
        ((8, 0), "window is 0 frames"),
        ((8, 8, 8), "overlap is 8 frames; it must be 0 to 7 frames"),
        ((8, 8, -1), "overlap is -1 frames"),
    ],
)
def test_settings_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        plan_windows(*arguments)


def test_latents_that_do_not_fit_the_plan():
    plan = plan_windows(12)
    with pytest.raises(ValueError, match="1 windows of latents for a plan of 2"):
        fuse_windows([torch.zeros(8, 1)], plan)
    with pytest.raises(ValueError, match="Window 0 has 7 frames of latents; frames 0 to 7 need 8"):
        fuse_windows([torch.zeros(7, 1), torch.zeros(8, 1)], plan)
    with pytest.raises(ValueError, match=r"Window 1 has latents of shape \(2,\)"):
        fuse_windows([torch.zeros(8, 1), torch.zeros(8, 2)], plan)
    fusion = LatentFusion(plan_windows(3))
    fusion.add(torch.zeros(3, 1))
    with pytest.raises(ValueError, match="All 1 windows are fused"):
        fusion.add(torch.zeros(3, 1))
    with pytest.raises(ValueError, match="0 frames in calls of 8"):
        plan_decode(0)
