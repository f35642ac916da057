"""Nodes that say where the lens is focused: Focus at Value, Focus at Point, Focus on Mask."""

import json
import logging
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..bokeh_core.clip.checks import checked_frames, checked_maps
from ..bokeh_core.focus.at_point import (
    BETWEEN_POINTS,
    DEFAULT_BETWEEN_POINTS,
    focus_pull_at_point,
    point_keyframes,
)
from ..bokeh_core.focus.focal_plane import focus_at_value, focus_on_mask
from ..bokeh_core.focus.pull import centres_of_masks
from ..bokeh_core.schedule.values import EASINGS, keyframe_notes
from . import categories, sockets
from .newer_host import gradient_slider, known_fields
from .strip_report import strip_report

logger = logging.getLogger(__name__)

_SEARCH = ["focal plane", "rack focus", "focus pull", "pull focus", "autofocus", "bokeh"]


def _disparity_input() -> Any:
    return sockets.Disparity.Input(
        "disparity", tooltip="The clip's disparity; it gives the number of frames."
    )


def _smoothing_input() -> Any:
    return io.Float.Input(
        "smoothing",
        default=2.0,
        min=0.0,
        max=100.0,
        step=0.5,
        optional=True,
        tooltip="Smoothing over time, as a standard deviation in frames; it stops at cuts. Default 2; 0 is "
        "off, best for maps normalised frame by frame. More steadies a measurement that jitters; less "
        "follows fast subjects.",
    )


def between_keyframes_input(more: str) -> Any:
    """The widget that says what becomes of the focus between points; `more` ends its tooltip."""
    return io.Combo.Input(
        "between_keyframes",
        options=list(BETWEEN_POINTS),
        default=DEFAULT_BETWEEN_POINTS,
        optional=True,
        tooltip="rack focus (default): from what lies at one point to what lies at the next, never on what "
        "is between. follow the point: the point travels, with a moving subject. track the subject: what "
        f"lies at a point is tracked to the next keyframe. {more}",
    )


def _frames_input() -> Any:
    return io.Image.Input(
        "frames",
        optional=True,
        tooltip="The video frames that the disparity was made for. Cuts are then told from the pictures as "
        "well, and a subject can be tracked. Not connected: cuts are told from the disparity alone.",
    )


def _checked(frames: Any) -> Tensor | None:
    return None if frames is None else checked_frames(frames)


def _easing_input() -> Any:
    return io.Combo.Input(
        "easing",
        options=list(EASINGS),
        default="linear",
        optional=True,
        tooltip="How the focus moves between keyframes. linear (default) is even, smooth starts and ends "
        "gently like a focus puller, hold jumps at the next keyframe.",
    )


def _outputs() -> list[Any]:
    return [
        sockets.Focus.Output(display_name="focus", tooltip="Focal disparity of every frame."),
        io.Float.Output(
            display_name="focal_disparity", tooltip="Focal disparity of the first frame, 0 to 1."
        ),
    ]


def _output(
    focus: Tensor, points_px: Tensor | None = None, ui: dict[str, list[Any]] | None = None
) -> io.NodeOutput:
    return io.NodeOutput(sockets.FocusPull(focus, points_px), focus[0].item(), ui=ui)


def _log_late_keyframes(keyframes: str, num_values: int, num_frames: int) -> None:
    """Say in the log what is no error: a part of a clip is tried out with the keyframes of the whole."""
    if note := keyframe_notes(keyframes, num_values, num_frames):
        logger.warning(note)


