"""Refine Disparity on small clips whose true disparity is known."""

import json

import pytest
import torch

from bokeh_core.disparity.refine import (
    DisparityRefiner,
    RefineReport,
    RefineSettings,
    refine_clip,
    refine_disparity,
)
from bokeh_core.disparity.refine.flicker import COURSE_FRAMES, in_span
from bokeh_core.disparity.refine.settings import settings_named
from tests.core.disparity.refine.scenes import moving_square, textured

OFF = RefineSettings(outlines=False, steady=False, limbs=False, banding=False)


def noise(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_everything_off_is_bit_for_bit():
    frames, disparity = moving_square(3)
    spoilt = noise(tuple(disparity.shape), 2)
    found = refine_clip(frames, spoilt, OFF)
    assert torch.equal(found.disparity, spoilt)
    assert str(found.report).startswith("Of 3 frames: outlines sharpened in 0 (0.00% of all pixels)")


@pytest.mark.parametrize("step_px", [0, 2])
def test_clean_maps_pass_bit_for_bit(step_px: int):
    frames, disparity = moving_square(7, step_px)
    assert torch.equal(refine_disparity(frames, disparity), disparity)


def test_what_comes_closer_steadily_goes_on_doing_so():
    frames, disparity = moving_square(10)
    closer = disparity * torch.linspace(0.7, 1.0, 10)[:, None, None]
    assert (refine_disparity(frames, closer) - closer).abs().max().item() < 0.004


@pytest.mark.parametrize("step_px", [0, 3])
@pytest.mark.parametrize("at", [0, 3])
def test_a_torn_band_comes_back(step_px: int, at: int):
    frames, disparity = moving_square(7, step_px)
    torn = disparity.clone()
    torn[at, 40:56][torn[at, 40:56] > 0.5] = 0.2
    found = refine_clip(frames, torn)
    wrong = (found.disparity - disparity).abs() > 0.05
    # 16 of 60 rows of 60 px are torn; a px of each row's ends may stay wrong.
    assert int(wrong.sum()) <= 2 * 16
    assert torch.equal(found.disparity[at + 1 :], disparity[at + 1 :])
    assert found.report.mended == 1
    assert found.report.mended_share == pytest.approx(16 * 60 / 96 / 144 / 7, rel=0.15)


def test_a_band_that_is_torn_again_and_again_comes_back_and_whole_frames_stay_whole():
    frames, disparity = moving_square(10)
    torn = disparity.clone()
    # Two of the six neighbours of frame 4 are torn as well, and two of the four of frame 8.
    torn[1::3, 40:56] = 0.2
    found = refine_clip(frames, torn, RefineSettings(steady=False)).disparity
    assert ((found[4] - disparity[4]).abs() > 0.05).sum().item() <= 2 * 16
    whole = [0, 2, 3, 5, 6, 8, 9]
    assert torch.equal(found[whole], disparity[whole])


def test_what_one_frame_alone_shows_goes():
    frames, disparity = moving_square(7)
    ghost = disparity.clone()
    ghost[3, 5:25, 110:130] = 0.9
    assert torch.allclose(refine_disparity(frames, ghost), disparity, atol=1e-4)


def test_what_is_elsewhere_nearby_in_one_frame_has_moved():
    frames, disparity = moving_square(7)
    # The picture does not show it, so the flow says that it stands still.
    places = [(110, 10), (110, 10), (110, 10), (118, 14), (110, 10), (110, 10), (110, 10)]
    for one, (left, top) in zip(disparity, places, strict=True):
        one[top : top + 30, left : left + 8] = 0.6
    assert torch.equal(refine_disparity(frames, disparity, steady=False, trained=False), disparity)


def test_a_line_that_motion_may_have_moved_is_left():
    frames, disparity = moving_square(7)
    thin = disparity.clone()
    thin[3, 30:60, 90:92] = 0.8
    assert torch.equal(refine_disparity(frames, thin, trained=False), thin)


def test_a_frame_of_another_shift_is_brought_to_the_mean_and_the_shot_keeps_its_span():
    frames, disparity = moving_square(3)
    disparity[1] += 0.06
    found = refine_clip(frames, disparity)
    # Shifts of 0, 0.06 and 0 have one mean, so all frames are alike; the span was 0.2 to 0.86.
    assert torch.allclose(found.disparity[:, 0, 0], torch.full((3,), 0.2), atol=1e-3)
    assert torch.allclose(found.disparity[:, 48, 60], torch.full((3,), 0.86), atol=1e-3)
    assert found.report.rescaled == 3


def test_little_flicker_goes_and_the_span_is_that_of_the_middle():
    frames, disparity = moving_square(8)
    given = disparity + 0.01 * torch.tensor([-1.0, 1.0] * 4)[:, None, None]
    found = refine_clip(frames, given)
    # By the ends of what was given it would be from 0.19 to 0.81.
    assert torch.allclose(found.disparity, disparity, atol=4e-3)
    assert found.report.rescaled == 8


def test_frames_of_other_scales_become_alike_and_the_shot_keeps_its_span():
    frames, disparity = moving_square(5)
    disparity *= torch.tensor([1.0, 1.15, 0.9, 1.15, 1.0])[:, None, None]
    found = refine_disparity(frames, disparity)
    assert torch.allclose(found[:, 0, 0], torch.full((5,), 0.18), atol=4e-3)
    assert torch.allclose(found[:, 48, 60], torch.full((5,), 0.92), atol=4e-3)


def test_frames_around_one_that_is_off_keep_their_values():
    count = 2 * COURSE_FRAMES + 5
    frames, disparity = moving_square(count)
    disparity[0] += 0.1
    found = refine_disparity(frames, disparity)
    # Most frames are out of its reach: a stretch of the whole shot would move what was right.
    assert torch.equal(found[1 + COURSE_FRAMES :], disparity[1 + COURSE_FRAMES :])


def test_each_shot_keeps_the_span_of_its_own():
    frames, disparity = moving_square(6)
    disparity[:3] *= 0.5
    disparity[[1, 4]] += 0.06
    cuts = iter([False, False, True, False, False])
    found = refine_clip(frames, disparity, is_cut=lambda before, frame: next(cuts)).disparity
    far, near = found[:, 0, 0], found[:, 48, 60]
    assert torch.allclose(far, torch.tensor([0.1, 0.1, 0.1, 0.2, 0.2, 0.2]), atol=1e-3)
    assert torch.allclose(near, torch.tensor([0.46, 0.46, 0.46, 0.86, 0.86, 0.86]), atol=1e-3)


def test_a_frame_without_depth_stretches_nothing():
    frames, disparity = moving_square(4)
    disparity *= torch.tensor([0.5, 0.55, 0.5, 0.52])[:, None, None]
    disparity[3, :4, :4] = 1.0
    # From 0.1 to 1 is more than twice the span of all else: no flicker.
    found = refine_disparity(frames, disparity)
    assert 0.38 < found[:, 48, 60].min().item() < found[:, 48, 60].max().item() < 0.46


def test_a_wave_of_one_frame_is_taken_out():
    frames, disparity = moving_square(7)
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(144.0), indexing="ij")
    bump = 0.04 * torch.exp(-((y - 80).square() + (x - 115).square()) / (2 * 20.0**2))
    waved = disparity.clone()
    waved[3] += bump
    found = refine_clip(frames, waved, RefineSettings(limbs=False))
    assert (found.disparity[3] - disparity[3]).square().sum() < 0.25 * bump.square().sum()
    assert found.report.levelled >= 1


