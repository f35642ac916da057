"""Times of frames: by hand, and for files whose stamps are not the times of showing."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from bokeh_core.video_io import Encoding, VideoFile, require_times_fit
from bokeh_core.video_io.timing import is_run_of, require_no_gap, shown_times, tick_of, times_in_ticks
from tests.core.render.clips import moving_pictures, times_of, write_video
from tests.core.video_io.rewriting import rewritten


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


MILLISECOND = Fraction(1, 1000)


class TestTicks:
    def test_times_are_within_half_a_tick(self):
        # 1/240 s is 4.17 ms, 1/480 s is 2.08 ms, 1/960 s is 1.04 ms.
        assert times_in_ticks(range(5), Fraction(1, 240), MILLISECOND) == [0, 4, 8, 12, 17]
        assert times_in_ticks(range(5), Fraction(1, 480), MILLISECOND) == [0, 2, 4, 6, 8]
        assert times_in_ticks([0, 24, 25, 48], Fraction(1, 960), MILLISECOND) == [0, 25, 26, 50]

    def test_frames_of_one_tick_follow_each_other(self):
        # 0, 10, 10.011 and 20 ms; two frames of one tick would be one frame.
        assert times_in_ticks([0, 900, 901, 1800], Fraction(1, 90000), MILLISECOND) == [0, 10, 11, 20]

    def test_frames_that_are_hours_apart(self):
        # 32 bits without a sign, halved: 2147483647 ticks of 1/90000 s are 6.6 hours.
        require_no_gap([0, 2147483647], Fraction(1, 90000), Fraction(1, 90000))
        with pytest.raises(ValueError, match=r"Frame 2 comes 13\.9 hours .* no more than 6\.6 can be stored"):
            require_no_gap([0, 3750, 3750 + 4500000000], Fraction(1, 90000), Fraction(1, 90000))

    def test_more_frames_than_ticks(self):
        with pytest.raises(ValueError, match=r"from frame 8 on, .* faster than 1000 a second"):
            # Frame n is n - 0.8 n ticks late: 1.4 for number 7, 1.6 for number 8.
            times_in_ticks(range(100), Fraction(1, 1250), MILLISECOND)

    def test_units_of_containers(self):
        assert tick_of("matroska", Fraction(1, 90000)) == MILLISECOND
        assert tick_of("mp4", Fraction(1001, 30000)) == Fraction(1, 30000)
        assert tick_of("mov", Fraction(1, 10**9)) == Fraction(1, 10**6)


class TestFastClips:
    @pytest.mark.parametrize("rate", [240, 960, 1200, 5000])
    def test_mp4_holds_every_time(self, tmp_path: Path, rate: int):
        source = fast_clip(tmp_path / "fast.mp4", rate)
        made = rewritten(source, tmp_path / "out.mp4", Encoding("h264", 4), [(0, 7), (7, 12)])
        assert times_of(made.path) == [Fraction(t, rate) for t in range(12)]
        assert in_order(made)

    @pytest.mark.parametrize("rate", [240, 960])
    def test_mkv_holds_milliseconds(self, tmp_path: Path, rate: int):
        source = fast_clip(tmp_path / "fast.mp4", rate)
        made = rewritten(source, tmp_path / "out.mkv", Encoding("h264", 4), [(0, 7), (7, 12)])
        times = times_of(made.path)
        assert len(set(times)) == 12
        assert all(abs(time - Fraction(t, rate)) <= MILLISECOND / 2 for t, time in enumerate(times))
        assert in_order(made)

    def test_what_mkv_cannot_hold_is_refused(self, tmp_path: Path):
        video = VideoFile(fast_clip(tmp_path / "fast.mp4", 1200))
        times = video.timestamps()
        for ending in (".mp4", ".mov"):
            require_times_fit(times, video.format, tmp_path / f"out{ending}", Encoding().endings)
        for codec, advice in (("h264", r"ends in \.mp4 or \.mov"), ("ffv1", "Choose h264 or prores")):
            with pytest.raises(ValueError, match=rf"out\.mkv cannot hold the times .* {advice}\."):
                require_times_fit(times, video.format, tmp_path / "out.mkv", Encoding(codec).endings)


def fast_clip(path: Path, rate: int) -> Path:
    return write_video(
        path,
        moving_pictures(12, 32, 48),
        time_base=Fraction(1, rate),
        codec="libx264",
        pixel_format="yuv420p",
        options={"crf": "4"},
    )


def in_order(video: VideoFile) -> bool:
    """Whether each frame is 8/255 brighter than the one before, and darker where the pattern starts again."""
    means = [frame.mean().item() * 255 for frame in video.frames()]
    return all(abs(b - a - (-56 if t == 8 else 8)) < 4 for t, (a, b) in enumerate(pairwise(means), 1))


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