class FocusAtValue(io.ComfyNode):
    """A number or a schedule -> FOCUS."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehFocusAtValue",
            display_name="Focus at Value (Focus Pull)",
            category=categories.FOCUS,
            description="Focuses at a given disparity, constant or on keyframes for a rack focus.",
            inputs=[
                _disparity_input(),
                io.Float.Input(
                    "focal_disparity",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.005,
                    round=False,
                    tooltip="Disparity that is sharp: 1 = nearest point of the clip, 0 = farthest. "
                    "Default 0.5. Not used where keyframes are given.",
                    # As maps show it: black is far, white near.
                    **gradient_slider(0, 255),
                ),
                io.String.Input(
                    "keyframes",
                    default="",
                    multiline=True,
                    optional=True,
                    placeholder="0: 0.9\n24: 0.5",
                    tooltip="Focus over time, empty (default) = constant. Keyframes 'frame: value', one a "
                    "line, held before the first and after the last; or a CSV table with the column "
                    "focal_disparity; or a list of one value per frame.",
                ),
                _easing_input(),
            ],
            outputs=_outputs(),
            **known_fields(io.Schema, search_aliases=_SEARCH),
        )

    @classmethod
    def execute(
        cls, disparity: Any, focal_disparity: float = 0.5, keyframes: str = "", easing: str = "linear"
    ) -> io.NodeOutput:
        focus = focus_at_value(len(checked_maps(disparity)), focal_disparity, keyframes, easing)
        _log_late_keyframes(keyframes, 1, len(focus))
        return _output(focus)


class FocusAtPoint(io.ComfyNode):
    """A point in the frame -> FOCUS."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehFocusAtPoint",
            display_name="Focus at Point (Rack Focus)",
            category=categories.FOCUS,
            description="Focuses on what lies at a point of the frame, measured in every frame. Keyframes "
            "let the point follow a moving subject, or rack the focus from one subject to another.",
            inputs=[
                _disparity_input(),
                io.Int.Input(
                    "x",
                    default=-1,
                    min=-1,
                    max=32767,
                    tooltip="Column of the point in px of the disparity (= the frames, if they are "
                    "connected where it is loaded); 0 = left. -1 (default) = centre. Not used where "
                    "keyframes are given.",
                ),
                io.Int.Input(
                    "y",
                    default=-1,
                    min=-1,
                    max=32767,
                    tooltip="Row of the point in px; 0 = top. -1 (default) = centre. Not used where "
                    "keyframes are given.",
                ),
                io.Int.Input(
                    "radius",
                    default=8,
                    min=0,
                    max=512,
                    optional=True,
                    tooltip="Radius in px of the disk whose median disparity is taken. Default 8. Larger "
                    "is steadier; smaller picks out small subjects.",
                ),
                _smoothing_input(),
                io.String.Input(
                    "keyframes",
                    default="",
                    multiline=True,
                    optional=True,
                    placeholder="0: 512, 288\n24: 700, 300",
                    tooltip="Points over time, 'frame: x, y', one a line; empty (default) = the one point "
                    "above. Held before the first and after the last.",
                ),
                between_keyframes_input("With frames connected, subjects can be tracked."),
                _easing_input(),
                _frames_input(),
            ],
            outputs=_outputs(),
            **known_fields(
                io.Schema,
                search_aliases=[*_SEARCH, "click to focus", "tap to focus"],
                # The depth that its picture shows is sent again after a reload.
                has_intermediate_output=True,
            ),
        )

    @classmethod
    def execute(
        cls,
        disparity: Any,
        x: int = -1,
        y: int = -1,
        radius: int = 8,
        smoothing: float = 2.0,
        keyframes: str = "",
        between_keyframes: str = DEFAULT_BETWEEN_POINTS,
        easing: str = "linear",
        frames: Any = None,
    ) -> io.NodeOutput:
        pull, lines = focus_pull_at_point(
            disparity,
            x,
            y,
            radius,
            smoothing,
            keyframes,
            between_keyframes,
            easing,
            _checked(frames),
        )
        for line in lines:
            logger.warning(line)
        points = point_keyframes(x, y, keyframes, disparity.shape[1:3])
        widgets = json.dumps([x, y, radius, keyframes, between_keyframes, easing])
        report = strip_report(disparity, pull.focal_disparity, wanted=points.frames, state=widgets)
        return _output(pull.focal_disparity, pull.points_px, report)


class FocusOnMask(io.ComfyNode):
    """A subject's mask -> FOCUS."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehFocusOnMask",
            display_name="Focus on Mask",
            category=categories.FOCUS,
            description="Keeps a masked subject sharp: the masks of any segmenter, one per frame or one "
            "for the clip. Frames without a mask keep the focus of the frame before.",
            inputs=[
                _disparity_input(),
                io.Mask.Input(
                    "mask",
                    tooltip="White where the subject is, one per frame or one for the whole clip; resized "
                    "to the disparity. Pixels of at least 0.5 count.",
                ),
                _smoothing_input(),
                _frames_input(),
            ],
            outputs=_outputs(),
            **known_fields(io.Schema, search_aliases=[*_SEARCH, "track focus", "subject focus", "sam"]),
        )

    @classmethod
    def execute(cls, disparity: Any, mask: Any, smoothing: float = 2.0, frames: Any = None) -> io.NodeOutput:
        focus = focus_on_mask(disparity, mask, smoothing, _checked(frames))
        return _output(focus, centres_of_masks(mask, len(focus), *disparity.shape[1:3]))