@pytest.mark.parametrize("told", [True, False])
def test_nothing_is_taken_from_beyond_a_cut(told: bool):
    frames, disparity = moving_square(6)
    if not told:
        frames[3:] = 1 - frames[3:]
    disparity[3:] = 1 - disparity[3:]
    cuts = iter([False, False, True, False, False])
    found = refine_clip(frames, disparity, is_cut=lambda before, frame: told and next(cuts))
    assert torch.equal(found.disparity, disparity)
    assert found.report.shots == 2


def test_cuts_in_every_frame_leave_maps_alone():
    frames = torch.stack([textured(48, 64, seed) for seed in range(5)])
    frames[1::2] = 1 - frames[1::2]
    spoilt = noise((5, 48, 64), 3)
    found = refine_clip(frames, spoilt, RefineSettings(outlines=False), is_cut=lambda before, frame: True)
    assert torch.equal(found.disparity, spoilt)
    assert found.report.shots == 5


def test_frames_that_are_all_of_other_shots_say_that_nothing_can_be_steadied():
    frames = torch.stack([textured(48, 64, seed) for seed in range(3)])
    frames[1] = 1 - frames[1]
    maps = noise((3, 48, 64), 3)
    found = refine_clip(frames, maps, RefineSettings(outlines=False))
    assert torch.equal(found.disparity, maps)
    assert "No frame can be followed into another" in str(found.report)
    alone = refine_clip(frames[:1], maps[:1])
    assert str(alone.report).startswith("Of 1 frame: ") and "No frame can be followed" in str(alone.report)
    moving = refine_clip(*moving_square(3))
    assert "No frame can be followed" not in str(moving.report)


