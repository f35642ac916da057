"""A subject is followed by its picture and its disparity, and said to be lost where it is."""

import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.focus.track import SubjectTracker, Tracked
from bokeh_core.focus.view import gated, view_of

from .moving_scene import HEIGHT, SIDE_PX, WIDTH, moving_subject

MIDDLE = SIDE_PX / 2


def track(frames: Tensor, maps: Tensor, column: float, row: float = 27 + MIDDLE) -> list[Tracked]:
    """Follow what lies at a place of the first frame."""
    views = [view_of(frame, disparity) for frame, disparity in zip(frames, maps, strict=True)]
    tracker = SubjectTracker(views[0], column / WIDTH, row / HEIGHT, 3 / WIDTH)
    return [tracker.here, *(tracker.step(view) for view in views[1:])]


def focal(tracked: list[Tracked]) -> list[float]:
    return [one.focal_disparity for one in tracked]


def test_a_subject_that_moves_is_followed():
    left = [10 + 4 * t for t in range(20)]
    seen = track(*moving_subject([0.7] * 20, left), column=10 + MIDDLE)
    assert focal(seen) == pytest.approx([0.7] * 20, abs=1e-3)
    # A still point would see the background from frame 5 on.
    places = [one.x * WIDTH for one in seen]
    assert places == pytest.approx([first + MIDDLE for first in left], abs=1.0)
    assert [one.y * HEIGHT for one in seen] == pytest.approx([27 + MIDDLE] * 20, abs=1.0)


def test_a_subject_that_comes_nearer_is_followed():
    disparities = [0.4 + 0.02 * t for t in range(20)]
    seen = track(*moving_subject(disparities, [20 + 3 * t for t in range(20)]), column=20 + MIDDLE)
    assert focal(seen) == pytest.approx(disparities, abs=1e-3)


def test_the_background_is_followed_where_it_was_chosen():
    seen = track(*moving_subject([0.7] * 12, [10 + 8 * t for t in range(12)]), column=130, row=45)
    # The subject passes before it in the end; until then it is there.
    assert focal(seen)[:8] == pytest.approx([0.2] * 8, abs=1e-3)


def test_a_subject_behind_a_bar_is_lost_and_found_again():
    left = [4 * t for t in range(26)]
    frames, maps = moving_subject([0.6] * 26, left, bar=(50, 90))
    seen = track(frames, maps, column=MIDDLE)
    hidden = [t for t in range(26) if left[t] >= 50 and left[t] + SIDE_PX <= 90]
    assert hidden == [13]
    values = torch.tensor(focal(seen))
    known = ~values.isnan()
    torch.testing.assert_close(values[known], torch.full_like(values[known], 0.6), atol=1e-3, rtol=0)
    assert not known[hidden].any()
    assert seen[13].confidence == 0
    assert known[:6].all() and known[-4:].all()
    assert seen[-1].x * WIDTH == pytest.approx(left[-1] + MIDDLE, abs=2.0)


def test_a_subject_that_leaves_is_lost_for_good():
    left = [60 + 8 * t for t in range(20)]
    seen = track(*moving_subject([0.7] * 20, left), column=60 + MIDDLE)
    gone = [t for t in range(20) if left[t] > WIDTH]
    values = torch.tensor(focal(seen))
    assert bool(values[gone].isnan().all())
    known = values[~values.isnan()]
    assert len(known) > 5
    torch.testing.assert_close(known, torch.full_like(known, 0.7), atol=1e-3, rtol=0)


def test_something_that_passes_before_the_subject_is_not_followed():
    # The bar moves with nothing; the subject stands, and something nearer crosses the lower half of it.
    frames, maps = moving_subject([0.5] * 16, [60] * 16)
    for t in range(16):
        columns = slice(20 + 6 * t, 50 + 6 * t)
        frames[t, 45:, columns] = frames[0, :45, 0:30]
        maps[t, 45:, columns] = 0.9
    assert focal(track(frames, maps, column=60 + MIDDLE, row=35)) == pytest.approx([0.5] * 16, abs=1e-3)


def test_where_the_picture_says_nothing_the_shape_is_followed():
    left = [10 + 6 * t for t in range(16)]
    frames, maps = moving_subject([0.7] * 16, left)
    # Grey fog: from frame 4 to 9 nothing is seen of either.
    frames[4:10] = 0.5
    seen = track(frames, maps, column=10 + MIDDLE)
    assert focal(seen) == pytest.approx([0.7] * 16, abs=1e-3)
    assert [one.x * WIDTH for one in seen] == pytest.approx([first + MIDDLE for first in left], abs=2.0)


def test_another_shape_at_that_depth_is_not_followed():
    frames, maps = moving_subject([0.7] * 8, [20] * 8)
    frames[4:] = 0.5
    maps[4:] = 0.2
    maps[4:, 30:34, 30:34] = 0.7
    assert all(one.confidence == 0 for one in track(frames, maps, column=20 + MIDDLE)[4:])


def test_a_place_outside_of_the_frame_has_no_disparity():
    view = view_of(torch.zeros(20, 30, 3), torch.full((20, 30), 0.5))
    for place in ((-40.0, 5.0), (5.0, 90.0), (1e4, -1e4)):
        assert gated(view.disparity, np.array(place, np.float32), 3.0, 0.5, 0.1) is None


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (40, 3)])
def test_frames_of_any_size_are_taken(size: tuple[int, int]):
    frames = torch.rand(3, *size, 3, generator=torch.Generator().manual_seed(0))
    views = [view_of(frame, torch.full(size, 0.5)) for frame in frames]
    tracker = SubjectTracker(views[0], 1.0, 0.0, 0.1)
    assert tracker.here.focal_disparity == 0.5
    for view in views[1:]:
        assert tracker.step(view).focal_disparity in (0.5, pytest.approx(float("nan"), nan_ok=True))


def test_maps_of_another_size_than_the_frames_are_taken():
    frames, maps = moving_subject([0.7] * 8, [10 + 4 * t for t in range(8)])
    small = maps[:, ::2, ::2]
    assert focal(track(frames, small, column=10 + MIDDLE)) == pytest.approx([0.7] * 8, abs=1e-3)
