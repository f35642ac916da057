"""Boxes of detectors are read in all of their forms, and the subject is looked for in them."""

import math
from typing import Any

import pytest
import torch

from bokeh_core.focus.automatic import focus_on_subject
from bokeh_core.focus.boxes import Box, boxes_of_frames

ONE = {"x": 16, "y": 9, "width": 32, "height": 36}
OTHER = {"x": 100, "y": 45, "width": 20, "height": 20, "label": "face", "score": 0.5}
SIZE = (90, 160)
READ = [Box(0.2, 0.3, 0.2, 0.4), Box(110 / 160, 55 / 90, 20 / 160, 20 / 90, 0.5)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, [[], [], []]),
        ([], [[], [], []]),
        (ONE, [READ[:1]] * 3),
        ([ONE, OTHER], [READ] * 3),
        ([ONE, OTHER, ONE], [READ[:1], READ[1:], READ[:1]]),
        ([[ONE, OTHER]], [READ] * 3),
        ([[], [ONE, OTHER], ()], [[], READ, []]),
    ],
)
def test_boxes_come_one_for_the_clip_or_by_frame(given: Any, expected: list[list[Box]]):
    for read, wanted in zip(boxes_of_frames(given, 3, SIZE), expected, strict=True):
        for box, other in zip(read, wanted, strict=True):
            assert vars(box) == pytest.approx(vars(other))


def test_what_lies_outside_of_the_frame_is_cut_off():
    half, gone = {**ONE, "x": -16}, {**ONE, "x": 160}
    ((box,),) = boxes_of_frames([[half, gone]], 1, SIZE)
    assert (box.x, box.width) == pytest.approx((0.05, 0.1))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("boxes", "type str"),
        ([1], "boxes of frame 0 are of the type int"),
        ([["face"]], "must have x, y, width, height"),
        ([{"x": 1}], "must have x, y, width, height"),
        ([[], []], "2 box frames for 3 video frames"),
        ({**ONE, "x": math.nan}, "x of a box of frame 0"),
        ({**ONE, "score": 2}, "score of a box of frame 0"),
    ],
)
def test_what_is_no_box_is_refused(given: Any, said: str):
    with pytest.raises(ValueError, match=said):
        boxes_of_frames(given, 3, SIZE)


def test_the_subject_is_looked_for_in_boxes():
    # Two alike, left and right of the middle, one nearer; both before a background.
    maps = torch.full((2, *SIZE), 0.1)
    maps[:, 20:70, 30:70], maps[:, 20:70, 90:130] = 0.8, 0.5
    frames = torch.zeros(2, *SIZE, 3)
    without, _ = focus_on_subject(maps, frames)
    assert without.focal_disparity.tolist() == pytest.approx([0.8, 0.8])
    boxes = boxes_of_frames([{"x": 95, "y": 22, "width": 25, "height": 25}], 2, SIZE)
    found, _ = focus_on_subject(maps, frames, boxes=boxes)
    assert found.focal_disparity.tolist() == pytest.approx([0.5, 0.5])


def test_the_smallest_of_boxes_counts():
    maps = torch.full((1, *SIZE), 0.1)
    maps[:, 20:70, 30:70], maps[:, 5:15, 140:155] = 0.8, 0.5
    boxes = boxes_of_frames({"x": 147.1, "y": 10.1, "width": 0.1, "height": 0.1}, 1, SIZE)
    assert focus_on_subject(maps, boxes=boxes)[0].focal_disparity.item() == pytest.approx(0.5)
