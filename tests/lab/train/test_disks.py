"""Means over disks against plain sums."""

import torch

from bokeh_core.models.small.disks import NUM_DISKS, RADII_PX, Disks, shares_of_radii

from .disks import mean_over_disk


def test_means_over_each_disk_inside_the_frame():
    frames = torch.rand(2, 3, 20, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    disks = Disks(frames)
    assert len(RADII_PX) == NUM_DISKS == 10
    for number, radius_px in enumerate(RADII_PX):
        means = disks.blur(frames, number) / disks.inside(number)
        for y, x in ((0, 0), (10, 12), (19, 3)):
            expected = mean_over_disk(frames[1], y, x, radius_px)
            assert torch.allclose(means[1, :, y, x], expected, atol=1e-5), (radius_px, y, x)


def test_nothing_comes_from_the_other_side_of_the_frame():
    frame = torch.zeros(1, 1, 20, 24)
    frame[..., 0, 0] = 1.0
    blurred = Disks(frame).blur(frame, RADII_PX.index(16.0))
    # The far corner is 30 px away, the ends of both sides 19 and 23.
    assert float(blurred[0, 0, :, 18:].abs().max()) < 1e-6
    assert float(blurred[0, 0, 18:].abs().max()) < 1e-6
    assert float(blurred[0, 0, 0, 0]) > 1e-3


def test_a_radius_is_shared_by_the_two_that_enclose_it():
    size_px = torch.tensor([0.0, 0.7, 1.05, 5.5, 40.0]).view(1, 1, 1, 5)
    expected = torch.zeros(NUM_DISKS, 5)
    # 1.05 is half way from 0.7 to 1.4, 5.5 from 4.5 to 6.5; 40 is more than the last.
    expected[0, 0] = expected[1, 1] = expected[9, 4] = 1.0
    expected[1, 2] = expected[2, 2] = expected[5, 3] = expected[6, 3] = 0.5
    assert torch.allclose(shares_of_radii(size_px)[0, :, 0], expected, atol=1e-6)
