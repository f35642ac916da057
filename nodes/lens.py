"""The weight-free renderer: Lens Blur."""

from typing import Any

from comfy_api.latest import io

from ..bokeh_core.clip.checks import checked_frames, checked_maps, checked_masks
from ..bokeh_core.clip.letterbox import BLACK_BARS
from ..bokeh_core.clip.masks import resize_mask
from ..bokeh_core.lens import at_width
from ..bokeh_core.lens.bad_pixels import REFUSE, mended_frames
from ..bokeh_core.lens.bars import blur_between_bars
from ..bokeh_core.lens.contour_counts import contour_report
from ..bokeh_core.lens.light_counts import light_report
from ..bokeh_core.lens.other_frames import CONTINUE, HIDDEN_BACKGROUNDS
from ..bokeh_core.lens.over_time import past_the_end, still_part
from ..bokeh_core.strength import strength_in_pixels
from ..bokeh_core.transfer import DISPLAY, as_picture
from . import categories, host, lens_socket, lens_widgets, sockets, unchosen
from .newer_host import known_fields


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


def hidden_background_input() -> Any:
    """The widget that says what a blurred foreground lets through; the same on every node that has it."""
    return io.Combo.Input(
        "hidden_background",
        options=list(HIDDEN_BACKGROUNDS),
        default=CONTINUE,
        optional=True,
        tooltip="What the soft edge of a blurred foreground lets through. continue (default): the background "
        "around it goes on, smoothly. other frames: where the frames 2 and 4 before and after have seen it, "
        "their picture. Needs motion; up to three times as long.",
        **known_fields(io.Combo.Input, advanced=True),
    )


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
                sockets.Focus.Input("focus", optional=True, tooltip=unchosen.FOCUS_TOOLTIP),
                sockets.BlurStrength.Input(
                    "blur_strength",
                    optional=True,
                    tooltip=f"{unchosen.STRENGTH_TOOLTIP} 0 returns the input unchanged.",
                ),
                *lens_widgets.opening_inputs(),
                *lens_widgets.light_inputs(),
                *lens_widgets.balance_inputs(),
                io.Mask.Input(
                    "protect",
                    optional=True,
                    tooltip="White keeps the input pixel, for titles or a face that must stay sharp. One "
                    "mask, or one per frame; resized to the frames.",
                ),
                *lens_widgets.contour_inputs(),
                black_bars_input(),
                lens_socket.lens_input(
                    "Where it is connected it takes the place of this node's own widgets, from blades to "
                    "contour_tolerance, and of over_time; protect and black_bars still count."
                ),
                *lens_widgets.over_time_inputs(),
                *lens_widgets.numbers_inputs(),
                hidden_background_input(),
            ],
            outputs=[
                io.Image.Output(display_name="frames", tooltip="The clip through the lens."),
                io.String.Output(
                    display_name="report",
                    tooltip="Whether the outlines of the disparity are crisp or soft and what is done with "
                    "them; the light of the frames: how bright it is, how much lies beyond white; and which "
                    "pixels were mended.",
                ),
            ],
            **known_fields(
                io.Schema,
                essentials_category=categories.ESSENTIAL_OF_VIDEO,
                search_aliases=[
                    "bokeh",
                    "dof",
                    "depth of field",
                    "defocus",
                    "cinematic",
                    "shallow focus",
                    "portrait mode",
                    "background blur",
                    "blur background",
                ],
            ),
        )

    @classmethod
    def execute(
        cls,
        frames: Any,
        disparity: Any,
        focus: Any = None,
        blur_strength: Any = None,
        protect: Any = None,
        black_bars: str = BLACK_BARS[0],
        lens: Any = None,
        over_time: str = "",
        easing: str = "linear",
        transfer: str = DISPLAY,
        bad_pixels: str = REFUSE,
        hidden_background: str = CONTINUE,
        **lens_controls: Any,
    ) -> io.NodeOutput:
        bar = host.frame_on_bar(transfer)
        look = (
            lens_widgets.lens_of_widgets(lens_controls, over_time, easing)
            if lens is None
            else lens_socket.checked_lens(lens)
        )
        with host.out_of_memory_advice("smaller frames, a lower strength or cat_eye 0"):
            frames, mended = mended_frames(frames, bad_pixels)
            frames = checked_frames(frames, transfer=transfer)
            width = frames.shape[2]
            focus = unchosen.focus_or_automatic(focus, as_picture(frames, transfer), disparity)
            strength = unchosen.strength_or_default(blur_strength)
            blurred = blur_between_bars(
                frames,
                disparity,
                sockets.focal_disparity_of(focus),
                strength_in_pixels(strength, width),
                at_width(look, len(frames), width),
                protect=None
                if protect is None
                else resize_mask(checked_masks(protect, "protect mask"), *frames.shape[1:3]),
                black_bars=black_bars,
                transfer=transfer,
                magnification=sockets.magnification_of(blur_strength),
                hidden_background=hidden_background,
                device=host.compute_device(),
                room=host.room,
                progress=bar.progress,
                show=bar.show,
                check=host.check_interrupt,
            )
        outlines = contour_report(
            checked_maps(disparity), strength_in_pixels(strength, width), still_part(look).contour_reach_px
        )
        lines = (outlines, light_report(frames, transfer), mended, *past_the_end(look, len(frames)))
        return io.NodeOutput(blurred, "\n".join(line for line in lines if line))
