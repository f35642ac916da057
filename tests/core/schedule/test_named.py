"""Several schedules in one text."""

import pytest

from bokeh_core.schedule.named import late_notes, named_schedules, stated_range

NAMES = ("near_strength", "f_number")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("# nothing\n\n", {}),
        ("near_strength: 0: 1, 24: 0.5", {"near_strength": "0: 1, 24: 0.5"}),
        ("Near strength = 0: 1\n f-number: 2.8", {"near_strength": "0: 1", "f_number": "2.8"}),
        (
            "near_strength:\n0: 1\n24: 2 # wide\nf_number: 4",
            {"near_strength": "0: 1\n24: 2", "f_number": "4"},
        ),
        ("f_number:\nframe,f_number\n0,2\n1,4", {"f_number": "frame,f_number\n0,2\n1,4"}),
        ("f_number\uff1a0\uff1a2\uff0c9\uff1a4", {"f_number": "0:2,9:4"}),
    ],
)
def test_each_name_has_its_schedule(text: str, expected: dict[str, str]):
    assert named_schedules(text, NAMES) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0: 1, 24: 2", "over_time: '0: 1, 24: 2' has no name; write 'near_strength: 0: 1, 24: 2'"),
        ("blades: 5", "over_time names 'blades', which does not move; these may: near_strength, f_number"),
        ("f_number: 2\nf-number: 4", "names f_number twice"),
        ("f_number:\nnear_strength: 1", "names f_number and says nothing of it"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        named_schedules(text, NAMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0: 3, 9: 1, 12: 2", (1, 3)), ("4", (4, 4)), ("1, 5\n2", (1, 5)), ("frame,f\n0,2\n1,8", (2, 8))],
)
def test_the_range_that_is_stated(text: str, expected: tuple[float, float]):
    assert stated_range(text, "f") == expected


def test_keyframes_past_the_end_are_told_with_their_name():
    notes = late_notes({"f_number": "0: 2, 9: 4", "near_strength": "0: 1"}, 5)
    assert len(notes) == 1
    assert notes[0].startswith("f_number: Warning: The keyframe at frame 9 lies past the end of the clip")
