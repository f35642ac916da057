"""Faults that differ from frame to frame, against maps worked out by hand."""

import numpy as np
import pytest
import torch

from bokeh_lab.evaluate.faults import FAULTS, smooth_noise
from bokeh_lab.evaluate.perturb import measured_focus, perturb


def clip(frames: int = 6) -> torch.Tensor:
    """The same map in every frame: a square at 0.6 before a background at 0.2."""
    one = torch.full((40, 60), 0.2)
    one[10:30, 20:40] = 0.6
    return one.expand(frames, -1, -1).contiguous()


@pytest.mark.parametrize("name", ["flicker", "outline_jitter", "wobble", "torn_limb", "everything"])
def test_equal_frames_become_different_ones(name):
    spoilt = perturb(clip(), name, 0)
    assert not torch.equal(spoilt[0], spoilt[1])
    assert not torch.equal(perturb(clip(), name, 1), spoilt)


def test_flicker_is_one_scale_and_one_shift_a_frame():
    spoilt = perturb(clip(400), "flicker", 2)
    near, far = spoilt[:, 20, 30], spoilt[:, 0, 0]
    assert torch.equal(spoilt[:, 12, 22], near)
    scale = (near - far) / 0.4
    shift = far - 0.2 * scale
    # The deviation of 400 draws is within 15 % of what they are drawn from, by four of its own deviations.
    assert scale.std().item() == pytest.approx(0.06, rel=0.15)
    assert shift.std().item() == pytest.approx(0.03, rel=0.15)


def test_min_max_stretches_each_frame_alone():
    maps = torch.tensor([[[0.2, 0.6]], [[0.1, 0.3]], [[0.4, 0.4]]])
    expected = torch.tensor([[[0.0, 1.0]], [[0.0, 1.0]], [[0.0, 0.0]]])
    assert torch.equal(perturb(maps, "min_max_by_frame", 0), expected)


def test_torn_limb_loses_a_fifth_of_what_is_in_front_in_every_third_frame():
    spoilt = perturb(clip(7), "torn_limb", 3)
    changed = [int((a != b).sum()) for a, b in zip(spoilt, clip(7), strict=True)]
    # The square has 20 rows of 20 px; a fifth are 4 rows.
    assert changed == [0, 80, 0, 0, 80, 0, 0]
    assert spoilt[1].unique().tolist() == pytest.approx([0.2, 0.6])


def test_torn_limb_leaves_a_map_without_anything_in_front():
    maps = torch.full((4, 8, 8), 0.5)
    assert torch.equal(perturb(maps, "torn_limb", 0), maps)


def test_jitter_moves_outlines_and_invents_no_surface():
    spoilt = perturb(clip(), "outline_jitter", 0)
    assert spoilt.min().item() == pytest.approx(0.2)
    assert spoilt.max().item() == pytest.approx(0.6)
    assert spoilt[:, 0, 0].tolist() == pytest.approx([0.2] * 6)


def test_estimator_softens_steps_and_keeps_surfaces():
    spoilt = perturb(clip(1), "estimator", 0)[0]
    assert spoilt[20, 30].item() == pytest.approx(0.6, abs=1e-3)
    assert spoilt[20, 50].item() == pytest.approx(0.2, abs=1e-3)
    assert 0.25 < spoilt[20, 19] < spoilt[20, 20] < 0.55


def test_jpeg_keeps_255_levels():
    levels = perturb(clip(1), "jpeg", 0) * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)


def test_wobble_has_a_deviation_of_2_percent():
    change = perturb(clip(), "wobble", 0) - clip()
    assert change.square().mean((1, 2)).sqrt().tolist() == pytest.approx([0.02] * 6, rel=1e-3)


def test_smooth_noise_has_no_fine_detail():
    field = smooth_noise(64, 96, 16, np.random.default_rng(0))
    assert float(np.mean(field**2)) == pytest.approx(1, rel=1e-5)
    # Cubic interpolation over 16 px changes by at most some fraction of the field's range in one px.
    assert float(np.abs(np.diff(field, axis=1)).max()) < 0.2 * float(np.ptp(field))


@pytest.mark.parametrize("name", list(FAULTS))
def test_one_frame_and_two_pixels_are_enough(name):
    maps = torch.tensor([[[0.1, 0.9], [0.1, 0.9]]])
    assert perturb(maps, name, 0).shape == maps.shape


def test_focus_moves_with_the_subject():
    clean = clip(2)
    disturbed = clean * 0.5
    subject = clean == 0.6
    subject[1] = False
    moved = measured_focus(torch.tensor([0.62, 0.62]), subject, clean, disturbed)
    # The subject goes from 0.6 to 0.3 and takes the focus with it; where none is seen, the focus stays.
    assert moved.tolist() == pytest.approx([0.32, 0.62])
