"""Blurred copies against plain sums over the disk."""

import pytest
import torch
from torch import Tensor

from bokeh_core.models.small.disks import NUM_DISKS, RADII_PX, blurred_copies

from .disks import mean_over_disk


def copies_of(frames: Tensor, scale: float = 1.0, beyond_frame: bool = False) -> list[Tensor]:
    """Of each disk, [N, C, H, W]."""
    found: list[Tensor] = []
    for numbers, copies in blurred_copies(frames, scale, beyond_frame):
        assert numbers == range(len(found), len(found) + copies.shape[1])
        found += copies.unbind(1)
    return found


def test_means_over_each_narrow_disk_inside_the_frame():
    frames = torch.rand(2, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    found = copies_of(frames)
    assert len(found) == len(RADII_PX) == NUM_DISKS == 10
    for radius_px, means in zip(RADII_PX[:7], found, strict=False):
        for y, x in ((0, 0), (10, 12), (19, 3)):
            expected = mean_over_disk(frames[1], y, x, radius_px)
            assert torch.allclose(means[1, :, y, x], expected, atol=1e-5), (radius_px, y, x)


def test_wide_disks_are_close_to_the_mean_over_them():
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 1, 8, 10, generator=generator)
    frames = torch.nn.functional.interpolate(coarse, (62, 79), mode="bilinear")
    for radius_px, means in list(zip(RADII_PX, copies_of(frames), strict=True))[7:]:
        expected = mean_over_disk(frames[0], 30, 40, radius_px)
        assert torch.allclose(means[0, :, 30, 40], expected, atol=0.005), radius_px


def test_disks_grow_with_the_frame():
    frames = torch.rand(1, 1, 24, 28, generator=torch.Generator().manual_seed(0))
    found = copies_of(frames, scale=2.0)[RADII_PX.index(2.2)]
    assert torch.allclose(found[0, :, 12, 13], mean_over_disk(frames[0], 12, 13, 4.4), atol=1e-5)


@pytest.mark.parametrize("beyond_frame", [False, True])
def test_a_frame_of_one_value_keeps_it_in_any_size(beyond_frame: bool):
    for scale in (0.6, 1.0, 2.3):
        for found in copies_of(torch.full((1, 1, 21, 37), 0.7), scale, beyond_frame):
            torch.testing.assert_close(found, torch.full((1, 1, 21, 37), 0.7), rtol=0, atol=1e-6)


def test_nothing_comes_from_the_other_side_of_the_frame():
    frame = torch.zeros(1, 1, 40, 44)
    frame[..., 0, 0] = 1.0
    blurred = copies_of(frame)[RADII_PX.index(16.0)]
    assert float(blurred[0, 0, :, 22:].abs().max()) < 1e-6
    assert float(blurred[0, 0, 22:].abs().max()) < 1e-6
    assert float(blurred[0, 0, 0, 0]) > 1e-3


def test_the_border_goes_on_beyond_the_frame_where_it_shall():
    frame = torch.zeros(1, 1, 24, 24)
    frame[..., :1] = 1.0
    # As if 12 more columns of 1 lay to the left.
    wider = torch.cat([torch.ones(1, 1, 24, 12), frame], dim=-1)
    found = copies_of(frame, beyond_frame=True)[RADII_PX.index(4.5)]
    assert torch.allclose(found[0, :, 12, 1], mean_over_disk(wider[0], 12, 13, 4.5), atol=1e-5)
