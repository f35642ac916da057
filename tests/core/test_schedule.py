import pytest
import torch

from bokeh_core.schedule import EASINGS, ease, interpolate_keyframes, parse_keyframes, ramp, schedule_values


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
    "text", ["0: 0.9, 2: 0.5", "0:(0.9), 2:(0.5)", "0: 0.9; 2: 0.5", "# pull\n\n  0 : 0.9 \r\n2 : 0.5,\n"]
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
        ("0: 0.5\n4: 1.5", "focal_disparity is 1.5 at frame 4; it must be 0 to 1"),
        ("0.5, -0.1, 0.5", "focal_disparity is -0.1 at frame 1; it must be 0 to 1"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        values(text, 3, minimum=0.0, maximum=1.0)


def test_keyframes_need_a_clip_length():
    with pytest.raises(ValueError, match="length of the clip is unknown; connect the disparity"):
        values("0: 1\n4: 2", None)
