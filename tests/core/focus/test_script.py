"""A focus script: what is read and refused, and which disparity is in focus in each frame."""

import json

import pytest
import torch
from torch import Tensor

from bokeh_core.focus.decision import FocusDecision, StrengthKey
from bokeh_core.focus.script import FocusScript, parse_script

NEAR, BETWEEN, FAR = 0.8, 0.5, 0.2
# Places in the width of `scene`: the subject on the left, what lies between, the one on the right.
LEFT, MIDDLE, RIGHT = 0.1, 0.5, 0.9


def scene(num_frames: int) -> Tensor:
    """Near on the left, something between in the middle, far on the right; [T, 9, 30]."""
    disparity = torch.full((num_frames, 9, 30), NEAR)
    disparity[:, :, 10:] = BETWEEN
    disparity[:, :, 20:] = FAR
    return disparity


def script(*focus: dict, strength: tuple[dict, ...] = (), frames: int = 0) -> FocusScript:
    return parse_script(
        json.dumps({"version": 1, "frames": frames, "focus": list(focus), "strength": list(strength)})
    )


def point(frame: object, x: object, **more: object) -> dict:
    return {"frame": frame, "kind": "point", "x": x, "y": 0.5, "radius": 1, **more}


def lock(frame: int, disparity: float, **more: object) -> dict:
    return {"frame": frame, "kind": "lock", "disparity": disparity, **more}


def path(focus: FocusScript, disparity: Tensor, **more: Tensor) -> list[float]:
    return focus.focal_disparities(disparity, smoothing_frames=0, **more)[0].tolist()


