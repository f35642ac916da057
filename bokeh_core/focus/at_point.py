"""Focus on what lies at a point of the frame, or at points that keyframes name."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import torch
from torch import Tensor

from ..motion.map_cuts import MapCutFinder
from ..schedule.values import (
    Keyframes,
    interpolate_keyframes,
    late_keyframes_line,
    parse_keyframes,
    segment_at_frames,
)
from ..setting_checks import require_choice, require_whole_number
from .cuts import picture_cuts, shots_by_both
from .decided_path import focal_path
from .decision import MOST_RADIUS_PX, FocusDecision
from .maps import FrameMaps, checked_stream, require_frames_fit
from .measure import disk_at, surface_in
from .pull import FocusPull
from .report_lines import edge_line, frame_spans
from .smoothing import require_smoothing, smooth_within_pieces

FOLLOW_THE_POINT, RACK_FOCUS, TRACK_THE_SUBJECT = "follow the point", "rack focus", "track the subject"
# What happens between two point keyframes: the point travels with one subject; or the focus moves from the
# subject at one point to the subject at the other; or each subject is tracked, up to the next keyframe.
BETWEEN_POINTS = (FOLLOW_THE_POINT, RACK_FOCUS, TRACK_THE_SUBJECT)
DEFAULT_BETWEEN_POINTS = RACK_FOCUS

CENTRE = -1

# A point at a disparity farther than this from those in the keyframes around is on something else.
_ANOTHER_DEPTH = 0.1
_EASE_OF_EASING = {"linear": "linear", "hold": "cut"}


def focus_pull_at_point(
    disparity: FrameMaps,
    x_px: int = CENTRE,
    y_px: int = CENTRE,
    radius_px: int = 8,
    smoothing_frames: float = 2.0,
    keyframes: str = "",
    between_keyframes: str = DEFAULT_BETWEEN_POINTS,
    easing: str = "linear",
    frames: FrameMaps | None = None,
) -> tuple[FocusPull, list[str]]:
    """Focus on what lies at a point: the median disparity in a disk around it, per frame.

    The median of an even count is the lower one, so that a disk across an edge picks one of the
    two surfaces and never the empty space between.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        x_px: column, 0 = left; -1 = centre of the frame.
        y_px: row, 0 = top; -1 = centre of the frame.
        radius_px: radius of the disk, >= 0.
        smoothing_frames: standard deviation in frames of the smoothing over time, 0 = off; it stops at cuts,
            see `motion.cuts` and `motion.map_cuts`.
        keyframes: "frame: x, y" entries that replace x_px and y_px.
        between_keyframes: one of `BETWEEN_POINTS`. A tracked subject is left for the next one in the 12
            frames before its keyframe, as in a focus script.
        easing: curve between keyframes; see `schedule.EASINGS`.
        frames: [T, h, w, C] in [0, 1], of any size; needed to track a subject, and cuts are told from them.

    Returns:
        focal disparity of every frame and where it was measured, and lines of a report: what people may not
        have meant.

    Raises:
        ValueError: a point outside the frame, a negative radius or smoothing, unreadable keyframes, a subject
            to be tracked without frames, or another number of frames than maps.
    """
    maps = checked_stream(disparity)
    num_frames, height, width = maps.shape
    require_whole_number("radius", radius_px, 0, MOST_RADIUS_PX, "px", "0 = the pixel alone")
    require_choice("between_keyframes", between_keyframes, BETWEEN_POINTS)
    require_smoothing(smoothing_frames)
    require_frames_fit(frames, num_frames)
    points = point_keyframes(x_px, y_px, keyframes, (height, width))
    late = late_keyframes_line(points, num_frames)
    lines = [late] if late else []
    if between_keyframes == TRACK_THE_SUBJECT:
        if frames is None:
            raise ValueError(
                f"between_keyframes is {TRACK_THE_SUBJECT}, which needs the frames; connect them, or choose "
                f"{RACK_FOCUS}."
            )
        decisions = [
            _decision(frame, x, y, radius_px, easing, (height, width))
            for frame, (x, y) in zip(points.frames, points.values.tolist(), strict=True)
        ]
        pull, more = focal_path(decisions, maps, frames, None, smoothing_frames)
        return pull, [*lines, *more]

    map_cuts = MapCutFinder()
    before, after, weight = segment_at_frames(points, num_frames, easing)
    points_px = measured_points(points, num_frames, between_keyframes, easing)
    keyed = set(points.frames)
    ends = []
    for t, frame_map in enumerate(maps):
        map_cuts.add(frame_map)
        if between_keyframes == FOLLOW_THE_POINT:
            looked_at = [points_px[t]]
        else:
            looked_at = [points.values[index] for index in sorted({int(before[t]), int(after[t])})]
        found = [_surface(frame_map, point, radius_px) for point in looked_at]
        ends.append((found[0][0], found[-1][0]))
        if t in keyed:
            lines += [edge_line(t, radius_px, *found[0])] if found[0][1] == found[0][1] else []
    start, end = torch.tensor(ends).unbind(1)
    if between_keyframes == FOLLOW_THE_POINT:
        focal = start
        lines += _other_depth_lines(points, focal)
    else:
        focal = start + (end - start) * weight.float()
    cuts = shots_by_both(map_cuts, picture_cuts(frames))
    return FocusPull(smooth_within_pieces(focal, smoothing_frames, cuts), points_px), lines


Settings = ParamSpec("Settings")


def _focal_disparity_of(
    measure: Callable[Settings, tuple[FocusPull, list[str]]],
) -> Callable[Settings, Tensor]:
    @wraps(measure)
    def measured(*given: Settings.args, **named: Settings.kwargs) -> Tensor:
        return measure(*given, **named)[0].focal_disparity

    return measured


focus_at_point = _focal_disparity_of(focus_pull_at_point)
"""Focal disparity of every frame, float32 [T] in [0, 1]; takes what `focus_pull_at_point` does."""


def measured_points(
    points: Keyframes, num_frames: int, between_keyframes: str = FOLLOW_THE_POINT, easing: str = "linear"
) -> Tensor:
    """Where `focus_at_point` looks, float32 [T, 2].

    Args:
        points: (x, y) in px at each keyframe.
        num_frames: T.
        between_keyframes: one of `BETWEEN_POINTS`; in a rack focus the point is the one that the
            focus is nearer to.
        easing: curve between keyframes; see `schedule.EASINGS`.
    """
    if between_keyframes == FOLLOW_THE_POINT:
        return interpolate_keyframes(points, num_frames, easing)
    before, after, weight = segment_at_frames(points, num_frames, easing)
    return points.values[torch.where(weight < 0.5, before, after)].float()


def point_keyframes(x_px: int, y_px: int, keyframes: str, size: tuple[int, int]) -> Keyframes:
    """Return the points that `focus_at_point` measures at, (x, y) in px; arguments as there.

    Raises:
        ValueError: a point outside the frame of `size`, (height, width) in px; unreadable keyframes.
    """
    height, width = size
    if not isinstance(keyframes, str) or keyframes.strip():
        points = parse_keyframes(keyframes, 2, "Point keyframes")
    else:
        for name, value, length in (("x", x_px, width), ("y", y_px, height)):
            require_whole_number(name, value, -(10**9), 10**9, "px", f"0 to {length - 1} here, -1 = centre")
        x = width // 2 if x_px == CENTRE else x_px
        y = height // 2 if y_px == CENTRE else y_px
        points = Keyframes((0,), torch.tensor([[x, y]], dtype=torch.float64))
    for x, y in points.values.tolist():
        require_inside(x, y, width, height)
    return points


def require_inside(x: float, y: float, width: int, height: int) -> None:
    """Check that a point lies in a frame.

    Raises:
        ValueError: it does not.
    """
    if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
        raise ValueError(
            f"The point ({x:g}, {y:g}) is outside the frame of {width} x {height} px; "
            f"x must be 0 to {width - 1} and y 0 to {height - 1}."
        )


def _surface(disparity: Tensor, point: Tensor, radius_px: int) -> tuple[float, float]:
    x, y = (round(value) for value in point.tolist())
    return surface_in(disk_at(disparity, x, y, radius_px))


def _decision(
    frame: int, x: float, y: float, radius_px: int, easing: str, size: tuple[int, int]
) -> FocusDecision:
    height, width = size
    place = (x + 0.5) / width, (y + 0.5) / height
    return FocusDecision(
        frame, "follow", *place, radius=radius_px, ease=_EASE_OF_EASING.get(easing, "smooth")
    )


def _other_depth_lines(points: Keyframes, focal: Tensor) -> list[str]:
    """Name the frames in which a travelling point is neither on what it began with nor on what it ends on."""
    lines = []
    last = len(focal) - 1
    for first, second in zip(points.frames, points.frames[1:], strict=False):
        a, b = min(first, last), min(second, last)
        ends = focal[[a, b]]
        between = focal[a : b + 1]
        away = (between < ends.min() - _ANOTHER_DEPTH) | (between > ends.max() + _ANOTHER_DEPTH)
        if bool(away.any()):
            lines.append(
                f"Warning: between the keyframes at {first} and {second} the point passes over something "
                f"else, at disparity {between[away][0].item():.2f} in {frame_spans(away, a)}, and the focus "
                f"with it. {RACK_FOCUS} goes from one subject to the other, {TRACK_THE_SUBJECT} stays on one."
            )
    return lines
