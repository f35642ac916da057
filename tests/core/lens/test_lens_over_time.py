"""Numbers of a lens that move over the clip."""

import pytest
import torch

from bokeh_core.coc import Falloff, disparity_that_blurs_alike, signed_circle_of_confusion_px
from bokeh_core.lens import (
    Aperture,
    LensOverTime,
    LensSettings,
    at_width,
    falloff_alone,
    lens_blur,
    lens_report,
    lens_said,
)
from bokeh_core.lens.backend import ACCELERATOR, BACKENDS
from bokeh_core.lens.over_time import runs_alike
from bokeh_core.preview.lens_facts import lens_facts

T = 4
MOVING = LensOverTime(
    LensSettings(Aperture(6)), {"near_strength": "0: 1, 2: 0.5", "highlight_gain": "0\n1\n2\n3"}
)


def clip(num_frames: int = T) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        torch.rand(num_frames, 20, 24, 3, generator=generator),
        torch.rand(num_frames, 20, 24, generator=generator),
        torch.full((num_frames,), 0.5),
        torch.full((num_frames,), 6.0),
    )


def test_each_frame_has_the_numbers_of_its_schedules():
    lenses = MOVING.at_frames(T)
    assert [lens.near_strength for lens in lenses] == [1, 0.75, 0.5, 0.5]
    assert [lens.highlight_gain for lens in lenses] == [0, 1, 2, 3]
    assert {lens.aperture for lens in lenses} == {Aperture(6)}


def test_equal_neighbours_are_one_object():
    first, second, third = LensOverTime(schedules={"ring": "0: 0, 1: 1"}).at_frames(3)
    assert second is third
    assert (first.aperture.ring, second.aperture.ring) == (0, 1)


def test_lengths_are_turned_over_to_a_width():
    lens = LensOverTime(schedules={"largest_radius": "10, 20, 200"})
    lenses = at_width(lens, 3, 2048)
    assert isinstance(lenses, tuple)
    assert [each.largest_radius_px for each in lenses] == [20, 40, float("inf")]
    assert at_width(LensSettings(), 3, 2048) == LensSettings(contour_reach_px=8)


@pytest.mark.parametrize("frames_a_pass", [1, 3])
@pytest.mark.parametrize(
    "schedules",
    [
        {"near_strength": "0: 1, 3: 0.25", "highlight_gain": "0: 0, 3: 4"},
        {"far_strength": "0: 0, 3: 1", "focus_range": "0: 0, 3: 0.3", "largest_radius": "0: 200, 3: 2"},
        {"ring": "0: 0, 1: 1", "highlight_gain": "0: 0, 3: 4", "fringe": "0, 0, 0.1, 0.1"},
    ],
)
def test_frames_of_a_pass_have_each_its_own_numbers(
    monkeypatch: pytest.MonkeyPatch, frames_a_pass: int, schedules: dict[str, str]
):
    if frames_a_pass > 1:
        monkeypatch.setitem(BACKENDS, "cpu", ACCELERATOR)
    frames, disparity, focus, strength = clip()
    lenses = LensOverTime(schedules=schedules).at_frames(T)
    together = lens_blur(frames, disparity, focus, strength, lenses, frames_a_pass=frames_a_pass, workers=1)
    alone = [
        lens_blur(frames[t : t + 1], disparity[t : t + 1], focus[:1], strength[:1], lenses[t])
        for t in range(T)
    ]
    torch.testing.assert_close(together, torch.cat(alone), atol=2e-5, rtol=0)
    assert not torch.equal(together[3], lens_blur(frames, disparity, focus, strength, lenses[0])[3])


def test_a_pass_ends_where_more_than_amounts_change():
    amounts = LensOverTime(schedules={"near_strength": "0: 0, 5: 1", "focus_range": "0: 0, 5: 1"}).at_frames(
        6
    )
    assert runs_alike(range(1, 5), amounts) == [range(1, 5)]
    shape = LensOverTime(schedules={"cat_eye": "0, 0, 0.5, 0.5, 0.5, 0"}).at_frames(6)
    assert runs_alike(range(6), shape) == [range(2), range(2, 5), range(5, 6)]
    assert runs_alike(range(6), LensSettings()) == [range(6)]


