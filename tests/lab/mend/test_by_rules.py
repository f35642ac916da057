"""What the network is shown of a frame is what the rules of the refinement leave of it."""

import cv2
import pytest
import torch

from bokeh_core.motion.flow import Match
from bokeh_lab.mend.by_rules import by_neighbours, by_single_frame
from tests.core.disparity.refine.scenes import moving_square


def still_match(height: int, width: int) -> Match:
    """Of a frame that shows the same as another one."""
    nothing = torch.zeros(height, width)
    return Match(torch.zeros(2, height, width), nothing + 1, nothing)


def test_sharp_maps_of_neighbours_that_agree_stay():
    frames, disparity = moving_square(3)
    maps = [by_single_frame(*pair) for pair in zip(disparity, frames, strict=True)]
    match = still_match(*disparity.shape[1:])
    found = by_neighbours(maps, 1, {-1: match, 1: match})
    assert torch.equal(found.own, disparity[1]) and torch.equal(found.soft, disparity[1])
    assert found.levelled.abs().max() == 0
    assert torch.allclose(found.witnesses.agreed[0], disparity[1], atol=1e-4)


def test_soft_maps_are_shown_soft_and_sharp():
    frames, disparity = moving_square(1)
    soft = torch.from_numpy(cv2.GaussianBlur(disparity[0].numpy(), (0, 0), 2.0))
    found = by_neighbours([by_single_frame(soft, frames[0])], 0, {})
    assert torch.equal(found.soft, soft)
    before, after = ((values - disparity[0]).abs().mean().item() for values in (soft, found.own))
    assert after < 0.5 * before


def test_what_a_frame_alone_lacks_comes_back_before_the_network_is_asked():
    frames, disparity = moving_square(5)
    torn = disparity.clone()
    torn[2, 40:56] = 0.2
    maps = [by_single_frame(*pair) for pair in zip(torn, frames, strict=True)]
    match = still_match(*disparity.shape[1:])
    found = by_neighbours(maps, 2, dict.fromkeys((-2, -1, 1, 2), match))
    assert (torn[2] - disparity[2]).abs().max().item() == pytest.approx(0.6)
    assert (found.own - disparity[2]).abs().max().item() < 0.01