class TestReading:
    def test_all_fields_are_read_and_put_in_order(self):
        read = script(
            lock(24, 0.25, x=0.5, y=0.75, radius=3, transition=6, ease="linear"),
            point(0, 0.25),
            strength=({"frame": 9, "k": 24, "ease": "cut"}, {"frame": 0, "k": 8.5}),
            frames=48,
        )
        assert read == FocusScript(
            48,
            (
                FocusDecision(0, "point", 0.25, 0.5, 1),
                FocusDecision(24, "lock", 0.5, 0.75, 3, 0.25, 6, "linear"),
            ),
            (StrengthKey(0, 8.5), StrengthKey(9, 24, "cut")),
        )

    def test_what_is_left_out_has_its_default(self):
        assert parse_script('{"version": 1}') == FocusScript()
        decision = parse_script('{"version": 1, "focus": [{"frame": 2, "kind": "mask"}]}').focus[0]
        assert (decision.transition, decision.ease, decision.radius) == (12, "smooth", 8)

    @pytest.mark.parametrize(
        ("x", "y", "pixel"), [(0, 0, (0, 0)), (1, 1, (29, 8)), (0.5, 0.5, (15, 4)), (0.099, 0, (2, 0))]
    )
    def test_a_place_is_the_pixel_that_it_lies_in(self, x: float, y: float, pixel: tuple[int, int]):
        assert FocusDecision(0, "point", x, y).pixel(9, 30) == pixel

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", 'is empty; the shortest is ."version": 1'),
            ("0: 512, 288", "is no JSON: Extra data in line 1, column 2"),
            ("[1]", "The focus script is .1.; it must be an object"),
            ("[" * 100_000, "too many brackets within brackets"),
            ("{}", "version of the focus script is None; this program reads version 1"),
            ('{"version": 2}', "is 2; this program reads version 1"),
            ('{"version": true}', "is True; this program reads version 1"),
            ('{"version": 1, "version": 1}', "field 'version' twice"),
            (
                '{"version": 1, "fokus": []}',
                "has the field 'fokus'; known are version, frames, focus",
            ),
            ('{"version": 1, "frames": -1}', "frames of the focus script is -1; it must be 0 to"),
            ('{"version": 1, "frames": 2.5}', "frames of the focus script is 2.5; it must be a whole number"),
            ('{"version": 1, "frames": ' + "9" * 5000 + "}", "which is too large"),
            ('{"version": 1, "focus": {}}', "focus of the focus script is {}; it must be a list"),
            ('{"version": 1, "focus": [3]}', "Focus decision 1 of 1 is 3; it must be an object"),
            ('{"version": 1, "focus": [{"frame": 3}]}', "Focus decision 1 of 1 has no kind"),
            ('{"version": 1, "strength": [{"frame": 3}]}', "Strength key 1 of 1 has no k"),
            (
                '{"version": 1, "strength": [{"frame": 3, "k": NaN}]}',
                "holds NaN; every number must",
            ),
            (
                '{"version": 1, "strength": [{"frame": 3, "k": 1e999}]}',
                r"\(frame 3\): k is inf px; it must",
            ),
        ],
    )
    def test_other_texts_are_refused(self, text: str, message: str):
        with pytest.raises(ValueError, match=message):
            parse_script(text)

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            (point(-1, 0.5), r"\(frame -1\): frame is -1; it must be 0 to"),
            (point("3", 0.5), "frame is '3'; it must be a whole number"),
            (point(3, 1.2), r"\(frame 3\): x is 1.2; it must be 0 to 1 \(0 = left edge"),
            (point(3, "left"), "x is 'left'; it must be a number"),
            (point(3, 0.5, y=-0.1), "y is -0.1; it must be 0 to 1 .0 = top edge"),
            (point(3, 0.5, radius=1.5), "radius is 1.5; it must be a whole number"),
            (point(3, 0.5, kind="face"), "kind is 'face'; choose one of point, lock, follow, mask"),
            (point(3, 0.5, transition=-2), "transition is -2 frames; it must be 0 to"),
            (point(3, 0.5, ease="bounce"), "ease is 'bounce'; choose one of smooth, linear, cut"),
            (point(3, 0.5, disparity=0.5), "disparity is 0.5 in a decision of the kind point; only a lock"),
            (lock(3, 1.5), "disparity is 1.5; it must be 0 to 1"),
            ({"frame": 3, "kind": "lock"}, "disparity is missing; a lock needs one"),
            (point(3, 0.5, disparity_=1), "has the field 'disparity_'; known are frame, kind, x"),
        ],
    )
    def test_a_bad_decision_is_named(self, entry: dict, message: str):
        with pytest.raises(ValueError, match=rf"Focus decision 2 of 2.*{message}"):
            script(point(0, 0.5), entry)

    def test_two_decisions_for_one_frame_are_refused(self):
        with pytest.raises(ValueError, match=r"Focus decision 2 of 2 \(frame 4\): frame 4 has two focus dec"):
            script(point(4, 0.5), lock(4, 0.5))
        with pytest.raises(ValueError, match="frame 0 has two strength keys; keep one"):
            script(strength=({"frame": 0, "k": 1}, {"frame": 0, "k": 2}))