def test_one_lens_for_each_frame_or_one_for_all():
    with pytest.raises(ValueError, match="2 lenses for 4 frames; give one, or one for each frame"):
        lens_blur(*clip(), MOVING.at_frames(2))


def test_the_factor_of_each_frame_counts_with_its_own_strength():
    frames, disparity, focus, _ = clip(2)
    lenses = at_width(LensOverTime(schedules={"near_strength": "1, 2"}), 2, 24)
    # 150 px at frame 1 are 300; at frame 0 they are 150.
    with pytest.raises(ValueError, match="near_strength 2 times K of 150 px is 300 px"):
        lens_blur(frames, disparity, focus, torch.tensor([4.0, 150.0]), lenses)
    lens_blur(frames, disparity, focus, torch.tensor([150.0, 4.0]), lenses)


@pytest.mark.parametrize(
    ("schedules", "message"),
    [
        ({"blades": "0: 5, 9: 7"}, "blades does not move; these may: rotation, roundness"),
        ({"near_strength": "0: 1, 9: -1"}, "near_strength is -1; it must be 0 to 100"),
        ({"cat_eye": "0: 0, 9: 1.5"}, "cat_eye is 1.5"),
        ({"highlight_gain": "0: 1, 9: nan"}, "'nan' is not a finite number"),
        ({"highlight_gain": ""}, "The highlight_gain schedule is empty"),
        ({"largest_radius": "0: 300"}, "largest_radius is 300 px; it must be 0 to 200"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_rendered(schedules: dict[str, str], message: str):
    with pytest.raises(ValueError, match=message):
        LensOverTime(schedules=schedules)


def test_an_unknown_curve_is_refused():
    with pytest.raises(ValueError, match="easing is 'bouncy'; choose one of linear, smooth"):
        lens_said({}, {}, "bouncy")


def test_a_control_that_moves_is_only_what_its_schedule_says():
    lens = lens_said({"near_strength": 3.0, "blades": 5}, {"near_strength": "0: 1, 1: 0"})
    assert isinstance(lens, LensOverTime)
    assert [each.near_strength for each in lens.at_frames(2)] == [1, 0]
    assert lens.still == LensSettings(Aperture(5))
    assert lens_said({"blades": 5}, {}) == LensSettings(Aperture(5))


def test_the_report_shows_what_moves():
    assert lens_report(MOVING) == (
        "blades 6, near_strength moving (0: 1, 2: 0.5), highlight_gain moving (0, 1, 2, 3); all else at its "
        "default."
    )


class TestWhatTheModelHonours:
    def test_a_falloff_that_moves(self):
        lens = LensOverTime(schedules={"near_strength": "0: 1, 1: 0.5", "largest_radius": "20"})
        assert falloff_alone(lens) is lens

    def test_what_else_moves_is_refused_by_name(self):
        lens = LensOverTime(schedules={"near_strength": "0: 1, 1: 0.5", "highlight_gain": "0: 0, 1: 2"})
        with pytest.raises(ValueError, match=r"cannot honour highlight_gain moving \(0: 0, 1: 2\)\. It hono"):
            falloff_alone(lens)


def test_the_radius_of_each_frame_is_bent_by_its_own_falloff():
    disparity = torch.tensor([[[0.0, 1.0]]] * 2)
    focus, strength = torch.tensor([0.5, 0.5]), torch.tensor([8.0, 8.0])
    falloffs = [Falloff(near_strength=0.5), Falloff(far_strength=0.0, largest_radius_px=3)]
    radius_px = signed_circle_of_confusion_px(disparity, focus, strength, falloffs)
    assert radius_px.flatten(1).tolist() == [[-4, 2], [0, 3]]
    alike = disparity_that_blurs_alike(disparity, focus, strength, falloffs)
    assert signed_circle_of_confusion_px(alike, focus, strength).tolist() == radius_px.tolist()
    with pytest.raises(ValueError, match="1 falloffs for 2 frames; give one a frame"):
        signed_circle_of_confusion_px(disparity, focus, strength, falloffs[:1])


def test_the_browser_is_told_what_moves():
    facts = lens_facts(
        LensOverTime(LensSettings(fringe=0.1), {"ring": "0: 0.5, 9: 1", "swirl": "0: 0, 9: 1"})
    )
    assert facts["ring"] == 0.5
    assert facts["unseen"] == ["fringe", "ring", "swirl"]
