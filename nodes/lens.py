"""The weight-free renderer: Lens Blur."""

from typing import Any

from comfy_api.latest import io

from ..bokeh_core.clip.checks import checked_frames, checked_masks
from ..bokeh_core.clip.letterbox import BLACK_BARS
from ..bokeh_core.clip.masks import resize_mask
from ..bokeh_core.lens import GAMMA_OF_LIGHT, LENS_CONTROLS, lens_of_controls
from ..bokeh_core.lens.bars import blur_between_bars
from ..bokeh_core.strength import strength_in_pixels
from . import categories, host, sockets
from .newer_host import known_fields


def _lens_inputs() -> list[Any]:
    """The widgets that describe the lens opening."""
    return [
        io.Int.Input(
            "blades",
            default=LENS_CONTROLS["blades"],
            min=0,
            max=16,
            optional=True,
            tooltip="Aperture blades. 0 (default) is a round opening; 5 to 9 give polygons. 1 and 2 are not "
            "openings and are refused.",
        ),
        io.Float.Input(
            "rotation",
            default=LENS_CONTROLS["rotation"],
            min=-360.0,
            max=360.0,
            step=1.0,
            optional=True,
            tooltip="Turns the polygon, degrees anticlockwise. Default 0: one corner up. No effect on a "
            "round opening.",
        ),
        io.Float.Input(
            "roundness",
            default=LENS_CONTROLS["roundness"],
            min=0.0,
            max=1.0,
            step=0.05,
            optional=True,
            tooltip="0 (default) keeps the blades straight, 1 makes them a circle.",
        ),
        io.Float.Input(
            "anamorphic",
            default=LENS_CONTROLS["anamorphic"],
            min=0.25,
            max=4.0,
            step=0.05,
            optional=True,
            tooltip="Height over width of the blur, as of an anamorphic lens. 1 (default) is spherical; 2 "
            "gives tall ovals. The area stays the same.",
        ),
        io.Float.Input(
            "cat_eye",
            default=LENS_CONTROLS["cat_eye"],
            min=0.0,
            max=1.0,
            step=0.05,
            optional=True,
            tooltip="How much the barrel cuts the opening towards the corners. 0 (default) never; 1 gives "
            "slim almonds there. Brightness is kept. Takes two to four times as long.",
        ),
    ]


def _light_inputs() -> list[Any]:
    """The widgets that describe how light adds up."""
    return [
        io.Combo.Input(
            "light",
            options=list(GAMMA_OF_LIGHT),
            default=LENS_CONTROLS["light"],
            optional=True,
            tooltip="linear (default): light adds up as in a camera (gamma 2.2), bright points stay bright. "
            "display: pixel values are averaged as they are, softer and duller, as in the paper's data.",
        ),
        io.Float.Input(
            "highlight_gain",
            default=LENS_CONTROLS["highlight_gain"],
            min=0.0,
            max=20.0,
            step=0.1,
            optional=True,
            tooltip="Extra light for highlights that are out of focus: 0 (default) none, 1 doubles white, "
            "more makes brighter bokeh balls. Too much flickers on specular surfaces.",
        ),
        io.Float.Input(
            "highlight_threshold",
            default=LENS_CONTROLS["highlight_threshold"],
            min=0.0,
            max=0.99,
            step=0.01,
            optional=True,
            tooltip="Brightness (0 to 1) above which a pixel is a highlight. Default 0.8.",
        ),
    ]


def black_bars_input() -> Any:
    """The widget that says what becomes of black bars; the same on every node that blurs."""
    return io.Combo.Input(
        "black_bars",
        options=list(BLACK_BARS),
        default=BLACK_BARS[0],
        optional=True,
        tooltip="Black bars around the picture, where there are any. leave out (default): they stay black, "
        "and no light spills into them. blur too: they count as part of the picture.",
        **known_fields(io.Combo.Input, advanced=True),
    )


def _balance_inputs() -> list[Any]:
    """The widgets that say where the blur applies."""
    return [
        io.Float.Input(
            "near_strength",
            default=LENS_CONTROLS["near_strength"],
            min=0.0,
            max=4.0,
            step=0.05,
            optional=True,
            tooltip="Factor on the blur in front of the focus. Default 1; 0 keeps the foreground sharp.",
        ),
        io.Float.Input(
            "far_strength",
            default=LENS_CONTROLS["far_strength"],
            min=0.0,
            max=4.0,
            step=0.05,
            optional=True,
            tooltip="Factor on the blur behind the focus. Default 1; 0 keeps the background sharp.",
        ),
        io.Mask.Input(
            "protect",
            optional=True,
            tooltip="White keeps the input pixel, for titles or a face that must stay sharp. One mask, or "
            "one per frame; resized to the frames.",
        ),
        io.Float.Input(
            "contour_tolerance",
            default=LENS_CONTROLS["contour_tolerance"],
            min=0.0,
            max=12.0,
            step=0.5,
            optional=True,
            tooltip="How far the contours of the depth map may be off the picture's, in px on a frame 1024 "
            "px wide; within it the renderer follows the picture. Default 4 suits estimated depth. 0 trusts "
            "the map, best for rendered depth.",
            **known_fields(io.Float.Input, advanced=True),
        ),
    ]


class LensBlur(io.ComfyNode):
    """Frames + DISPARITY + FOCUS + BLUR_STRENGTH -> blurred frames."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehLensBlur",
            display_name="Lens Blur (Depth of Field)",
            category=categories.RENDER,
            description="Blurs a clip as a real lens would, following depth, with clean edges and no model "
            "to download. Output size = input size; alpha is carried through.",
            inputs=[
                io.Image.Input("frames", tooltip="The video frames; grey and RGBA work too."),
                sockets.Disparity.Input(
                    "disparity", tooltip="The clip's disparity, of the size of the frames."
                ),
                sockets.Focus.Input(
                    "focus", tooltip="Where the lens is focused, from one of the Focus nodes."
                ),
                sockets.BlurStrength.Input(
                    "blur_strength",
                    tooltip="Strength of the blur from Blur Strength; 0 returns the input unchanged.",
                ),
                *_lens_inputs(),
                *_light_inputs(),
                *_balance_inputs(),
                black_bars_input(),
            ],
            outputs=[io.Image.Output(display_name="frames", tooltip="The clip through the lens.")],
            **known_fields(
                io.Schema,
                search_aliases=[
                    "bokeh",
                    "dof",
                    "depth of field",
                    "defocus",
                    "cinematic",
                    "shallow focus",
                    "portrait mode",
                ],
            ),
        )

    @classmethod
    def execute(
        cls,
        frames: Any,
        disparity: Any,
        focus: Any,
        blur_strength: Any,
        protect: Any = None,
        black_bars: str = BLACK_BARS[0],
        **lens_controls: Any,
    ) -> io.NodeOutput:
        bar = host.frame_on_bar()
        with host.out_of_memory_advice("smaller frames, a lower strength or cat_eye 0"):
            frames = checked_frames(frames)
            width = frames.shape[2]
            blurred = blur_between_bars(
                frames,
                disparity,
                sockets.focal_disparity_of(focus),
                strength_in_pixels(blur_strength, width),
                lens_of_controls(**lens_controls).at_width(width),
                protect=None
                if protect is None
                else resize_mask(checked_masks(protect, "protect mask"), *frames.shape[1:3]),
                black_bars=black_bars,
                device=host.compute_device(),
                progress=bar.progress,
                show=bar.show,
                check=host.check_interrupt,
            )
        return io.NodeOutput(blurred)
