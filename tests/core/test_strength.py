"""Blur strength K of every frame, its scale with the width, and its f-number label."""

import math

import pytest
import torch

from bokeh_core.strength import blur_strength, relative_f_number_label, strength_in_pixels


def test_the_default_is_16_for_a_clip_of_any_length():
    assert blur_strength().tolist() == [16.0]


def test_a_constant_is_repeated_over_a_known_clip():
    assert blur_strength(strength=8.0, num_frames=3).tolist() == [8.0, 8.0, 8.0]


def test_a_ramp_runs_from_start_to_end():
    assert blur_strength("ramp", 0.0, 16.0, num_frames=5).tolist() == [0, 4, 8, 12, 16]


def test_a_ramp_follows_its_easing():
    assert blur_strength("ramp", 0.0, 16.0, "smooth", num_frames=5).tolist() == [0, 2.5, 8, 13.5, 16]


def test_a_schedule_is_read_from_text():
    assert blur_strength("schedule", schedule="0: 0\n2: 16", num_frames=4).tolist() == [0, 8, 16, 16]
    assert blur_strength("schedule", schedule="frame,blur_strength\n0,3\n1,4").tolist() == [3, 4]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strength": -1.0}, "strength is -1 px; it must be 0 to 200 px .0 = no blur."),
        ({"strength": math.nan}, "strength is nan px; it must be 0"),
        ({"mode": "ramp", "strength": -2.0, "num_frames": 3}, "strength is -2"),
        ({"mode": "ramp", "end_strength": -3.0, "num_frames": 3}, "end_strength is -3"),
        ({"mode": "ramp"}, "A ramp needs the length of the clip; connect the disparity"),
        ({"mode": "schedule", "schedule": "0: 4\n8: -1", "num_frames": 9}, "blur_strength is -1 at frame 8"),
        (
            {"mode": "schedule", "schedule": "4, 5, -6"},
            "blur_strength is -6 at frame 2; it must be 0 to 200",
        ),
        ({"mode": "schedule", "schedule": "4, 5", "num_frames": 3}, "has 2 values for 3 video frames"),
        ({"mode": "schedule", "num_frames": 3}, "blur_strength schedule is empty"),
        ({"mode": "schedule", "schedule": "0: 1"}, "connect the disparity"),
        ({"mode": "random"}, "mode is 'random'; choose one of constant, ramp, schedule"),
    ],
)
def test_bad_strengths_are_named(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        blur_strength(**arguments)


def test_strength_scales_with_the_width():
    assert strength_in_pixels(torch.tensor([16.0, 8.0]), 512).tolist() == [8.0, 4.0]


@pytest.mark.parametrize(
    ("strengths", "start"),
    [
        ([16.0], "about f/2.8 (relative: K = 16 counts as f/2.8; K = 16 px"),
        ([32.0, 32.0], "about f/1.4 ("),
        ([2.0], "about f/22 ("),
        ([8.0, 12.0, 32.0], "f/5.6 to f/1.4 (relative: K = 16 counts as f/2.8; K = 8 to 32 px"),
        ([0.0], "no blur ("),
        ([0.0, 16.0], "no blur to f/2.8 ("),
    ],
)
def test_the_label_says_a_relative_f_number(strengths: list[float], start: str):
    assert relative_f_number_label(torch.tensor(strengths)).startswith(start)
