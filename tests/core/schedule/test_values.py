"""Keyframes, lists and tables to one number a frame."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from bokeh_core.schedule.text import MOST_CHARACTERS, keyframe_entries, lines_of
from bokeh_core.schedule.values import (
    EASINGS,
    ease,
    interpolate_keyframes,
    keyframe_notes,
    parse_keyframes,
    ramp,
    schedule_values,
)
from tests.hostile.sentences import refusal


def values(text: str, num_frames: int | None, easing: str = "linear", **limits: float) -> list[float]:
    return schedule_values(text, num_frames, column="focal_disparity", easing=easing, **limits).tolist()


@pytest.mark.parametrize(
    ("easing", "expected"),
    [
        ("linear", [0, 0.25, 0.5, 0.75, 1]),
        ("smooth", [0, 0.15625, 0.5, 0.84375, 1]),
        ("ease in", [0, 0.0625, 0.25, 0.5625, 1]),
        ("ease out", [0, 0.4375, 0.75, 0.9375, 1]),
        ("hold", [0, 0, 0, 0, 1]),
    ],
)
def test_easing_curves(easing: str, expected: list[float]):
    assert ease(torch.tensor([0, 0.25, 0.5, 0.75, 1.0]), easing).tolist() == expected


def test_unknown_easing_names_the_choices():
    with pytest.raises(ValueError, match="easing is 'bounce'; choose one of linear, smooth"):
        ease(torch.zeros(1), "bounce")


@pytest.mark.parametrize("easing", EASINGS)
def test_a_ramp_starts_and_ends_at_its_ends(easing: str):
    result = ramp(4.0, 12.0, 9, easing)
    assert (result[0].item(), result[-1].item()) == (4.0, 12.0)


def test_a_ramp_over_one_frame_is_its_start():
    assert ramp(4.0, 12.0, 1).tolist() == [4.0]


def test_keyframes_are_interpolated_and_held_outside():
    assert values("2: 0.8\n6: 0.4", 9) == pytest.approx([0.8, 0.8, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4, 0.4])


def test_keyframes_can_come_in_any_order():
    assert values("4: 0\n0: 1", 5) == values("0: 1\n4: 0", 5) == pytest.approx([1, 0.75, 0.5, 0.25, 0])


def test_held_keyframes_jump_at_the_next_one():
    assert values("0: 0.9\n2: 0.5\n4: 0.1", 6, "hold") == pytest.approx([0.9, 0.9, 0.5, 0.5, 0.1, 0.1])


def test_smooth_keyframes_ease_in_every_segment():
    assert values("0: 0\n4: 1\n8: 0", 9, "smooth") == pytest.approx(
        [0, 0.15625, 0.5, 0.84375, 1, 0.84375, 0.5, 0.15625, 0]
    )


def test_keyframes_past_the_end_still_shape_what_is_before():
    assert values("0: 0\n10: 1", 3) == pytest.approx([0, 0.1, 0.2])


@pytest.mark.parametrize(
    "text",
    [
        "0: 0.9, 2: 0.5",
        "0:(0.9), 2:(0.5)",
        "0: 0.9; 2: 0.5",
        "# pull\n\n  0 : 0.9 \r\n2 : 0.5,\n",
        "0: 0.9 2: 0.5",
        "0: 0.9  # near\n2: 0.5  # far",
        # A Chinese keyboard: full-width digits, stop, colon, brackets and comma.
        "\uff10\uff1a\uff10\uff0e\uff19\uff0c\uff12\uff1a\uff08\uff10\uff0e\uff15\uff09",
        "\ufeff0:\u00a00.9\t2:\u30000.5",
    ],
)
def test_keyframes_are_read_in_the_ways_people_write_them(text: str):
    assert values(text, 3) == pytest.approx([0.9, 0.7, 0.5])


def test_point_keyframes_have_two_numbers_each():
    keyframes = parse_keyframes("0: 100, 200\n4: 300, 220", 2, "Points")
    assert interpolate_keyframes(keyframes, 5)[[0, 1, 4]].tolist() == [[100, 200], [150, 205], [300, 220]]


@pytest.mark.parametrize(
    "text", ["0.1\n0.2\n0.3", "0.1, 0.2, 0.3", "0.1 0.2 0.3", "[0.1, 0.2, 0.3]", "0.1,0.2\n0.3"]
)
def test_a_list_has_one_value_per_frame(text: str):
    assert values(text, 3) == pytest.approx([0.1, 0.2, 0.3])


def test_a_list_of_one_value_serves_the_clip():
    assert values("0.25", 3) == [0.25, 0.25, 0.25]


def test_a_list_longer_than_the_clip_is_cut():
    assert values("0.1, 0.2, 0.3", 2) == pytest.approx([0.1, 0.2])


def test_without_a_clip_length_a_list_gives_it():
    assert values("0.1, 0.2, 0.3", None) == pytest.approx([0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    "text",
    [
        "frame,focal_disparity\n0,0.9\n1,0.8",
        "focal_disparity\n0.9\n0.8",
        "frame;focal_disparity\n0;0.9\n1;0.8",
        "frame\tblur_strength\tfocal_disparity\n0\t16\t0.9\n1\t16\t0.8",
        'frame,"Focal_Disparity"\n0,0.9\n1,0.8',
        "\ufeffframe,focus\n0,0.9\n1,0.8",
        "frame;focal_disparity\r\n0;0,9\r\n1;0,8\r\n",
        "time,focal_disparity\n00:00,0.9\n00:01,0.8",
        "\u5e27\n0.9\n0.8",
    ],
)
def test_a_table_gives_its_column(text: str):
    assert values(text, 2) == pytest.approx([0.9, 0.8])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "schedule is empty; write one number per frame"),
        ("# only a comment", "schedule is empty"),
        ("0.1\n0.2", "has 2 values for 3 video frames; give at least 3"),
        ("frame,focal_disparity\n0,0.9\n1,0.8", "has 2 values for 3 video frames"),
        (
            "frame,focal_disparity\n0,0.9\n2,0.8\n3,0.7",
            "row 1 is frame 2; the frame column must count 0, 1, 2",
        ),
        ("frame,a,b\n0,1,2", "columns frame, a, b; name one of them 'focal_disparity'"),
        ("frame,focal_disparity\n0,0.9,7", "row 0: 3 fields for 2 columns"),
        ("frame,focal_disparity", "a header and no rows"),
        ("0,0.9\n1,0.8\n2,0.7", "two numbers in every line .* put a header such as 'frame,focal_disparity'"),
        ("0.1\nhalf\n0.3", "value 1: 'half' is not a number"),
        ("0.1\nnan\n0.3", "value 1: 'nan' is not a finite number"),
        ("0: inf", "keyframe 0: 'inf' is not a finite number"),
        ("0: 0.5\n0: 0.6", "frame 0 has two keyframes; keep one"),
        ("-1: 0.5", "'-1' is not a frame number"),
        ("1.5: 0.5", "'1.5' is not a frame number"),
        ("0: ", "keyframe 0 has 0 values"),
        ("0: 0.5 then\n4: 0.6", "keyframe 0 has 2 values"),
        ("start 0: 0.5", "cannot read 'start'; write 'frame: value'"),
        ("the dog, then the tree 9: 0.5", "cannot read 'the dog, then the tree'; write"),
        ("0: 0.5 and then\n 0.6 (far)\n4: 0.6", r"has 5 values \('0.5 and then 0.6 \(far'\)"),
        ("0: 0.5\n4: 1.5", "focal_disparity is 1.5 at frame 4; it must be 0 to 1"),
        ("0.5, -0.1, 0.5", "focal_disparity is -0.1 at frame 1; it must be 0 to 1"),
        (",", "schedule is empty"),
        (" ; \n()[]", "schedule is empty"),
        (":", "'' is not a frame number"),
        ("9" * 400 + ": 0.5", "frame '9999.*[.]' is too large; frames go up to 10000000"),
        ("9" * 5000 + ": 0.5", "is too large; frames go up to 10000000"),
        ("9" * 5000, "'9999.*[.]' is not a finite number"),
        ("0: 50%", "keyframe 0: '50%' is not a number; write 0.5 in place of a percentage"),
        ("0: 0.5px", "keyframe 0: '0.5px' is not a number; write 0.5 without a unit"),
        ("0,5", "'0,5' may be one number or two; write 0.5 for one, or put a blank behind the comma"),
        ("0: 0,5\n2: 0,6", "keyframe 0 has 2 values .*decimals are written with a point, 0.5"),
        ("0,5\n0,6\n0,7", "two numbers in every line .*decimals are written with a point, 0.5"),
        ("focal_disparity\n0,9", "row 0: 2 fields for 1 columns .*decimals are written with a point, 0.9"),
        ("frame,focal_disparity\n1,0.9\n0,0.8", "row 0 is frame 1; the frame column must count"),
        ('frame,"focal_disparity\n0,0.9', "is not CSV .*check its quotation marks"),
        ("0: 1_0", "'1_0' is not a number"),
        ("1e400", "'1e400' is not a finite number"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        values(text, 3, minimum=0.0, maximum=1.0)


def test_keyframes_need_a_clip_length():
    with pytest.raises(ValueError, match="length of the clip is unknown; connect the disparity"):
        values("0: 1\n4: 2", None)


def test_a_text_longer_than_any_schedule_is_refused():
    with pytest.raises(ValueError, match="has 32000001 characters; the longest that is read has 32000000"):
        values("0" * (MOST_CHARACTERS + 1), 1)


def test_every_part_of_a_long_text_is_looked_at_once():
    # Of n words between n colons each entry holds one, so the work grows with the text and no faster.
    text = "\n".join(f"{frame}: {frame}" for frame in range(5000)) + " 7" * 3000
    entries = list(keyframe_entries(lines_of(text, "text")))
    assert [len(entry.fields) for entry in entries if not isinstance(entry, str)] == [1] * 4999 + [3001]


def test_a_table_of_a_hundred_thousand_frames_is_read():
    text = "frame,focal_disparity\n" + "\n".join(f"{frame},0.5" for frame in range(100_000))
    assert values(text, None) == [0.5] * 100_000


def test_keyframes_past_the_end_are_said():
    assert keyframe_notes("0: 0.5\n47: 0.6", 1, 48) == ""
    assert (
        "The keyframe at frame 500 lies past the end of the clip, whose last frame is 47"
        in keyframe_notes("0: 0.5, 500: 0.6", 1, 48)
    )
    assert "2 keyframes lie past" in keyframe_notes("0: 1, 2; 60: 3, 4; 70: 5, 6", 2, 48)
    assert keyframe_notes("0.5, 0.6", 1, 1) == ""


PIECES = st.sampled_from(
    [*'0123456789.,;:()[]-+eE%#"\n\t \ufeff\uff1a', "0: 0.5", "frame", "nan", "inf", "16px"]
)


@given(st.lists(PIECES, max_size=40), st.sampled_from([None, 1, 5]))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_any_text_is_read_or_refused_in_a_sentence(pieces: list[str], num_frames: int | None):
    try:
        read = values("".join(pieces), num_frames, minimum=0.0, maximum=1.0)
    except ValueError as error:
        refusal(error)
    else:
        assert all(math.isfinite(value) and 0 <= value <= 1 for value in read)
        assert num_frames in (None, len(read))
