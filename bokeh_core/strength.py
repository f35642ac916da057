"""Blur strength K per frame: constant, ramped or scheduled (paper Eq. 1: r = K |d - d_f|).

`strength` and `blur_strength` are K as users set it, in px of blur radius per unit of disparity on a frame
1024 px wide; `strength_px` and `blur_strength_px` are K in px of the frame at hand, as all that renders takes
it. `strength_in_pixels` leads from the one to the other.
"""

import torch
from torch import Tensor

from .clip.checks import checked_values
from .reference_width import REFERENCE_WIDTH_PX, in_frame_px
from .schedule.text import MOST_FRAME
from .schedule.values import ramp, schedule_values
from .setting_checks import require_choice, require_number, require_whole_number

MODES = ("constant", "ramp", "schedule")

DEFAULT_STRENGTH = 16.0
"""K where nobody chose one, in px on a frame 1024 px wide."""

MAX_STRENGTH = 200.0
"""Greatest K, in px on a frame 1024 px wide: a point spreads over 40 % of the frame's width. Beyond, memory
grows and no picture is left."""

# K = 16 is named f/2.8. Radius is proportional to aperture diameter and so to 1/N; the true N depends
# on focal length, sensor and distances that a disparity map does not carry.
_F_NUMBER_TIMES_STRENGTH = 2.8 * 16


def blur_strength(
    mode: str = "constant",
    strength: float = DEFAULT_STRENGTH,
    end_strength: float = DEFAULT_STRENGTH,
    easing: str = "linear",
    schedule: str = "",
    num_frames: int | None = None,
) -> Tensor:
    """Return K for every frame, in px of blur radius per unit disparity on a frame 1024 px wide.

    Args:
        mode: "constant" (strength), "ramp" (strength to end_strength over the clip) or "schedule".
        strength: K, 0 to `MAX_STRENGTH` px.
        end_strength: K at the last frame of a ramp.
        easing: curve of a ramp and between keyframes; see `schedule.EASINGS`.
        schedule: text for `schedule.schedule_values` with the column "blur_strength".
        num_frames: length of the clip if known; a ramp and keyframes need it.

    Returns:
        float32 [num_frames]; [1] for a constant of unknown length.

    Raises:
        ValueError: K outside of 0 to `MAX_STRENGTH`, unknown mode, a missing length or a schedule shorter
            than the clip.
    """
    require_choice("mode", mode, MODES)
    if num_frames is not None:
        require_whole_number("The length of the clip", num_frames, 1, MOST_FRAME, "frames")
    if mode == "schedule":
        return scheduled_strength(schedule, num_frames, easing)
    require_number("strength", strength, 0, MAX_STRENGTH, "px", "0 = no blur")
    if mode == "constant":
        return torch.full((num_frames or 1,), float(strength))
    require_number("end_strength", end_strength, 0, MAX_STRENGTH, "px", "0 = no blur")
    if num_frames is None:
        raise ValueError("A ramp needs the length of the clip; connect the disparity.")
    return ramp(strength, end_strength, num_frames, easing)


def scheduled_strength(text: str, num_frames: int | None, easing: str = "linear") -> Tensor:
    """Return K for every frame, float32 [num_frames], from a text as `schedule.schedule_values` takes it.

    Raises:
        ValueError: unreadable text, K outside of 0 to `MAX_STRENGTH`, or fewer values than frames.
    """
    return schedule_values(
        text, num_frames, column="blur_strength", easing=easing, minimum=0.0, maximum=MAX_STRENGTH
    )


def checked_strength(strength: Tensor) -> Tensor:
    """Return K [T], stated for a frame 1024 px wide, as float32, checked to lie in 0 to `MAX_STRENGTH`."""
    return checked_values(strength, "blur_strength", 0, MAX_STRENGTH, "px")


def checked_strength_px(strength_px: Tensor, frame_width_px: int) -> Tensor:
    """Return K [T] in px of frames of the given width as float32, checked against `most_strength_px`."""
    return checked_values(strength_px, "blur_strength_px", 0, most_strength_px(frame_width_px), "px")


def most_strength_px(frame_width_px: int) -> float:
    """Greatest K in px of a frame of the given width; one under 1024 px takes what one of 1024 px takes."""
    return in_frame_px(MAX_STRENGTH, max(REFERENCE_WIDTH_PX, frame_width_px))


def strength_in_pixels(strength: Tensor, frame_width_px: int) -> Tensor:
    """Turn K [T] as it is set over into px of the frames that are rendered: `strength` into `strength_px`.

    Args:
        strength: K >= 0 in px of blur radius per unit of disparity on a frame 1024 px wide.
        frame_width_px: of the frames; for the network, of the size it works at.

    Raises:
        ValueError: see `checked_strength`.
    """
    return in_frame_px(checked_strength(strength), frame_width_px)


def relative_f_number_label(strength: Tensor) -> str:
    """Describe K [T] as an f-number on a relative scale where K = 16 is f/2.8."""
    first, last = (_f_number(value) for value in (strength[0].item(), strength[-1].item()))
    low, high = strength.min().item(), strength.max().item()
    if low == high:
        text = f"about {first}" if low > 0 else first
        strengths = f"K = {low:g}"
    else:
        text = f"{first} to {last}"
        strengths = f"K = {low:g} to {high:g}"
    return f"{text} (relative: K = 16 counts as f/2.8; {strengths} px at {REFERENCE_WIDTH_PX} px wide)"


def _f_number(strength: float) -> str:
    if strength == 0:
        return "no blur"
    f_number = _F_NUMBER_TIMES_STRENGTH / strength
    return f"f/{f_number:.1f}" if f_number < 10 else f"f/{f_number:.0f}"
