"""Lens blur between black bars is lens blur of the picture alone."""

import pytest
import torch

from bokeh_core.clip.letterbox import PictureArea
from bokeh_core.lens import lens_blur
from bokeh_core.lens.bars import blur_between_bars

AREA = PictureArea(6, 42, 0, 64)


def clip() -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    frames = torch.zeros(2, 48, 64, 3)
    AREA.of(frames, 1).copy_(torch.rand((2, 36, 64, 3), generator=random))
    return frames, torch.rand((2, 48, 64), generator=random)


def test_the_picture_is_blurred_alone_and_bars_stay_black():
    frames, disparity = clip()
    focus, strength = torch.tensor([0.3]), torch.tensor([6.0])
    found = blur_between_bars(frames, disparity, focus, strength)
    expected = lens_blur(AREA.of(frames, 1), AREA.of(disparity, 1), focus, strength)
    assert torch.equal(AREA.of(found, 1), expected)
    assert not found[:, :6].any() and not found[:, 42:].any()
    # As part of the picture, bars take light and give darkness.
    spilt = blur_between_bars(frames, disparity, focus, strength, black_bars="blur too")
    assert torch.equal(spilt, lens_blur(frames, disparity, focus, strength))
    assert spilt[:, 4].max().item() > 0.1


def test_a_protect_mask_and_one_map_for_all():
    frames, disparity = clip()
    focus, strength, protect = torch.tensor([0.3]), torch.tensor([6.0]), torch.zeros(1, 48, 64)
    protect[:, 20:30, 20:30] = 1
    found = blur_between_bars(frames, disparity[:1], focus, strength, protect=protect)
    assert torch.equal(found[:, 20:30, 20:30], frames[:, 20:30, 20:30])


def test_maps_of_another_size_are_told_as_ever():
    frames, disparity = clip()
    with pytest.raises(ValueError, match="disparity is 32 x 24 px but the frames are 64 x 48 px"):
        blur_between_bars(frames, disparity[:, ::2, ::2], torch.tensor([0.3]), torch.tensor([6.0]))
    with pytest.raises(ValueError, match="black_bars is 'keep'"):
        blur_between_bars(frames, disparity, torch.tensor([0.3]), torch.tensor([6.0]), black_bars="keep")
