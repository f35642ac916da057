"""The node that takes the geometry of the host's own depth models: Disparity from Geometry."""

from typing import Any

from comfy_api.latest import io

from ..bokeh_core.disparity.geometry import disparity_from_geometry
from ..bokeh_core.disparity.holes import HOLES
from ..bokeh_core.disparity.meaning import NORMALISATIONS
from ..bokeh_core.disparity.prepare import grey_view
from . import categories, sockets
from .disparity_widgets import disparity_outputs, frames_input, of_clip
from .libraries import needed_libraries
from .newer_host import known_fields

DA3 = io.Custom("DA3_GEOMETRY")
MOGE = io.Custom("MOGE_GEOMETRY")
_FROM = "The geometry from ComfyUI's own nodes"


def geometry_inputs(host_io: Any = io) -> list[Any]:
    """One socket for every kind of geometry where the host has such, else one for each."""
    multi_type = getattr(host_io, "MultiType", None)
    if multi_type is None:
        return [
            DA3.Input("da3_geometry", optional=True, tooltip=f"{_FROM} for Depth Anything 3."),
            MOGE.Input("moge_geometry", optional=True, tooltip=f"{_FROM} for MoGe."),
        ]
    tooltip = f"{_FROM} for Depth Anything 3 or MoGe, before it is rendered to pictures."
    return [multi_type.Input("geometry", types=[DA3, MOGE], tooltip=tooltip)]


class DisparityFromGeometry(io.ComfyNode):
    """DA3_GEOMETRY or MOGE_GEOMETRY -> DISPARITY."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehDisparityFromGeometry",
            display_name="Disparity from Geometry (MoGe, DA3)",
            category=categories.DEPTH,
            description="Turns the geometry of ComfyUI's own Depth Anything 3 and MoGe nodes into disparity, "
            "exactly: 1 / depth over the whole clip, and sky at 0. Their rendered pictures are linear in "
            "depth and normalised frame by frame, so take the geometry.",
            inputs=[
                *geometry_inputs(),
                io.Combo.Input(
                    "holes",
                    options=list(HOLES),
                    default="far",
                    optional=True,
                    tooltip="What becomes of pixels without depth that are not known to be sky. far "
                    "(default): infinitely far, as MoGe masks sky. fill from around: as near as the nearest "
                    "pixel that has depth. refuse: an error.",
                ),
                io.Combo.Input(
                    "normalisation",
                    options=[name for name in NORMALISATIONS if name != "none"],
                    default="min-max",
                    optional=True,
                    tooltip="How 1 / depth becomes 0 to 1, over the whole clip. min-max (default) keeps "
                    "everything; robust percentiles clips 1 % at both ends, for a few stray pixels that are "
                    "far too near.",
                ),
                frames_input(),
            ],
            outputs=[
                *disparity_outputs(
                    "What was read, the share of sky and holes, distances, field of view, warnings.",
                    farthest="farthest or sky",
                ),
                io.Mask.Output(
                    display_name="sky",
                    tooltip="Sky, 0 to 1, as the model sees it; with holes far, also what has no depth.",
                ),
                io.Mask.Output(
                    display_name="confidence",
                    tooltip="How sure the model is of its depth, 0 to 1 over the clip; 1 where it does not "
                    "say.",
                ),
                io.Float.Output(
                    display_name="near_distance",
                    tooltip="Distance where disparity is 1, for Camera: in metres from Depth Anything 3 "
                    "Metric-Large and MoGe 2 and newer, without meaning from others.",
                ),
                io.Float.Output(
                    display_name="far_distance",
                    tooltip="Distance where disparity is 0, in the unit of near_distance: of the farthest "
                    "point, infinite where there is sky.",
                ),
                sockets.Intrinsics.Output(
                    display_name="intrinsics",
                    tooltip="Focal length and principal point of every frame as fractions of its width and "
                    "height, so that they hold at any size; empty where the model gives none.",
                ),
            ],
            **known_fields(
                io.Schema,
                search_aliases=[
                    "depth anything 3",
                    "da3",
                    "moge",
                    "metric depth",
                    "geometry to depth",
                    "bokeh",
                ],
            ),
        )

    @classmethod
    def execute(
        cls,
        geometry: Any = None,
        holes: str = "far",
        normalisation: str = "min-max",
        frames: Any = None,
        da3_geometry: Any = None,
        moge_geometry: Any = None,
    ) -> io.NodeOutput:
        given = next((g for g in (geometry, da3_geometry, moge_geometry) if g is not None), None)
        # Holes are filled with OpenCV, all else does without.
        with needed_libraries():
            found = disparity_from_geometry(given, holes, normalisation, **of_clip(frames))
        return io.NodeOutput(
            found.disparity,
            grey_view(found.disparity),
            found.report,
            found.sky,
            found.confidence,
            found.nearest,
            found.farthest,
            found.intrinsics,
        )
