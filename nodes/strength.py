"""The node that says how strong the blur is: Blur Strength."""

from typing import Any

from comfy_api.latest import io

from ..bokeh_core.clip.checks import checked_maps
from ..bokeh_core.schedule.values import EASINGS, keyframe_notes
from ..bokeh_core.strength import MAX_STRENGTH, MODES, blur_strength, relative_f_number_label
from . import categories, sockets
from .newer_host import known_fields
from .number_plots import plot_of, plot_output


class BlurStrength(io.ComfyNode):
    """A number, a ramp or a schedule -> BLUR_STRENGTH."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehBlurStrength",
            display_name="Aperture (Blur Strength)",
            category=categories.RENDER,
            description="Sets the blur strength K, like an f-stop: constant, ramped over the clip, or "
            "scheduled per frame.",
            inputs=[
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default="constant",
                    tooltip="constant (default): strength for the whole clip. ramp: strength at the first "
                    "frame to end_strength at the last. schedule: the text below.",
                ),
                io.Float.Input(
                    "strength",
                    default=16.0,
                    min=0.0,
                    max=MAX_STRENGTH,
                    step=0.5,
                    tooltip="K in px: the blur radius of a point whose disparity differs by 1 from the "
                    "focus, on a frame 1024 px wide; it scales with the width. Default 16, about f/2.8; 0 "
                    "= no blur. More blur takes longer and shows faults of the depth map sooner.",
                ),
                io.Float.Input(
                    "end_strength",
                    default=16.0,
                    min=0.0,
                    max=MAX_STRENGTH,
                    step=0.5,
                    optional=True,
                    tooltip="K in px at the last frame, for the ramp mode only. Default 16; 0 ends sharp.",
                ),
                io.Combo.Input(
                    "easing",
                    options=list(EASINGS),
                    default="linear",
                    optional=True,
                    tooltip="Curve of the ramp and between keyframes. linear (default) is even, smooth "
                    "starts and ends gently, ease in only starts gently, ease out only ends gently, hold "
                    "jumps at the end.",
                ),
                io.String.Input(
                    "schedule",
                    default="",
                    multiline=True,
                    optional=True,
                    placeholder="0: 0\n24: 16",
                    tooltip="K over time, for the schedule mode: keyframes 'frame: K', one a line; or a "
                    "CSV table with the column blur_strength; or a list of one K per frame, at least as "
                    "long as the clip.",
                ),
                sockets.Disparity.Input(
                    "disparity",
                    optional=True,
                    tooltip="Gives the number of frames; needed for a ramp and for keyframes.",
                ),
            ],
            outputs=[
                sockets.BlurStrength.Output(display_name="blur_strength", tooltip="K of every frame."),
                io.String.Output(
                    display_name="label",
                    tooltip="The strength as an f-number on a relative scale: the true one depends on the "
                    "camera.",
                ),
                plot_output("K"),
            ],
            **known_fields(
                io.Schema, search_aliases=["aperture", "f-stop", "f-number", "bokeh amount", "blur radius"]
            ),
        )

    @classmethod
    def execute(
        cls,
        mode: str = "constant",
        strength: float = 16.0,
        end_strength: float = 16.0,
        easing: str = "linear",
        schedule: str = "",
        disparity: Any = None,
    ) -> io.NodeOutput:
        num_frames = None if disparity is None else len(checked_maps(disparity))
        values = blur_strength(mode, strength, end_strength, easing, schedule, num_frames)
        past_end = keyframe_notes(schedule, 1, len(values)) if mode == "schedule" else ""
        label = "\n".join(filter(None, (relative_f_number_label(values), past_end)))
        return io.NodeOutput(values, label, plot_of({"K, px at 1024 px": values}))
