"""The node that is focused by clicking in its picture: Viewfinder."""

import logging
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..bokeh_core.clip.checks import checked_frames, checked_maps
from ..bokeh_core.clip.lengths import broadcast_over_frames
from ..bokeh_core.focus.boxes import boxes_of_frames
from ..bokeh_core.focus.script import FocusScript, parse_script
from ..bokeh_core.lens import DEFAULT_LENS
from ..bokeh_core.preview import focus_preview
from ..bokeh_core.preview.focus_plot import focus_plot
from ..bokeh_core.preview.lens_facts import lens_facts
from ..bokeh_core.preview.strip import frames_of_strip, small_clip
from ..bokeh_core.strength import strength_in_pixels
from . import categories, host, lens_socket, sockets
from .newer_host import known_fields
from .strip_report import strip_report

logger = logging.getLogger(__name__)

Script = io.Custom("ANY_TO_BOKEH_VIEWFINDER")


class Viewfinder(io.ComfyNode):
    """Frames + DISPARITY + LENS, and clicks -> FOCUS, BLUR_STRENGTH."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehViewfinder",
            display_name="Viewfinder (Click to Focus)",
            category=categories.FOCUS,
            description="Click in the picture on what should be sharp, at any frame; the blur is shown at "
            "once. A decision holds until the next one, and focus racks from one to the other.",
            inputs=[
                io.Image.Input("frames", tooltip="The video frames; grey and RGBA work too."),
                sockets.Disparity.Input(
                    "disparity", tooltip="The clip's disparity, of the size of the frames."
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="White where the subject is, one per frame or one for the whole clip, for "
                    "decisions that follow the mask. Not connected: only places and depths can be chosen.",
                ),
                Script.Input(
                    "script",
                    optional=True,
                    tooltip="The decisions made in the picture, as one JSON text; empty (default) finds "
                    "the subject of each shot. Frames count from 0, x and y from 0 to 1, K in px at 1024 px "
                    "wide.",
                    extra_dict={"default": ""},
                ),
                lens_socket.lens_input(
                    "The picture shows its blur as far as a preview can, and says what it leaves out. "
                    "Connect it to Lens Blur as well, which renders with it."
                ),
                sockets.BoundingBox.Input(
                    "boxes",
                    optional=True,
                    tooltip="Boxes around faces or people from any detector, for the whole clip or one list "
                    "per frame. Where no decision is made the subject is looked for in them. Not connected: "
                    "in the middle of the frame.",
                    # Newer hosts would draw a widget in place of a socket.
                    extra_dict={"forceInput": True},
                ),
            ],
            outputs=[
                sockets.Focus.Output(display_name="focus", tooltip="Focal disparity of every frame."),
                sockets.BlurStrength.Output(
                    display_name="blur_strength", tooltip="K of every frame, as set below the picture."
                ),
                io.Image.Output(
                    display_name="preview",
                    tooltip="The frames of the viewfinder, at most 64, with the focus in colours.",
                ),
                io.Image.Output(display_name="plot", tooltip="Focus and K over the frames, one picture."),
                io.Float.Output(
                    display_name="focal_disparities",
                    tooltip="Focal disparity of every frame as a list of numbers, 0 to 1.",
                ),
            ],
            is_output_node=True,
            **known_fields(
                io.Schema,
                search_aliases=[
                    "viewfinder",
                    "click to focus",
                    "tap to focus",
                    "rack focus",
                    "pull focus",
                    "focus pull",
                    "cinematic mode",
                    "bokeh",
                ],
            ),
        )

    @classmethod
    def execute(
        cls,
        frames: Any,
        disparity: Any,
        mask: Any = None,
        script: str = "",
        lens: Any = None,
        boxes: Any = None,
    ) -> io.NodeOutput:
        frames = checked_frames(frames)
        num_frames, height, width, _ = frames.shape
        decided = parse_script(script) if script.strip() else FocusScript()
        look = DEFAULT_LENS if lens is None else lens_socket.checked_lens(lens)
        in_frames = boxes_of_frames(boxes, num_frames, (height, width))
        disparity = checked_maps(disparity, "disparity", (height, width))
        disparity = broadcast_over_frames(disparity, num_frames, "disparity")
        pull, lines = decided.focus_pull(disparity, frames, mask, boxes=in_frames)
        focal, points = pull.focal_disparity, pull.points_px
        for line in lines:
            logger.warning(line)
        strength = decided.strengths(num_frames)

        wanted = [decision.frame for decision in decided.focus] + [key.frame for key in decided.strength]
        shown = frames_of_strip(num_frames, wanted)
        small, maps = small_clip(frames, disparity, shown)
        preview = focus_preview(
            small,
            maps,
            focal[shown],
            strength_in_pixels(strength[shown], small.shape[2]),
            points_px=None if points is None else points[shown] * (small.shape[2] / width),
            frame_numbers=shown,
            falloff=lens_socket.falloffs_of(look, num_frames, small.shape[2], shown),
            progress=host.progress(),
        )
        strengths = [round(value, 3) for value in strength.tolist()]
        facts = {
            "strength": strengths,
            "points": _listed(points),
            "report": lines,
            "script": script,
            "lens": lens_facts(look),
        }
        return io.NodeOutput(
            sockets.FocusPull(focal, points),
            strength,
            preview,
            focus_plot(focal, strength, (decision.frame for decision in decided.focus)),
            focal.tolist(),
            ui=strip_report(disparity, focal, frames, wanted, **facts),
        )


def _listed(points: Tensor | None) -> list[list[float] | None]:
    """Points [T, 2] as JSON takes them: None where there is none, which JSON has no number for."""
    if points is None:
        return []
    return [[round(x, 1), round(y, 1)] if x == x and y == y else None for x, y in points.tolist()]
