"""Times of frames: by hand, and for files whose stamps are not the times of showing."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from bokeh_core.video_io import VideoFile
from bokeh_core.video_io.timing import is_run_of, shown_times
from tests.core.render.clips import moving_pictures, write_video


class TestShownTimes:
    def test_stamps_in_order_are_the_times(self):
        assert shown_times([5, 7, 30, 31], 2) == [5, 7, 30, 31]

    def test_stamps_that_count_stored_frames_are_put_in_order(self):
        # Stored I P B B: the P frame is stored before the two that are shown before it.
        assert shown_times([0, 2, 3, 1, 5, 6, 4], 1) == [0, 1, 2, 3, 4, 5, 6]

    def test_missing_and_repeated_stamps(self):
        assert shown_times([None, None, None], 40) == [0, 40, 80]
        assert shown_times([0, 10, 10, 20], 10) == [0, 10, 11, 20]


class TestRuns:
    def test_neighbours_that_take_in_the_frame(self):
        assert is_run_of([20, 30, 40], [0, 10, 20, 30, 40, 50], 3)

    @pytest.mark.parametrize("stamps", [[], [20, 40, 30], [30, 50], [35, 40], [40, 50], [0, 10], [None]])
    def test_all_else_is_none(self, stamps: list[int | None]):
        assert not is_run_of(stamps, [0, 10, 20, 30, 40, 50], 3)


def test_h264_in_avi_is_entered_where_it_was_left(tmp_path: Path):
    """AVI has no times of showing: with B-frames, stamps count frames in the order of storing."""
    path = write_video(
        tmp_path / "camera.avi",
        moving_pictures(40, 48, 64),
        codec="libx264",
        pixel_format="yuv420p",
        options={"crf": "4", "g": "12", "bf": "3", "x264-params": "b-adapt=0:scenecut=0"},
    )
    video = VideoFile(path)
    times = video.timestamps()
    assert [b - a for a, b in pairwise(times)] == [1] * 39
    assert video.format.time_base == Fraction(1, 24)
    whole = list(video.frames())
    for start in (1, 11, 14, 25, 38, 39):
        part = list(video.frames(start, times))
        assert len(part) == 40 - start
        assert all(torch.equal(a, b) for a, b in zip(part, whole[start:], strict=True))
