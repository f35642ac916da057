"""Where nobody chose, the near, large, central, moving thing of each shot is in focus."""

import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.focus.automatic import (
    Candidate,
    best_path,
    candidates_in,
    focus_on_subject,
    motion_against_camera,
)
from bokeh_core.focus.script import FocusScript
from bokeh_core.motion.flow import grey_frame

from .moving_scene import SIDE_PX, moving_subject, texture


def room(*boxes: tuple[int, int, int, int, float], far: float = 0.1) -> Tensor:
    """A map [54, 96] with boxes (left, top, right, bottom, disparity) before a background."""
    disparity = torch.full((54, 96), far)
    for left, top, right, bottom, value in boxes:
        disparity[top:bottom, left:right] = value
    return disparity


def best(disparity: Tensor, motion: Tensor | None = None) -> float:
    return candidates_in(disparity, motion)[0].disparity


PERSON = (40, 12, 60, 54, 0.7)


@pytest.mark.parametrize(
    ("disparity", "expected"),
    [
        (room(PERSON), 0.7),
        # A small thing very near, in a corner.
        (room(PERSON, (0, 44, 12, 54, 1.0)), 0.7),
        # Somebody of the same size, farther.
        (room(PERSON, (15, 12, 35, 54, 0.4)), 0.7),
        # Somebody as far and as large, at the side.
        (room((38, 12, 58, 54, 0.6), (76, 12, 96, 54, 0.65)), 0.6),
        # A wall that fills the frame behind the person.
        (room((0, 0, 96, 54, 0.5), PERSON), 0.7),
        # A table along the lower border, nearer than the person.
        (room(PERSON, (0, 46, 96, 54, 0.9)), 0.7),
    ],
    ids=["alone", "corner", "farther", "side", "wall", "table"],
)
def test_the_subject_is_the_near_large_central_thing(disparity: Tensor, expected: float):
    assert best(disparity) == pytest.approx(expected)


def test_of_two_alike_the_one_that_moves_is_taken():
    disparity = room((20, 12, 40, 50, 0.6), (56, 12, 76, 50, 0.6 + 0.15))
    assert best(disparity) == pytest.approx(0.75)
    motion = torch.zeros(54, 96)
    motion[12:50, 20:40] = 0.01
    assert best(disparity, motion) == pytest.approx(0.6)


def test_a_plain_map_has_a_subject_too():
    for disparity in (
        torch.full((7, 5), 0.25),
        torch.tensor([[0.75]]),
        torch.linspace(0, 1, 700).reshape(20, 35),
    ):
        assert 0 <= best(disparity) <= 1
    assert best(torch.full((7, 5), 0.25)) == 0.25


def candidate(disparity: float, worth: float, left: int) -> Candidate:
    mask = torch.zeros(8, 16, dtype=torch.bool)
    mask[:, left : left + 4] = True
    packed = mask.numpy()
    return Candidate(disparity, (left / 16, 0.5), worth, np.packbits(packed))


def test_the_focus_stays_with_one_subject():
    # The other one is worth a little more in one frame: not enough to go there and back.
    one, other = candidate(0.6, 1.0, 2), candidate(0.3, 1.5, 10)
    less = candidate(0.3, 0.5, 10)
    assert [c.disparity for c in best_path([[one, less], [one, other], [one, less]])] == [0.6, 0.6, 0.6]
    # Worth far more for long, it is taken from the first of these frames on.
    far_more = candidate(0.3, 20.0, 10)
    path = best_path([[one, less], [one, less], [one, far_more], [one, far_more], [one, far_more]])
    assert [c.disparity for c in path][2:] == [0.3] * 3


def test_a_pan_of_the_camera_is_no_motion():
    wide = texture(3, 90, 200)
    frames = [wide[:, 3 * t : 3 * t + 160].clone() for t in range(2)]
    frames[0][15:75, 50:110] = texture(9, 60, 60)
    frames[1][15:75, 52:112] = texture(9, 60, 60)
    motion = motion_against_camera(*(grey_frame(frame) for frame in frames))
    # Against a background that moves by -3 px the box moves by 5.
    assert 3 / 160 < motion[30:60, 65:95].median().item() < 6 / 160
    assert motion[:10].median().item() < 1 / 160


def test_a_clip_is_focused_on_its_subject_shot_by_shot():
    left = [40 + 2 * t for t in range(8)]
    frames, maps = moving_subject([0.7 + 0.01 * t for t in range(8)], left)
    other, other_maps = moving_subject([0.4] * 6, [60] * 6, seed=7)
    pull, lines = focus_on_subject(
        torch.cat((maps, other_maps)), torch.cat((frames, other)), smoothing_frames=0
    )
    assert pull.focal_disparity.tolist() == pytest.approx([0.7 + 0.01 * t for t in range(8)] + [0.4] * 6)
    assert [line.split(":")[0] for line in lines] == [
        "Focus chosen automatically in frames 0 to 7",
        "Focus chosen automatically in frames 8 to 13",
    ]
    assert pull.points_px is not None
    for t, first in enumerate(left):
        x, y = pull.points_px[t].tolist()
        assert first <= x <= first + SIDE_PX
        assert 27 <= y <= 27 + SIDE_PX


def test_the_disparity_alone_will_do_and_an_empty_script_is_automatic():
    frames, maps = moving_subject([0.7] * 4, [50] * 4)
    assert focus_on_subject(maps)[0].focal_disparity.tolist() == pytest.approx([0.7] * 4)
    values, lines = FocusScript().focal_disparities(maps, frames)
    assert values.tolist() == pytest.approx([0.7] * 4)
    assert len(lines) == 1
    with pytest.raises(ValueError, match="There are 3 frames and 4 maps"):
        focus_on_subject(maps, frames[:3])
