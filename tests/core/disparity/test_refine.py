"""Refine Disparity on small clips whose true disparity is known."""

import pytest
import torch

from bokeh_core.disparity.refine import DisparityRefiner, RefineSettings, refine_disparity
from bokeh_core.disparity.refine.over_time import fitted
from bokeh_core.disparity.refine.weighted_median import weighted_median

OFF = RefineSettings(steady=False, restore=False)


def scene(frames: int = 7, height: int = 48, width: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """A textured square at 0.8 before a textured background at 0.2; nothing moves."""
    texture = torch.rand(height, width, 3, generator=torch.Generator().manual_seed(1)) * 0.2
    disparity = torch.full((height, width), 0.2)
    disparity[12:36, 20:44] = 0.8
    picture = texture + 0.7 * (disparity[..., None] > 0.5)
    return picture.expand(frames, -1, -1, -1).clone(), disparity.expand(frames, -1, -1).clone()


def test_everything_off_is_bit_for_bit():
    frames, disparity = scene()
    noisy = torch.rand(disparity.shape, generator=torch.Generator().manual_seed(2))
    assert torch.equal(refine_disparity(frames, noisy, OFF), noisy)


def test_a_clean_still_clip_passes():
    frames, disparity = scene()
    assert torch.allclose(refine_disparity(frames, disparity), disparity, atol=1e-5)


def test_a_torn_band_comes_back_from_other_frames():
    frames, disparity = scene()
    torn = disparity.clone()
    torn[3, 20:26, 20:44] = 0.2
    assert torch.allclose(refine_disparity(frames, torn), disparity, atol=1e-3)


def test_a_frame_of_another_shift_is_brought_to_the_mean_of_its_window():
    frames, disparity = scene(3)
    disparity[1] += 0.06
    refined = refine_disparity(frames, disparity)
    # Shifts of 0, 0.06 and 0 have the mean 0.02, and every frame sees all three.
    assert torch.allclose(refined[:, 0, 0], torch.full((3,), 0.22), atol=1e-4)
    assert torch.allclose(refined[:, 24, 30], torch.full((3,), 0.82), atol=1e-4)


def test_nothing_is_taken_from_beyond_a_cut():
    frames, disparity = scene(6)
    frames[3:] = 1 - frames[3:]
    disparity[3:] = 1 - disparity[3:]
    assert torch.allclose(refine_disparity(frames, disparity), disparity, atol=1e-5)


def test_cuts_in_every_frame_leave_maps_alone():
    frames, disparity = scene(5)
    frames[1::2] = 1 - frames[1::2]
    noisy = torch.rand(disparity.shape, generator=torch.Generator().manual_seed(3))
    settings = RefineSettings(reach_frames=1)
    assert torch.equal(refine_disparity(frames, noisy, settings), noisy)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_black_frames_and_flat_maps_stay_flat(level):
    frames, disparity = torch.zeros(4, 20, 30, 3), torch.full((4, 20, 30), level)
    assert torch.equal(refine_disparity(frames, disparity), disparity)


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (20, 30)])
def test_one_frame_and_small_frames(size):
    frames = torch.rand(1, *size, 3, generator=torch.Generator().manual_seed(0))
    disparity = torch.full((1, *size), 0.4)
    assert torch.equal(refine_disparity(frames, disparity), disparity)


def test_one_map_serves_all_frames():
    frames, disparity = scene(3)
    assert refine_disparity(frames, disparity[:1]).shape == disparity.shape


def test_the_stream_gives_what_the_function_gives_after_its_delay():
    frames, disparity = scene(6)
    disparity += 0.05 * torch.rand(6, 1, 1, generator=torch.Generator().manual_seed(4))
    settings = RefineSettings(reach_frames=2)
    refiner = DisparityRefiner(settings)
    counts, maps = [], []
    for frame, one in zip(frames, disparity, strict=True):
        given = list(refiner.add(frame, one))
        counts.append(len(given))
        maps += given
    maps += refiner.finish()
    assert counts == [0, 0, 1, 1, 1, 1]
    assert torch.equal(torch.stack(maps), refine_disparity(frames, disparity, settings))


def test_only_a_window_of_frames_takes_part():
    frames, disparity = scene(9)
    settings = RefineSettings(reach_frames=2)
    spoilt = disparity.clone()
    spoilt[8] = 0.5
    first, second = (refine_disparity(frames, maps, settings) for maps in (disparity, spoilt))
    assert torch.equal(first[:6], second[:6])


def test_weighted_median_is_the_value_at_half_of_the_weight():
    values = torch.tensor([[3.0, 1.0], [1.0, 2.0], [2.0, 9.0]])
    weights = torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 5.0]])
    assert weighted_median(values, weights).tolist() == [2.0, 9.0]


def test_fit_finds_scale_and_shift_past_outliers():
    own = torch.linspace(0, 0.8, 400).view(20, 20)
    other = 1.1 * own + 0.05
    other[:3] = 0.0
    fit = fitted(own, other, torch.ones(20, 20))
    assert fit.scale == pytest.approx(1.1, abs=0.01)
    assert fit.shift == pytest.approx(0.05, abs=0.01)


def test_fit_without_trust_changes_nothing():
    fit = fitted(torch.rand(4, 4), torch.rand(4, 4), torch.zeros(4, 4))
    assert (fit.scale, fit.shift) == (1.0, 0.0)


def test_what_cannot_be_refined_is_refused():
    frames, disparity = scene(3)
    with pytest.raises(ValueError, match="2 disparity frames for 3 video frames"):
        refine_disparity(frames, disparity[:2])
    with pytest.raises(ValueError, match="the frames are 64 x 48 px"):
        refine_disparity(frames, disparity[:, :10])
    with pytest.raises(ValueError, match="reach_frames is 0"):
        RefineSettings(reach_frames=0)
