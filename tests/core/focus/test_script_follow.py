"""Decisions that follow a subject: tracked from their frame on and back, by a mask where one lies on it."""

import pytest
import torch
from torch import Tensor

from bokeh_core.focus.at_point import focus_at_point
from bokeh_core.focus.decision import FocusDecision
from bokeh_core.focus.script import FocusScript

from .moving_scene import BACKGROUND, HEIGHT, SIDE_PX, WIDTH, moving_subject

LEFT = [10 + 4 * t for t in range(20)]
MIDDLE_ROW = (27 + SIDE_PX / 2) / HEIGHT


def followed(frame: int, left: int, **more: object) -> FocusDecision:
    return FocusDecision(
        frame,
        "follow",
        (left + SIDE_PX / 2) / WIDTH,
        MIDDLE_ROW,
        radius=3,
        **more,  # type: ignore[arg-type]
    )


def test_a_subject_is_followed_from_its_decision_on_and_back():
    disparities = [0.4 + 0.02 * t for t in range(20)]
    frames, maps = moving_subject(disparities, LEFT)
    pull, lines = FocusScript(focus=(followed(8, LEFT[8]),)).focus_pull(maps, frames, smoothing_frames=0)
    assert pull.focal_disparity.tolist() == pytest.approx(disparities, abs=1e-3)
    assert pull.points_px is not None
    expected = torch.tensor([left + SIDE_PX / 2 - 0.5 for left in LEFT])
    torch.testing.assert_close(pull.points_px[:, 0], expected, atol=1.5, rtol=0)
    assert lines == []


def test_a_cut_ends_it_on_either_side_and_the_focus_holds():
    frames, maps = moving_subject([0.7] * 20, LEFT)
    other, other_maps = moving_subject([0.4] * 6, [20] * 6, seed=7)
    clip, disparity = torch.cat((other, frames, other)), torch.cat((other_maps, maps, other_maps))
    script = FocusScript(focus=(followed(10, LEFT[4]),))
    values, lines = script.focal_disparities(disparity, clip)
    assert values.tolist() == pytest.approx([0.7] * 32, abs=1e-3)
    assert len(lines) == 1
    assert "from frame 10 on is hidden, lost or in another shot in frames 0 to 5, 26 to 31" in lines[0]


def test_a_mask_that_lies_on_the_subject_takes_over():
    frames, maps = moving_subject([0.7] * 20, LEFT)
    # Inside the mask the maps are 0.6, which the track, at another place, does not see.
    mask = torch.zeros(20, HEIGHT, WIDTH)
    for t, left in enumerate(LEFT):
        mask[t, 28:36, left + 1 : left + SIDE_PX - 1] = 1
        maps[t, 28:36, left + 1 : left + SIDE_PX - 1] = 0.65
    mask[12:15] = 0
    on_it = FocusDecision(0, "follow", (LEFT[0] + SIDE_PX / 2) / WIDTH, 32 / HEIGHT, radius=3)
    values = FocusScript(focus=(on_it,)).focal_disparities(maps, frames, mask, smoothing_frames=0)[0]
    assert values.tolist() == pytest.approx([0.65] * 20, abs=1e-3)
    beside_it = FocusDecision(0, "follow", (LEFT[0] + SIDE_PX / 2) / WIDTH, 52 / HEIGHT, radius=3)
    values = FocusScript(focus=(beside_it,)).focal_disparities(maps, frames, mask, smoothing_frames=0)[0]
    assert values.tolist() == pytest.approx([0.7] * 20, abs=1e-3)


def test_the_focus_racks_from_one_subject_to_another():
    frames, maps = moving_subject([0.8] * 20, LEFT)
    background = FocusDecision(16, "point", 0.05, 0.1, radius=2, transition=4, ease="linear")
    script = FocusScript(focus=(followed(0, LEFT[0]), background))
    values = script.focal_disparities(maps, frames, smoothing_frames=0)[0].tolist()
    assert values[:13] == pytest.approx([0.8] * 13, abs=1e-3)
    assert values[12:17] == pytest.approx([0.8, 0.65, 0.5, 0.35, BACKGROUND], abs=1e-3)


class Streamed:
    """Frames or maps that are read anew, one at a time."""

    def __init__(self, values: Tensor) -> None:
        self.shape, self._values = values.shape, values

    def __iter__(self):
        return iter(self._values)


def test_streams_give_what_tensors_give():
    frames, maps = moving_subject([0.5 + 0.01 * t for t in range(20)], LEFT)
    script = FocusScript(focus=(followed(4, LEFT[4]),))
    streamed, _ = script.focal_disparities(Streamed(maps), Streamed(frames))
    assert torch.equal(streamed, script.focal_disparities(maps, frames)[0])


def test_what_cannot_be_followed_is_refused():
    frames, maps = moving_subject([0.7] * 4, LEFT[:4])
    script = FocusScript(focus=(followed(0, LEFT[0]),))
    with pytest.raises(ValueError, match="frame 0 is of the kind follow, and a subject is followed in"):
        script.focal_disparities(maps)
    with pytest.raises(ValueError, match="There are 3 frames and 4 maps; connect the frames"):
        script.focal_disparities(maps, frames[:3])


class TestAtPoint:
    def test_a_point_is_tracked(self):
        disparities = [0.4 + 0.02 * t for t in range(20)]
        frames, maps = moving_subject(disparities, LEFT)
        column, row = LEFT[0] + SIDE_PX // 2, 27 + SIDE_PX // 2
        values = focus_at_point(maps, column, row, 3, 0, between_keyframes="track the subject", frames=frames)
        assert values.tolist() == pytest.approx(disparities, abs=1e-3)

    def test_keyframes_are_decisions(self):
        frames, maps = moving_subject([0.8] * 20, LEFT)
        # From the subject to the background, in the 12 frames before frame 19.
        keyframes = f"0: {LEFT[0] + SIDE_PX // 2}, 45\n19: 5, 5"
        values = focus_at_point(
            maps,
            radius_px=2,
            smoothing_frames=0,
            keyframes=keyframes,
            between_keyframes="track the subject",
            frames=frames,
        )
        assert values[:8].tolist() == pytest.approx([0.8] * 8, abs=1e-3)
        assert values[13].item() == pytest.approx(0.5, abs=1e-3)
        assert values[19].item() == pytest.approx(BACKGROUND, abs=1e-3)

    def test_it_needs_the_frames(self):
        with pytest.raises(ValueError, match=r"track the subject.* needs the frames; connect them"):
            focus_at_point(moving_subject([0.7], [5])[1], 8, 40, between_keyframes="track the subject")