class TestFocus:
    def test_one_decision_serves_the_whole_clip(self):
        assert path(script(point(2, LEFT)), scene(4)) == pytest.approx([NEAR] * 4)

    def test_a_point_is_measured_in_every_frame(self):
        disparity = torch.tensor([0.1, 0.5, 0.9])[:, None, None].expand(3, 4, 4)
        assert path(script(point(0, 0.5)), disparity) == pytest.approx([0.1, 0.5, 0.9])

    def test_a_lock_is_the_same_whatever_lies_there(self):
        assert path(script(lock(0, 0.375)), scene(3)) == pytest.approx([0.375] * 3)

    def test_the_focus_racks_into_a_decision_and_not_out_of_it(self):
        focus = script(point(0, LEFT), point(6, RIGHT, transition=4, ease="linear"))
        assert path(focus, scene(8)) == pytest.approx([0.8, 0.8, 0.8, 0.65, 0.5, 0.35, 0.2, 0.2])

    def test_a_smooth_rack_starts_and_ends_gently(self):
        # 3 p^2 - 2 p^3 at a quarter, half and three quarters: 5/32, 1/2, 27/32 of the way down by 0.6.
        focus = script(point(0, LEFT), point(4, RIGHT, transition=4))
        assert path(focus, scene(5)) == pytest.approx([0.8, 0.70625, 0.5, 0.29375, 0.2])

    def test_a_transition_never_begins_before_the_last_decision(self):
        focus = script(lock(0, 1.0), lock(2, 0.8), lock(4, 0.4, transition=100, ease="linear"))
        assert path(focus, scene(5))[2:] == pytest.approx([0.8, 0.6, 0.4])

    @pytest.mark.parametrize("how", [{"ease": "cut"}, {"transition": 0}])
    def test_a_cut_is_at_once(self, how: dict):
        assert path(script(lock(0, 0.75), lock(2, 0.25, **how)), scene(4)) == [0.75, 0.75, 0.25, 0.25]

    def test_nothing_between_two_subjects_is_measured(self):
        # Where the second subject stands from frame 4 on, something much nearer passes before.
        disparity = scene(6)
        disparity[:4, :, 20:] = 1.0
        focus = script(point(0, LEFT), point(4, RIGHT, transition=4, ease="linear"))
        # 1.0 is a cut of the maps nowhere: a third of the picture changes once and stays.
        assert min(path(focus, disparity)) == pytest.approx(0.2)
        assert max(path(focus, disparity)) == pytest.approx(0.8)

    def test_the_picture_of_every_decision_is_in_focus_there(self):
        focus = script(point(1, LEFT), point(3, MIDDLE), point(4, RIGHT), point(7, LEFT, transition=2))
        values = path(focus, scene(9))
        assert [values[t] for t in (1, 3, 4, 7)] == pytest.approx([NEAR, BETWEEN, FAR, NEAR])

    def test_a_transition_does_not_cross_a_cut(self):
        # The other shot, mirrored, begins at frame 4; its subject on the right is decided at frame 6.
        disparity = torch.cat((scene(4), scene(4).flip(2)))
        focus = script(point(0, LEFT), point(6, RIGHT, transition=6, ease="linear"))
        # From the cut on, the left is far, and the two frames to the decision ease to what is near.
        assert path(focus, disparity) == pytest.approx([0.8, 0.8, 0.8, 0.8, 0.2, 0.5, 0.8, 0.8])
        at_the_cut = script(point(0, LEFT), point(4, LEFT, transition=6))
        assert path(at_the_cut, disparity) == pytest.approx([0.8] * 4 + [0.2] * 4)

    def test_smoothing_stops_at_decisions(self):
        focus = script(point(0, LEFT), point(3, RIGHT, ease="cut"))
        values, _ = focus.focal_disparities(scene(6), smoothing_frames=2.0)
        assert values.tolist() == pytest.approx([0.8] * 3 + [0.2] * 3)

    def test_a_mask_is_measured_and_held_where_it_is_empty(self):
        mask = torch.zeros(5, 9, 30)
        mask[:3, :, 20:] = 1
        mask[4, :, 20:] = 1
        disparity = scene(5)
        disparity[:, :, 20:] = torch.tensor([0.2, 0.25, 0.3, 0.35, 0.4])[:, None, None]
        values, lines = script(lock(0, 0.5), {"frame": 1, "kind": "mask", "ease": "cut"}).focal_disparities(
            disparity, mask=mask, smoothing_frames=0
        )
        assert values.tolist() == pytest.approx([0.5, 0.25, 0.3, 0.3, 0.4])
        assert lines == ["The mask is empty in frame 3: the focus holds there."]

    def test_one_mask_serves_the_clip(self):
        mask = torch.zeros(1, 9, 30)
        mask[:, :, :10] = 1
        assert path(script({"frame": 0, "kind": "mask"}), scene(3), mask=mask) == pytest.approx([NEAR] * 3)

    def test_a_stream_of_maps_gives_what_a_tensor_gives(self):
        class Streamed:
            shape = scene(8).shape

            def __iter__(self):
                return iter(scene(8))

        focus = script(point(0, LEFT), point(6, RIGHT, transition=4))
        assert path(focus, Streamed()) == path(focus, scene(8))  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("focus", "message"),
        [
            (script(point(3, 0.5)), "in this clip of 3 frames; add a focus decision at a frame from 0 to 2"),
            (script({"frame": 0, "kind": "mask"}), "frame 0 is of the kind mask, and no mask is connected"),
            (script(point(0, 0.5, kind="follow")), "frame 0 is of the kind follow"),
        ],
    )
    def test_what_cannot_be_measured_is_refused(self, focus: FocusScript, message: str):
        with pytest.raises(ValueError, match=message):
            focus.focal_disparities(scene(3))

    def test_a_mask_that_is_empty_wherever_it_decides_is_refused(self):
        mask = torch.zeros(4, 9, 30)
        mask[0] = 1
        focus = script(lock(0, 0.5), {"frame": 2, "kind": "mask"})
        with pytest.raises(ValueError, match=r"empty in all of the frames 2 to 3, .* at frame 2 focuses"):
            focus.focal_disparities(scene(4), mask=mask)
        with pytest.raises(ValueError, match="3 mask frames for 4 video frames"):
            focus.focal_disparities(scene(4), mask=mask[:3])