def test_flicker_in_a_fade_is_steadied_and_black_frames_are_left():
    frames, disparity = moving_square(9)
    faded = frames * torch.linspace(1, 0, 9)[:, None, None, None]
    flickering = disparity + 0.05 * noise((9, 1, 1), 4)
    found = refine_disparity(faded, flickering)
    assert found.isfinite().all()
    # The last frame is black, so nothing follows it; all before it come onto one scale.
    level = found[:8, 0, 0]
    assert level.std() < 0.4 * flickering[:8, 0, 0].std()


def test_a_fade_to_black_leaves_clean_maps_alone():
    frames, disparity = moving_square(9)
    faded = frames * torch.linspace(1, 0, 9)[:, None, None, None]
    assert torch.equal(refine_disparity(faded, disparity), disparity)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_black_frames_and_flat_maps_stay_flat(level: float):
    frames, disparity = torch.zeros(4, 20, 30, 3), torch.full((4, 20, 30), level)
    assert torch.equal(refine_disparity(frames, disparity), disparity)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (5, 7), (20, 30)])
@pytest.mark.parametrize("count", [1, 3])
def test_one_frame_and_small_frames(size: tuple[int, int], count: int):
    frames = noise((1, *size, 3), 0).expand(count, -1, -1, -1)
    disparity = torch.full((count, *size), 0.4)
    assert torch.equal(refine_disparity(frames, disparity), disparity)


def test_large_frames_are_looked_at_small_and_mended_in_full():
    frames, disparity = moving_square(4)
    size = (768, 1152)
    frames = torch.nn.functional.interpolate(frames.movedim(-1, 1), size).movedim(1, -1)
    disparity = torch.nn.functional.interpolate(disparity[:, None], size)[:, 0]
    torn = disparity.clone()
    torn[2, 320:448][torn[2, 320:448] > 0.5] = 0.2
    found = refine_disparity(frames, torn)
    assert torch.equal(found[[0, 1, 3]], disparity[[0, 1, 3]])
    # Of 128 x 480 torn px; motion is known to a px of the small frame, which is 2.25 of these.
    assert int(((found[2] - disparity[2]).abs() > 0.05).sum()) < 0.03 * 128 * 480


@pytest.mark.parametrize("first", [240, 241])
def test_a_torn_band_of_a_large_map_leaves_no_line(first: int):
    frames, disparity = moving_square(4)
    size = (576, 1024)
    frames = torch.nn.functional.interpolate(frames.movedim(-1, 1), size).movedim(1, -1)
    disparity = torch.nn.functional.interpolate(disparity[:, None], size)[:, 0]
    torn = disparity.clone()
    band = slice(first, first + 95)
    torn[2, band][torn[2, band] > 0.5] = 0.2
    found = refine_disparity(frames, torn, trained=False)
    # Inside of the square, where nothing but the ends of the band may be wrong.
    inside = disparity[2, 300] > 0.5
    inside[: 8 + int(inside.nonzero()[0])] = inside[int(inside.nonzero()[-1]) - 8 :] = False
    assert int((torn[2][:, inside] - disparity[2][:, inside]).abs().gt(0.05).sum()) > 95 * 100
    assert (
        not (found[2][first - 8 : first + 103, inside] - disparity[2][first - 8 : first + 103, inside])
        .abs()
        .gt(0.05)
        .any()
    )


