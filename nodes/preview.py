"""The node that shows the focus before rendering: Focus Preview."""

from fractions import Fraction
from typing import Any

from comfy_api.latest import io

from ..bokeh_core.clip.checks import checked_frames
from ..bokeh_core.coc import EQ_1
from ..bokeh_core.preview import focus_preview
from ..bokeh_core.strength import strength_in_pixels
from . import categories, host, lens_socket, sockets, unchosen
from .libraries import needed_libraries
from .newer_host import known_fields

# Frames on an IMAGE socket have no rate of their own.
FRAME_RATE = Fraction(24)


class FocusPreview(io.ComfyNode):
    """Frames + DISPARITY + FOCUS -> tinted frames."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehFocusPreview",
            display_name="Focus Preview",
            category=categories.FOCUS,
            description="Shows where the focus lies before anything is rendered: near blue, in focus "
            "untouched, far red. It plays on the node, and runs with nothing connected behind it.",
            is_output_node=True,
            inputs=[
                io.Image.Input("frames", tooltip="The video frames; grey and RGBA work too."),
                sockets.Disparity.Input(
                    "disparity", tooltip="The clip's disparity, of the size of the frames."
                ),
                sockets.Focus.Input("focus", optional=True, tooltip=unchosen.FOCUS_TOOLTIP),
                sockets.BlurStrength.Input(
                    "blur_strength",
                    optional=True,
                    tooltip="Strength of the blur; the tint deepens where there is more of it. Not "
                    "connected: K = 16.",
                ),
                io.Boolean.Input(
                    "show_radius",
                    default=True,
                    optional=True,
                    tooltip="Draws lines of equal blur radius (circle of confusion) with the radius in px "
                    "of these frames and a ring at the focus point, and writes frame number (from 0), focus "
                    "and K at the top. Default on.",
                ),
                io.Float.Input(
                    "tint",
                    default=0.6,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    optional=True,
                    tooltip="Opacity of the colours where the blur is strong, 0 to 1. Default 0.6; more "
                    "separates the planes, less shows the picture.",
                ),
                lens_socket.lens_input(
                    "Its strengths, focus_range and largest_radius change the radius that is shown."
                ),
            ],
            outputs=[
                io.Image.Output(display_name="image", tooltip="The frames in RGB with the focus shown.")
            ],
            **known_fields(
                io.Schema, search_aliases=["focus peaking", "circle of confusion", "depth of field preview"]
            ),
        )

    @classmethod
    def execute(
        cls,
        frames: Any,
        disparity: Any,
        focus: Any = None,
        blur_strength: Any = None,
        show_radius: bool = True,
        tint: float = 0.6,
        lens: Any = None,
    ) -> io.NodeOutput:
        frames = checked_frames(frames)
        focus = unchosen.focus_or_automatic(focus, frames, disparity)
        strength_px = strength_in_pixels(unchosen.strength_or_default(blur_strength), frames.shape[2])
        preview = focus_preview(
            frames,
            disparity,
            sockets.focal_disparity_of(focus),
            strength_px,
            show_radius=show_radius,
            tint=tint,
            points_px=sockets.focus_points_of(focus),
            falloff=EQ_1
            if lens is None
            else lens_socket.falloffs_of(
                lens_socket.checked_lens(lens), len(frames), frames.shape[2], range(len(frames))
            ),
            progress=host.progress(),
        )
        with needed_libraries():
            return io.NodeOutput(preview, ui=host.small_video_preview(preview, FRAME_RATE, "focus_preview"))
