"""Contours move with what is in front, whatever moves: evidence of polarity."""

import numpy as np
import pytest
import torch

from bokeh_core.disparity.contour_motion import ContourVotes, contour_votes
from bokeh_core.disparity.fit import MapFit
from bokeh_core.disparity.meaning import DepthMeaning
from bokeh_core.disparity.prepare import prepare_disparity
from bokeh_core.render import FileDepth
from bokeh_core.render.depth import DepthRequest
from tests.core.disparity.moving_pictures import HEIGHT, NEAR, WIDTH, square_before_wall

# What moves -> px a frame of the square in front and of the wall behind.
MOTIONS = {
    "a subject before a still camera": (3, 0),
    "a camera that follows the subject": (0, 3),
    "a camera that passes both": (4, 1),
    "a wall that goes against the subject": (2, -2),
}


def polarity_of(report: str) -> str:
    (line,) = (line for line in report.splitlines() if line.startswith("Polarity"))
    return line


@pytest.mark.parametrize("motion", MOTIONS)
def test_what_moves_tells_which_side_is_in_front(motion: str):
    frames, disparity = square_before_wall(8, *MOTIONS[motion])
    white = prepare_disparity(disparity, frames=frames)
    assert "near white (auto" in polarity_of(white.report) and "go with what is white" in white.report
    black = prepare_disparity(1 - disparity, frames=frames)
    assert "near black (auto)" in polarity_of(black.report) and "go with what is black" in black.report
    assert "set polarity to near white" in black.report
    torch.testing.assert_close(white.disparity, black.disparity)


@pytest.mark.parametrize("pixels", [0, 2])
def test_without_parallax_motion_says_nothing(pixels: int):
    # Everything stands still, or goes the same way, as when a camera turns on its tripod.
    frames, disparity = square_before_wall(8, pixels, pixels)
    for maps in (disparity, 1 - disparity):
        assert (
            "near white (auto, as depth estimators give it)." in prepare_disparity(maps, frames=frames).report
        )


def test_a_chosen_polarity_and_distances_are_not_questioned():
    frames, disparity = square_before_wall(8, 3)
    chosen = prepare_disparity(1 - disparity, polarity="near white", frames=frames)
    assert polarity_of(chosen.report) == "Polarity: near white (chosen)."
    metric = prepare_disparity(1 / disparity, source="metric depth", frames=frames)
    assert metric.disparity[0, 70, 90].item() == 1 and metric.disparity[0, 5, 5].item() == 0


def test_a_white_mask_of_what_is_behind_is_doubted_or_turned():
    # A binary map of the wall: white is what the contour does not go with.
    frames, disparity = square_before_wall(8, 3)
    report = prepare_disparity((disparity < NEAR).float(), frames=frames).report
    assert "near black (auto)" in report


def test_maps_that_were_cut_or_turned_or_begin_earlier_are_compared_where_they_lie():
    frames, disparity = square_before_wall(9, 3)
    black = 1 - disparity
    turned = prepare_disparity(black.rot90(1, (1, 2)), fit="turn clockwise", frames=frames)
    assert "near black (auto)" in turned.report
    cut = prepare_disparity(black[:, 8:-8, 8:-8], fit="pad", frames=frames)
    assert "near black (auto)" in cut.report
    later = prepare_disparity(black, frame_offset=2, frames=frames[2:])
    assert "near black (auto)" in later.report
    part = prepare_disparity(black, start_frame=1, max_frames=8, frames=frames[1:])
    assert "near black (auto)" in part.report


def test_maps_at_a_lower_rate_are_compared_at_their_own_frames():
    frames, disparity = square_before_wall(13, 1)
    report = prepare_disparity(1 - disparity[::3], frames_per_map=3, frames=frames).report
    assert "near black (auto)" in report


def test_holes_have_no_say():
    frames, disparity = square_before_wall(8, 3)
    black = 1 - disparity
    black[:, :20] = torch.inf
    assert "near black (auto)" in prepare_disparity(black, holes="fill from around", frames=frames).report


def test_votes_are_counted_and_need_a_number():
    assert ContourVotes(100, 99).share_with_black is None
    votes = ContourVotes(100, 300) + ContourVotes(0, 100)
    assert votes.share_with_black == 0.8 and votes.prove_black_near and not votes.prove_white_near
    assert votes.report() == "80.0 % of the contours that move go with what is black"
    assert ContourVotes(300, 100).prove_white_near and not ContourVotes(200, 200).prove_white_near
    doubtful = ContourVotes(200, 300)
    assert doubtful.doubt_white_near and not doubtful.prove_black_near


def test_doubt_keeps_the_usual_reading_and_warns(monkeypatch: pytest.MonkeyPatch):
    frames, disparity = square_before_wall(8, 3)
    monkeypatch.setattr(
        "bokeh_core.disparity.contour_motion.contour_votes", lambda *_given: ContourVotes(200, 300)
    )
    report = prepare_disparity(disparity, frames=frames).report
    assert "near white (auto, as depth estimators give it)." in report
    assert "60.0 % of the contours that move go with what is black, as if that were in front" in report


def test_frames_too_small_for_motion_say_nothing():
    frames, disparity = square_before_wall(2, 3)
    votes = contour_votes(frames[0, :8, :8], disparity[0, :8, :8], frames[1, :8, :8], disparity[1, :8, :8])
    assert votes == ContourVotes()


def test_maps_on_disk_are_judged_alike(tmp_path):
    frames, disparity = square_before_wall(8, 3)
    np.save(tmp_path / "maps.npy", (1 - disparity).numpy())
    source = FileDepth(tmp_path / "maps.npy", DepthMeaning(), MapFit())
    depth = source.prepare(DepthRequest(8, (HEIGHT, WIDTH), frames=lambda start: iter(frames[start:])))
    given = prepare_disparity(1 - disparity, frames=frames)
    assert polarity_of(depth.report) == polarity_of(given.report)
    torch.testing.assert_close(torch.stack(list(depth.read(0))), given.disparity)


def test_frames_of_another_size_are_refused():
    frames, disparity = square_before_wall(2, 3)
    with pytest.raises(
        ValueError, match="frames are 2 of 256 x 144 px; disparity was asked for 2 of 80 x 96"
    ):
        prepare_disparity(disparity, num_frames=2, height=96, width=80, frames=frames)