def test_one_map_serves_all_frames():
    frames, disparity = moving_square(3)
    assert torch.equal(refine_disparity(frames, disparity[:1]), disparity)


def test_the_stream_gives_what_the_function_gives_after_its_delay():
    count = COURSE_FRAMES + 3
    frames, disparity = moving_square(count)
    disparity += 0.05 * noise((count, 1, 1), 4)
    refiner = DisparityRefiner()
    counts, maps = [], []
    for frame, one in zip(frames, disparity, strict=True):
        given = refiner.add(frame, one)
        counts.append(len(given))
        maps += given
    maps += refiner.finish()
    assert counts == [0] * COURSE_FRAMES + [1] * 3
    steadied = torch.stack([in_span(one, t, refiner.spans()) for t, one in enumerate(maps)])
    assert torch.equal(steadied, refine_disparity(frames, disparity))
    assert refiner.report.frames == count


def steadied_maps(frames: torch.Tensor, disparity: torch.Tensor) -> torch.Tensor:
    refiner = DisparityRefiner()
    maps = [one for pair in zip(frames, disparity, strict=True) for one in refiner.add(*pair)]
    return torch.stack(maps + refiner.finish())


def test_only_the_frames_of_a_window_take_part():
    count = 2 * COURSE_FRAMES + 4
    frames, disparity = moving_square(count)
    disparity += 0.05 * noise((count, 1, 1), 5)
    spoilt = disparity.clone()
    spoilt[-1] = 0.5
    first, second = (steadied_maps(frames, maps) for maps in (disparity, spoilt))
    assert torch.equal(first[: -1 - COURSE_FRAMES], second[: -1 - COURSE_FRAMES])
    assert not torch.equal(first[-1 - COURSE_FRAMES], second[-1 - COURSE_FRAMES])


def test_what_cannot_be_refined_is_refused():
    frames, disparity = moving_square(3)
    with pytest.raises(ValueError, match="2 disparity frames for 3 video frames"):
        refine_disparity(frames, disparity[:2])
    with pytest.raises(ValueError, match="the frames are 144 x 96 px"):
        refine_disparity(frames, disparity[:, :10])
    disparity[1, 3, 4] = torch.nan
    with pytest.raises(ValueError, match=r"disparity .*frame 1.*NaN|disparity .*NaN.*frame 1"):
        refine_disparity(frames, disparity)
    frames, disparity = moving_square(3)
    frames[2, 0, 0, 0] = torch.inf
    with pytest.raises(ValueError, match=r"frame 2"):
        refine_disparity(frames, disparity)


def test_progress_is_told_of_frames():
    frames, disparity = moving_square(3)
    told: list[tuple[int, int]] = []
    refine_clip(frames, disparity, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_report_counts_pixels_that_change_by_more_than_a_step_of_8_bits():
    frames, disparity = moving_square(2)
    mask = torch.zeros(2, *disparity.shape[1:])
    mask[0][disparity[0] > 0.5] = 1
    torn = disparity.clone()
    torn[0, 40:56][torn[0, 40:56] > 0.5] = 0.2
    found = refine_clip(frames, torn, OFF, subject=mask)
    share = ((found.disparity - torn).abs() > 1 / 255).float().mean().item()
    assert share > 0.01
    assert found.report.changed_share == pytest.approx(share)
    assert f"In all {share:.2%} of the pixels changed" in str(found.report)
    assert RefineReport(**json.loads(json.dumps(found.report.saved()))) == found.report


def test_parts_are_named_with_commas():
    assert settings_named("outlines, steady,limbs ,banding, trained", "refine_parts") == RefineSettings()
    assert settings_named("steady", "refine_parts").parts == ["steady"]
    assert RefineSettings(limbs=False).parts == ["outlines", "steady", "banding"]
    with pytest.raises(ValueError, match="refine_parts has ''; choose from outlines, steady, limbs"):
        settings_named("", "refine_parts")
    with pytest.raises(ValueError, match="refine_parts: trained is a part of limbs"):
        settings_named("steady, trained", "refine_parts")