class TestReport:
    def test_a_plain_script_has_nothing_to_report(self):
        assert script(point(0, LEFT), frames=3).focal_disparities(scene(3))[1] == []

    def test_a_script_of_another_clip_is_told(self):
        _, lines = script(point(0, LEFT), frames=48).focal_disparities(scene(3))
        assert len(lines) == 1
        assert "made for a clip of 48 frames, and this one has 3" in lines[0]

    def test_what_lies_past_the_end_is_told_and_left_out(self):
        focus = script(lock(0, 0.5), lock(3, 1.0), strength=({"frame": 7, "k": 2}, {"frame": 9, "k": 3}))
        values, lines = focus.focal_disparities(scene(3))
        assert values.tolist() == [0.5, 0.5, 0.5]
        assert len(lines) == 2
        assert "the focus decision at frame 3 lies past the end" in lines[0]
        assert "2 strength keys lie past the end" in lines[1]

    def test_a_sample_across_an_edge_is_told(self):
        # Around column 10: of the five pixels of the smaller disk one is near, a fifth, and no warning; of
        # the 13 of the larger one 1 + 3, which is more than a quarter.
        for radius, count in ((1, 0), (2, 1)):
            focus = script({**point(1, 10.5 / 30), "radius": radius})
            values, lines = focus.focal_disparities(scene(3), smoothing_frames=0)
            assert values.tolist() == pytest.approx([BETWEEN] * 3)
            assert len(lines) == count
        assert "frame 1 (radius 2 px) lies across an edge: disparity 0.50 was taken, and 0.80" in lines[0]


class TestStrength:
    def test_without_keys_it_is_the_default(self):
        assert script().strengths(2).tolist() == [16, 16]

    def test_it_is_held_outside_of_the_keys_and_eased_between(self):
        keys = ({"frame": 1, "k": 8}, {"frame": 5, "k": 16, "ease": "linear"})
        assert script(strength=keys).strengths(7).tolist() == [8, 8, 10, 12, 14, 16, 16]

    def test_smooth_is_the_default_and_cut_waits_for_its_frame(self):
        assert script(strength=({"frame": 0, "k": 0}, {"frame": 4, "k": 32})).strengths(5).tolist() == (
            [0, 5, 16, 27, 32]
        )
        keys = ({"frame": 0, "k": 4}, {"frame": 2, "k": 32, "ease": "cut"})
        assert script(strength=keys).strengths(4).tolist() == [4, 4, 32, 32]

    def test_a_key_past_the_end_is_approached(self):
        keys = ({"frame": 0, "k": 0}, {"frame": 10, "k": 20, "ease": "linear"}, {"frame": 12, "k": 0})
        assert script(strength=keys).strengths(3).tolist() == [0, 2, 4]
