"""Motion between two frames whose true motion is known."""

import pytest
import torch
import torch.nn.functional as F

from bokeh_core.motion.flow import (
    FLOW_SIDE_PX,
    flow_between,
    flow_of_size,
    grey_frame,
    lies_inside,
    match_frames,
    round_trip_px,
    small_colours,
    warped,
)


def textured(height: int, width: int, seed: int = 0) -> torch.Tensor:
    """Smooth spots [H, W, 3], as motion can be found in."""
    coarse = torch.rand(1, 3, height // 6, width // 6, generator=torch.Generator().manual_seed(seed))
    picture = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)
    return picture[0].clamp(0, 1).movedim(0, -1).contiguous()


def test_a_panned_picture_moves_by_the_pan():
    scene = textured(96, 140)
    match = match_frames(scene[:, 8:136], scene[:, 3:131])
    # What was at column x - 8 is at x - 3: five px to the right.
    inner = match.flow_px[:, 16:-16, 16:-16]
    assert inner[0].median().item() == pytest.approx(5, abs=0.1)
    assert inner[1].abs().median().item() < 0.1
    assert match.trust[16:-16, 16:-16].median().item() > 0.95
    assert match.difference[16:-16, 16:-16].median().item() < 0.01
    # Columns that leave the frame.
    assert bool((match.trust[16:-16, -3:] == 0).all())


def test_what_is_covered_in_the_other_frame_is_not_trusted():
    background, square = textured(192, 256, 1) * 0.5, textured(96, 96, 2) * 0.4 + 0.6
    first, second = background.clone(), background.clone()
    first[48:144, 48:144] = square
    second[48:144, 58:154] = square
    trust = match_frames(first, second).trust
    assert trust[56:136, 146:152].mean().item() < 0.1
    assert trust[56:136, 56:136].mean().item() > 0.8
    assert trust[152:, 160:].mean().item() > 0.9


def test_large_frames_are_searched_small_and_answer_in_their_own_px():
    scene = F.interpolate(textured(120, 360).movedim(-1, 0)[None], scale_factor=4, mode="bilinear")
    scene = scene[0].movedim(0, -1)
    match = match_frames(scene[:, :1024], scene[:, 16:1040])
    assert grey_frame(scene[:, :1024]).values.shape == (240, FLOW_SIDE_PX)
    assert match.flow_px.shape == (2, 480, 1024)
    assert match.flow_px[0, 64:-64, 64:-64].median().item() == pytest.approx(-16, abs=0.3)


def test_alpha_takes_no_part():
    scene = textured(48, 64)
    alpha = torch.rand(48, 64, 1, generator=torch.Generator().manual_seed(3))
    first, second = scene, scene.roll(2, 1)
    plain = match_frames(first, second)
    with_alpha = match_frames(torch.cat([first, alpha], -1), torch.cat([second, 1 - alpha], -1))
    assert torch.equal(plain.flow_px, with_alpha.flow_px)
    assert torch.equal(plain.trust, with_alpha.trust)


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (15, 15)])
def test_frames_too_small_to_search_do_not_move(size):
    frame = torch.rand(*size, 3, generator=torch.Generator().manual_seed(4))
    match = match_frames(frame, frame)
    assert torch.equal(match.flow_px, torch.zeros(2, *size))
    assert torch.allclose(match.trust, torch.ones(size), atol=1e-6)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_flat_frames_match_themselves(level):
    frame = torch.full((32, 48, 3), level)
    match = match_frames(frame, frame)
    assert torch.equal(match.difference, torch.zeros(32, 48))
    assert flow_between(grey_frame(frame), grey_frame(frame)).abs().max().item() < 1e-3


def test_warped_takes_values_from_where_the_flow_leads():
    values = torch.tensor([[[0.0, 10.0, 20.0, 30.0]]])
    flow = torch.tensor([[[1.0, 0.5, 0.0, 9.0]], [[0.0, 0.0, 0.0, 0.0]]])
    # One px on; half way; where it is; beyond the border.
    assert warped(values, flow)[0, 0].tolist() == pytest.approx([10, 15, 20, 30], abs=1e-4)
    assert lies_inside(flow).tolist() == [[True, True, True, False]]


def test_a_round_trip_is_what_two_flows_leave():
    there = torch.zeros(2, 3, 5)
    there[0] = 1.0
    back = torch.zeros(2, 3, 5)
    back[0], back[1] = -1.0, 2.0
    assert torch.allclose(round_trip_px(there, back), torch.full((3, 5), 2.0))


def test_flow_grows_with_the_frame():
    flow = torch.ones(2, 4, 6)
    larger = flow_of_size(flow, (8, 18))
    assert torch.allclose(larger[0], torch.full((8, 18), 3.0))
    assert torch.allclose(larger[1], torch.full((8, 18), 2.0))
    assert flow_of_size(flow, (4, 6)) is flow


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_colours_are_made_small_without_alpha(channels: int):
    frame = torch.full((512, 1024, channels), 0.5)
    frame[:, ::2, 0] = 1.5
    small = small_colours(frame)
    # Two columns a px: 1.5 counts as white, beside 0.5.
    expected = torch.tensor([0.75] * 3 if channels == 1 else [0.75, 0.5, 0.5])
    torch.testing.assert_close(small, expected.expand(256, 512, 3))
