"""The node that mends depth by the frames: Refine Disparity."""

from typing import Any

from comfy_api.latest import io

from ..bokeh_core.disparity.refine import RefineSettings, changes_view, refine_clip
from . import categories, host, sockets
from .newer_host import known_fields


class RefineDisparity(io.ComfyNode):
    """Frames + DISPARITY -> DISPARITY."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehRefineDisparity",
            display_name="Refine Depth (Steady, Sharp Outlines)",
            category=categories.DEPTH,
            description="Mends depth by the frames: less flicker, soft outlines on the edges of the picture, "
            "torn limbs restored from the frames around. What is not found to be wrong stays as it is.",
            inputs=[
                io.Image.Input("frames", tooltip="The video frames; alpha is ignored."),
                sockets.Disparity.Input(
                    "disparity", tooltip="Disparity of the clip, of the size of the frames."
                ),
                io.Boolean.Input(
                    "outlines",
                    default=RefineSettings.outlines,
                    optional=True,
                    tooltip="Undoes the softness that a map has all over, so that thin things are as near as "
                    "they were, and puts outlines that are softer still, up to 24 px on a frame 1024 px "
                    "wide, on the edges of the picture. Default on; slanted surfaces stay as they are.",
                ),
                io.Boolean.Input(
                    "steady",
                    default=RefineSettings.steady,
                    optional=True,
                    tooltip="Takes out much of the flicker: scale, shift and slow waves of each map follow "
                    "the 8 frames before and after, and outlines that jump the 3 before and after. Default "
                    "on; nothing is taken from beyond a cut.",
                ),
                io.Boolean.Input(
                    "limbs",
                    default=RefineSettings.limbs,
                    optional=True,
                    tooltip="Restores a surface that one map lacks, such as a torn arm, or has alone, from "
                    "the 3 frames before and after. Default on.",
                ),
                io.Boolean.Input(
                    "banding",
                    default=RefineSettings.banding,
                    optional=True,
                    tooltip="Smooths the steps of 8-bit maps, and the blocks of JPEG, within surfaces. "
                    "Default on; it acts on maps that have the levels of 8 bits, or had them before they "
                    "were resized.",
                ),
                io.Mask.Input(
                    "subject",
                    optional=True,
                    tooltip="Masks of a subject, white = subject, from any segmenter. Where the disparity "
                    "inside of them is that of what is behind, in holes and torn limbs, it becomes the "
                    "subject's own. Grey, as at hair, counts in part from a half on. One mask, or one per "
                    "frame; resized to the frames.",
                ),
                io.Boolean.Input(
                    "trained",
                    default=RefineSettings.trained,
                    optional=True,
                    tooltip="A trained part of limbs: a small network tells what pixels beside steps take "
                    "over from the frames around, thin things and outlines that jump included. It comes with "
                    "the pack. Default on; it takes 0.1 s a frame of 1024 x 576, and does nothing with limbs "
                    "off.",
                ),
            ],
            outputs=[
                sockets.Disparity.Output(
                    display_name="disparity", tooltip="Disparity of every frame, 0 = farthest to 1 = nearest."
                ),
                io.Image.Output(
                    display_name="changes",
                    tooltip="What came nearer in orange, what went farther in blue, full at a change of 0.1.",
                ),
                io.String.Output(display_name="report", tooltip="How much was changed, and by which part."),
            ],
            **known_fields(
                io.Schema,
                search_aliases=[
                    "depth flicker",
                    "stabilize depth",
                    "temporal depth",
                    "depth edges",
                    "guided filter",
                    "refine depth",
                    "bokeh",
                ],
            ),
        )

    @classmethod
    def execute(
        cls,
        frames: Any,
        disparity: Any,
        outlines: bool = RefineSettings.outlines,
        steady: bool = RefineSettings.steady,
        limbs: bool = RefineSettings.limbs,
        banding: bool = RefineSettings.banding,
        subject: Any = None,
        trained: bool = RefineSettings.trained,
    ) -> io.NodeOutput:
        settings = RefineSettings(
            outlines=outlines, steady=steady, limbs=limbs, banding=banding, trained=trained
        )
        found = refine_clip(frames, disparity, settings, subject=subject, progress=host.progress())
        view = changes_view(disparity.to(found.disparity), found.disparity)
        return io.NodeOutput(sockets.marked_as_refined(found.disparity), view, str(found.report))
