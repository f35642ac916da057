"""Which pixels count as thin things."""

import torch

from bokeh_core.disparity.refine.trained.thin import thin_things


def test_lines_and_gaps_of_2_px_and_what_lies_beside_them():
    disparity = torch.full((40, 60), 0.2)
    disparity[:, 10:12] = 0.7
    disparity[:, 30:] = 0.7
    disparity[:, 44:46] = 0.2
    found = thin_things(disparity)
    assert found[20].nonzero()[:, 0].tolist() == [*range(8, 14), *range(42, 48)]


def test_outlines_and_their_bumps_are_not_thin():
    disparity = torch.full((40, 60), 0.2)
    disparity[8:32, 20:] = 0.7
    disparity[18:20, 19] = 0.7
    disparity[24:26, 20] = 0.2
    assert not thin_things(disparity).any()


def test_what_hardly_stands_out_is_nothing():
    disparity = torch.full((20, 30), 0.2)
    disparity[:, 10:12] = 0.22
    assert not thin_things(disparity).any()
