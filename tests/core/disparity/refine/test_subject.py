"""Subjects that are torn in every frame, whose true disparity is known."""

import pytest
import torch

from bokeh_core.disparity.refine import refine_clip
from bokeh_core.disparity.refine.subject import with_whole_subject
from tests.core.disparity.refine.scenes import moving_square


def subject() -> tuple[torch.Tensor, torch.Tensor]:
    """A block that slants from 0.6 to 0.8 before a wall at 0.2, and its mask; both [96, 144]."""
    disparity, mask = torch.full((96, 144), 0.2), torch.zeros(96, 144)
    disparity[16:80, 40:100] = torch.linspace(0.6, 0.8, 60)
    mask[16:80, 40:100] = 1.0
    return disparity, mask


def torn(disparity: torch.Tensor) -> torch.Tensor:
    """A band and a hole of the block at the disparity of the wall, as it is at their own column."""
    spoilt = disparity.clone()
    spoilt[60:72, 40:100] = 0.2
    spoilt[24:34, 60:70] = 0.21
    return spoilt


def test_a_torn_band_and_a_hole_get_the_disparity_of_the_subject_around():
    disparity, mask = subject()
    found = with_whole_subject(torn(disparity), mask)
    # The slant rises by 0.0034 a px; what lies around within some px is its mean.
    assert (found - disparity).abs().max().item() < 0.05
    whole = disparity == torn(disparity)
    assert torch.equal(found[whole], disparity[whole])


def test_a_whole_subject_is_handed_back():
    disparity, mask = subject()
    assert with_whole_subject(disparity, mask) is disparity


def test_a_mask_that_is_a_px_too_large_tears_nothing():
    disparity, mask = subject()
    mask[15:81, 39:101] = 1.0
    assert with_whole_subject(disparity, mask) is disparity


def test_what_stands_farther_but_before_the_wall_stays():
    disparity, mask = subject()
    disparity[16:40, 40:60] = 0.35
    assert with_whole_subject(disparity, mask) is disparity


def test_what_lies_outside_of_the_mask_stays():
    disparity, mask = subject()
    spoilt = torn(disparity)
    mask[:, 70:] = 0.0
    found = with_whole_subject(spoilt, mask)
    assert torch.equal(found[:, 70:], spoilt[:, 70:])
    assert found[66, 55].item() > 0.55


@pytest.mark.parametrize(("grey", "share"), [(0.5, 0.0), (0.75, 0.5), (1.0, 1.0)])
def test_grey_of_a_mask_counts_in_part_from_a_half_on(grey: float, share: float):
    disparity, mask = torch.full((96, 144), 0.2), torch.zeros(96, 144)
    disparity[16:80, 40:100], mask[16:80, 40:100] = 0.8, 1.0
    spoilt = disparity.clone()
    spoilt[60:72, 40:100] = 0.2
    mask[64:66, 90:98] = grey
    assert with_whole_subject(spoilt, mask)[64, 94].item() == pytest.approx(0.2 + share * 0.6, abs=1e-3)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_mask_of_nothing_or_all_changes_nothing(value: float):
    disparity = torn(subject()[0])
    assert with_whole_subject(disparity, torch.full((96, 144), value)) is disparity


def test_a_limb_torn_in_every_frame_comes_back_by_the_mask_alone():
    frames, disparity = moving_square(3)
    spoilt = disparity.clone()
    spoilt[:, 40:56][spoilt[:, 40:56] > 0.5] = 0.2
    masks = (disparity > 0.5).float()
    assert (refine_clip(frames, spoilt).disparity - disparity).abs().max().item() > 0.5
    found = refine_clip(frames, spoilt, subject=masks)
    assert torch.allclose(found.disparity, disparity, atol=1e-3)
    assert found.report.filled == 3
    assert "the subject made whole in 3" in str(found.report)
    # One mask serves all frames, and may be of another size, which makes its border grey.
    small = torch.nn.functional.interpolate(masks[:1, None], (48, 72))[0]
    found = refine_clip(frames, spoilt, subject=small)
    assert torch.allclose(found.disparity[:, :, 32:88], disparity[:, :, 32:88], atol=1e-3)


def test_masks_that_cannot_be_meant_are_refused():
    frames, disparity = moving_square(3)
    with pytest.raises(ValueError, match=r"nowhere above 0\.5; check the segmenter"):
        refine_clip(frames, disparity, subject=torch.zeros(3, 64, 64))
    with pytest.raises(ValueError, match="2 subject mask frames for 3 video frames"):
        refine_clip(frames, disparity, subject=torch.ones(2, 96, 144))
