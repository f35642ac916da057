"""What a focus at points says of what its user may not have meant."""

import torch
from torch import Tensor

from bokeh_core.focus.at_point import focus_pull_at_point

NEAR, BETWEEN, FAR = 0.8, 0.4, 0.2


def thirds(num_frames: int) -> Tensor:
    """Near on the left, far in the middle, between the two on the right; [T, 9, 30]."""
    disparity = torch.full((num_frames, 9, 30), NEAR)
    disparity[:, :, 10:] = FAR
    disparity[:, :, 20:] = BETWEEN
    return disparity


def lines(keyframes: str, between: str = "rack focus", radius_px: int = 1, num_frames: int = 9) -> list[str]:
    return focus_pull_at_point(thirds(num_frames), 0, 0, radius_px, 0, keyframes, between)[1]


def test_nothing_is_said_of_plain_points():
    assert lines("0: 5, 4; 8: 25, 4") == []
    assert lines("") == []
    assert lines("0: 3, 4; 8: 6, 4", "follow the point") == []


def test_a_keyframe_past_the_end_is_told():
    told = lines("0: 5, 4; 9: 25, 4")
    assert len(told) == 1
    assert "keyframe at frame 9 lies past the end of the clip, whose last frame is 8" in told[0]


def test_a_path_over_another_depth_is_told():
    # x is 5, 7.5, 10, 12.5 ... 25: pixels 10, 12, 15, 18 in frames 2 to 5 are far, and 20 in frame 6 is not.
    told = lines("0: 5, 4; 8: 25, 4", "follow the point", radius_px=0)
    assert len(told) == 1
    assert "between the keyframes at 0 and 8" in told[0]
    assert "at disparity 0.20 in frames 2 to 5, and the focus with it. rack focus goes" in told[0]


def test_a_sample_across_an_edge_is_told():
    # Of the 13 pixels of the disk around column 10, the 4 left of it are near.
    told = lines("3: 10, 4", radius_px=2)
    assert len(told) == 1
    assert (
        "sample at frame 3 (radius 2 px) lies across an edge: disparity 0.20 was taken, and 0.80" in told[0]
    )


def test_cuts_are_told_from_the_pictures_as_well():
    # The maps change by too little for a cut; the pictures do not go on.
    random = torch.Generator().manual_seed(0)
    shots = [torch.rand(1, 40, 60, 3, generator=random).expand(6, -1, -1, -1) for _ in range(2)]
    maps = torch.full((12, 9, 30), 0.5)
    maps[6:, 3:6, 13:17] = 0.7
    pull, _ = focus_pull_at_point(maps, smoothing_frames=2.0, radius_px=1, frames=torch.cat(shots))
    assert pull.focal_disparity.tolist() == [0.5] * 6 + [maps[6, 4, 15].item()] * 6
    smoothed, _ = focus_pull_at_point(maps, smoothing_frames=2.0, radius_px=1)
    assert smoothed.focal_disparity[5] > 0.55
