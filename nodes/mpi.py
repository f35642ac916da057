"""The node that cuts the scene into layers around the focal plane: MPI Focal-Plane Mask."""

from typing import Any

from comfy_api.latest import io

from ..bokeh_core.clip.checks import checked_maps, checked_values
from ..bokeh_core.clip.lengths import broadcast_over_frames
from ..bokeh_core.mpi import colour_regions, in_focus_mask, mpi_regions
from ..bokeh_core.published import MPI_ALPHA, MPI_LAYERS
from . import categories, sockets
from .newer_host import known_fields


class MPIMask(io.ComfyNode):
    """DISPARITY + FOCUS -> MPI_REGIONS (Eq. 2)."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehMPIMask",
            display_name="MPI Focal-Plane Mask",
            category=categories.PAPERS_MODEL,
            description="Sorts pixels into layers by their distance from the focal plane (Eq. 2 of "
            "Any-to-Bokeh), and gives a mask of what is in focus.",
            inputs=[
                sockets.Disparity.Input("disparity", tooltip="The clip's disparity."),
                sockets.Focus.Input(
                    "focus", tooltip="Where the lens is focused, from one of the Focus nodes."
                ),
                io.Int.Input(
                    "layers",
                    default=MPI_LAYERS,
                    min=2,
                    max=16,
                    optional=True,
                    tooltip="Number of layers. Default 4, which the model was trained with; more make the "
                    "layer in focus thinner.",
                ),
                io.Float.Input(
                    "alpha",
                    default=MPI_ALPHA,
                    min=0.1,
                    max=4.0,
                    step=0.05,
                    optional=True,
                    tooltip="How thin the layers near the focus become when the focus is far away; with "
                    "a far focus almost nothing is in layer 0. Default 1, as in the paper; the "
                    "released inference uses 1.5.",
                    **known_fields(io.Float.Input, advanced=True),
                ),
            ],
            outputs=[
                sockets.MPIRegions.Output(
                    display_name="regions",
                    tooltip="Layer of every pixel, 0 = in focus, last = farthest from it.",
                ),
                io.Image.Output(
                    display_name="image",
                    tooltip="The layers in colours, light = in focus, dark = farthest from it.",
                ),
                io.Mask.Output(display_name="in_focus", tooltip="White in layer 0: what is in focus."),
            ],
            **known_fields(
                io.Schema, search_aliases=["multiplane image", "depth layers", "in-focus mask", "depth slice"]
            ),
        )

    @classmethod
    def execute(
        cls, disparity: Any, focus: Any, layers: int = MPI_LAYERS, alpha: float = MPI_ALPHA
    ) -> io.NodeOutput:
        disparity, focus = (
            checked_maps(disparity),
            checked_values(sockets.focal_disparity_of(focus), "focal_disparity"),
        )
        focal_disparity = broadcast_over_frames(focus, len(disparity), "focus")
        regions = mpi_regions(disparity, focal_disparity, layers, alpha)
        return io.NodeOutput(regions, colour_regions(regions, layers), in_focus_mask(regions))
