"""A strip of a clip: which frames, what its files hold, and that they are written once."""

from itertools import pairwise
from pathlib import Path

import cv2
import pytest
import torch

from bokeh_core.preview.strip import LONGEST_SIDE_PX, MOST_FRAMES, frames_of_strip, small_clip, write_strip


def test_a_short_clip_is_there_as_a_whole():
    assert frames_of_strip(1) == [0]
    assert frames_of_strip(MOST_FRAMES) == list(range(MOST_FRAMES))


def test_a_long_clip_is_spread_evenly_with_both_ends():
    assert frames_of_strip(9, most=5) == [0, 2, 4, 6, 8]
    shown = frames_of_strip(5000)
    assert len(shown) == MOST_FRAMES
    assert (shown[0], shown[-1]) == (0, 4999)
    # Halving leaves gaps that differ by a factor of 2 at most.
    assert max(b - a for a, b in pairwise(shown)) <= 2 * 5000 / (MOST_FRAMES - 1)


def test_frames_with_a_decision_are_among_them():
    shown = frames_of_strip(5000, [17, 4001, 9999, -1])
    assert {17, 4001} < set(shown)
    assert not {9999, -1} & set(shown)


def test_many_decisions_leave_room_for_the_clip():
    shown = frames_of_strip(5000, range(100, 400))
    assert len(shown) == MOST_FRAMES
    assert len([frame for frame in shown if not 100 <= frame < 400]) >= MOST_FRAMES // 2


def test_files_hold_picture_and_depth(tmp_path: Path):
    frames = torch.zeros(2, 4, 6, 3)
    frames[1] = torch.tensor([1.0, 0.5, 0.0])
    disparity = torch.linspace(0, 1, 24).reshape(1, 4, 6).repeat(2, 1, 1)
    strip = write_strip(tmp_path, disparity, frames)
    assert (strip.frames, strip.width, strip.height, strip.shown) == (2, 6, 4, [0, 1])
    depth = cv2.imread(str(tmp_path / strip.disparity[0]), cv2.IMREAD_UNCHANGED)
    assert depth.flatten().tolist() == [round(255 * i / 23) for i in range(24)]
    blue, green, red = cv2.imread(str(tmp_path / strip.pictures[1]))[2, 3].tolist()
    assert abs(red - 255) < 8 and abs(green - 128) < 8 and abs(blue) < 8


def test_the_same_content_is_written_once(tmp_path: Path):
    disparity = torch.rand(3, 5, 5, generator=torch.Generator().manual_seed(0))
    first = write_strip(tmp_path, disparity)
    before = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert write_strip(tmp_path, disparity) == first
    assert {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before
    assert first.pictures == []


def test_large_frames_are_made_small_without_mixing_depth(tmp_path: Path):
    disparity = torch.zeros(1, 10, 2 * LONGEST_SIDE_PX)
    disparity[:, :, LONGEST_SIDE_PX:] = 1
    strip = write_strip(tmp_path, disparity, torch.zeros(1, 10, 2 * LONGEST_SIDE_PX, 3))
    depth = cv2.imread(str(tmp_path / strip.disparity[0]), cv2.IMREAD_UNCHANGED)
    assert depth.shape == (5, LONGEST_SIDE_PX)
    assert set(depth.flatten().tolist()) == {0, 255}
    assert cv2.imread(str(tmp_path / strip.pictures[0])).shape == (5, LONGEST_SIDE_PX, 3)


def test_sizes_that_differ_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="disparity is 4 x 4 px but the frames are 5 x 5 px"):
        write_strip(tmp_path, torch.zeros(1, 4, 4), torch.zeros(1, 5, 5, 3))
    assert list(tmp_path.iterdir()) == []


def test_a_preview_is_as_small_as_the_strip():
    frames = torch.ones(3, 10, 2 * LONGEST_SIDE_PX, 3)
    disparity = torch.zeros(3, 10, 2 * LONGEST_SIDE_PX)
    disparity[2, :, LONGEST_SIDE_PX:] = 0.3
    pictures, maps = small_clip(frames, disparity, [0, 2])
    assert pictures.shape == (2, 5, LONGEST_SIDE_PX, 3)
    assert maps.shape == (2, 5, LONGEST_SIDE_PX)
    assert maps[0].max() == 0
    assert maps[1, :, : LONGEST_SIDE_PX // 2].max() == 0
    assert maps[1, :, LONGEST_SIDE_PX // 2 :].unique().tolist() == pytest.approx([0.3])
