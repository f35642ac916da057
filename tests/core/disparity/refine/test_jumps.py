"""Outlines that jump from frame to frame before a wall that moves, whose true place is known."""

import cv2
import numpy as np
import pytest
import torch

from bokeh_core.disparity.refine import RefineSettings, refine_clip
from tests.core.disparity.refine.scenes import textured

STEADY = RefineSettings(outlines=False, limbs=False, banding=False)
FRAMES, HEIGHT, WIDTH, SIDE = 8, 112, 160, 64
NEAR, FAR = 0.8, 0.2
# The square moves down and to the right, the wall to the left.
STEP_PX, WALL_PX = (1, 3), 2


def scene(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Frames [T, H, W, 3] and disparity [T, H, W] of a square before a wall."""
    wall = textured(HEIGHT, WIDTH + FRAMES * WALL_PX, seed + 1) * 0.5
    square = textured(SIDE, SIDE, seed + 2) * 0.5 + 0.5
    frames, maps = [], []
    for t in range(FRAMES):
        frame = wall[:, t * WALL_PX : t * WALL_PX + WIDTH].clone()
        disparity = torch.full((HEIGHT, WIDTH), FAR)
        rows, columns = inside(t)
        frame[rows, columns], disparity[rows, columns] = square, NEAR
        frames.append(frame)
        maps.append(disparity)
    return torch.stack(frames), torch.stack(maps)


def inside(t: int) -> tuple[slice, slice]:
    top, left = 20 + STEP_PX[0] * t, 30 + STEP_PX[1] * t
    return slice(top, top + SIDE), slice(left, left + SIDE)


def jumping(maps: torch.Tensor, deviation_px: float = 1.0, seed: int = 0) -> torch.Tensor:
    """Every frame's pixels moved by smooth noise of its own."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    moved = []
    for one in maps.numpy():
        coarse = random.standard_normal((2, HEIGHT // 4, WIDTH // 4)).astype(np.float32) * deviation_px
        right, down = (cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) for noise in coarse)
        moved.append(cv2.remap(one, x + right, y + down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    return torch.from_numpy(np.stack(moved))


def error(found: torch.Tensor, truth: torch.Tensor) -> float:
    return (found - truth).abs().mean().item()


def test_jumping_outlines_come_to_rest():
    frames, truth = scene()
    given = jumping(truth)
    found = refine_clip(frames, given, STEADY)
    # The mean of 4 to 7 frames that are off by as much.
    assert error(found.disparity, truth) < 0.6 * error(given, truth)
    assert found.disparity.amin() >= FAR - 1e-6 and found.disparity.amax() <= NEAR + 1e-6
    assert found.report.settled == FRAMES
    assert "jumping outlines settled in 8" in str(found.report)


def test_they_do_where_maps_flicker_too():
    frames, truth = scene()
    given = jumping(truth)
    in_front = given > 0.5
    given[1::2] *= 0.9
    found = refine_clip(frames, given, STEADY)
    assert found.report.settled == FRAMES
    assert ((found.disparity > 0.48) != (truth > 0.5)).sum() < 0.6 * (in_front != (truth > 0.5)).sum()


def test_outlines_that_hold_still_pass_bit_for_bit():
    frames, truth = scene()
    found = refine_clip(frames, truth, STEADY)
    assert torch.equal(found.disparity, truth)
    assert found.report.settled == 0 and "jumping" not in str(found.report)


def test_outlines_that_are_wrong_alike_in_all_frames_are_left():
    frames, truth = scene()
    wrong = truth.clone()
    for t in range(FRAMES):
        rows, columns = inside(t)
        wrong[t, rows.start + 20 : rows.start + 30, columns.stop : columns.stop + 2] = NEAR
    assert torch.equal(refine_clip(frames, wrong, STEADY).disparity, wrong)


def test_a_wire_that_jumps_is_not_eaten():
    frames, truth = scene()
    wire = torch.zeros(FRAMES, HEIGHT, WIDTH, dtype=torch.bool)
    for t in range(FRAMES):
        rows, columns = inside(t)
        # Up from the square, a px to the left and to the right in turns.
        wire[t, 2 : rows.start, columns.start + 30 + t % 3 - 1] = True
    given = jumping(truth)
    given[wire] = NEAR
    found = refine_clip(frames, given, STEADY)
    assert found.report.settled == FRAMES
    # Where it leaves the square it is part of its outline.
    assert bool((found.disparity[:, 2:12][wire[:, 2:12]] == NEAR).all())


def test_nothing_is_taken_from_beyond_a_cut():
    frames, truth = scene()
    others, elsewhere = scene(seed=7)
    elsewhere = elsewhere.flip(2)
    given = jumping(torch.cat([truth, elsewhere]))
    both = refine_clip(torch.cat([frames, others.flip(2)]), given, STEADY)
    alone = refine_clip(frames, given[:FRAMES], STEADY)
    assert both.report.shots == 2 and both.report.settled == 2 * FRAMES
    assert torch.equal(both.disparity[:FRAMES], alone.disparity)


def test_an_outline_that_few_frames_know_stays():
    frames, truth = scene()
    given = jumping(truth)[:2]
    found = refine_clip(frames[:2], given, STEADY)
    assert torch.equal(found.disparity, given)


@pytest.mark.parametrize("size", [(1, 1), (9, 40), (20, 20)])
def test_small_and_flat_maps(size: tuple[int, int]):
    frames = torch.rand(4, *size, 3, generator=torch.Generator().manual_seed(3))
    noise = torch.rand(4, *size, generator=torch.Generator().manual_seed(4))
    for given in (noise, torch.full((4, *size), 0.4)):
        found = refine_clip(frames, given, STEADY).disparity
        assert found.shape == given.shape and bool(found.isfinite().all())
