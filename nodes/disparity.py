"""Nodes that bring depth into the graph: Load Depth, Disparity from Images."""

from typing import Any

from comfy_api.latest import io

from ..bokeh_core.disparity.fit import MapFit
from ..bokeh_core.disparity.grey import grey_maps
from ..bokeh_core.disparity.prepare import grey_view, prepare_disparity
from . import categories, host
from .disparity_widgets import (
    NO_DISTANCES,
    NO_FILE,
    chosen_path,
    disparity_outputs,
    distance_outputs,
    file_input,
    frames_input,
    meaning_inputs,
    of_clip,
    placing_inputs,
)
from .libraries import needed_libraries
from .newer_host import known_fields

_REPORT = "What was read, the polarity, the normalisation, and warnings."


class LoadDisparity(io.ComfyNode):
    """Files -> DISPARITY."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehLoadDisparity",
            display_name="Load Depth (Disparity)",
            category=categories.DEPTH,
            description="Loads depth or disparity maps: a folder of PNG, JPG, TIFF, EXR, NPY or NPZ "
            "files, a video, or one still for the whole clip.",
            inputs=[
                io.String.Input(
                    "path",
                    default="",
                    tooltip="Folder, video, still, NPY or NPZ; absolute, or relative to the input folder. "
                    "Files of a folder are read in natural order of their names. 16-bit PNG, EXR and NPZ "
                    "avoid the steps that 8-bit maps leave in strong blur.",
                ),
                *meaning_inputs(),
                io.Int.Input(
                    "start_frame",
                    default=0,
                    min=0,
                    max=1_000_000,
                    optional=True,
                    tooltip="First map to use, counted from 0 (default). For a part of a clip; "
                    "normalisation still covers the whole clip, so the part matches the full render.",
                    **known_fields(io.Int.Input, advanced=True),
                ),
                io.Int.Input(
                    "max_frames",
                    default=0,
                    min=0,
                    max=1_000_000,
                    optional=True,
                    tooltip="Number of maps to use, 0 (default) = all. Set it to the number of frames "
                    "when you try out a part of the clip.",
                    **known_fields(io.Int.Input, advanced=True),
                ),
                frames_input(),
                *placing_inputs(),
                io.Video.Input(
                    "video",
                    optional=True,
                    tooltip="Depth as a video, from Load Video or any node that gives a VIDEO, in place of "
                    "path and file.",
                ),
                file_input(
                    "file",
                    "Depth in ComfyUI's input folder: a video, still, NPY, NPZ or EXR, or a folder of "
                    "maps. The buttons upload more from your computer: one file, or a folder of maps. none "
                    "(default): path is used. Not used where video is connected.",
                ),
            ],
            outputs=[*disparity_outputs(_REPORT), *distance_outputs()],
            **known_fields(
                io.Schema, search_aliases=["load depth", "depth map", "exr", "npz", "import depth", "bokeh"]
            ),
        )

    @classmethod
    def execute(
        cls,
        path: str,
        start_frame: int = 0,
        max_frames: int = 0,
        frames: Any = None,
        video: Any = None,
        file: str = NO_FILE,
        **meaning: Any,
    ) -> io.NodeOutput:
        # Disparity from Images, in this module too, does without OpenCV.
        with needed_libraries():
            from ..bokeh_core.disparity.files import read_depth_maps

            clip = of_clip(frames)
            size = (clip["height"], clip["width"]) if clip else None
            placing = MapFit(**{name: meaning[name] for name in vars(MapFit()) if name in meaning})
            if video is None:
                found = chosen_path(file, path, "type a path, or connect a VIDEO")
                maps = read_depth_maps(found, host.check_interrupt, size, placing)
            else:
                from .given_video import maps_of

                maps = maps_of(video, host.check_interrupt, size, placing)
            prepared = prepare_disparity(
                maps.values,
                **meaning,
                start_frame=start_frame,
                max_frames=max_frames,
                **clip,
                frames=frames,
            )
        report = f"{maps.description}\n{prepared.report}"
        distances = prepared.distances or NO_DISTANCES
        return io.NodeOutput(prepared.disparity, grey_view(prepared.disparity), report, *distances)

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool:
        """Let names pass that are not in the list: front ends do not show what the host says of them."""
        return True

    @classmethod
    def fingerprint_inputs(cls, path: str | None = None, file: str | None = None, **_: Any) -> str:
        """Files that change on disk make the node run again."""
        from ..bokeh_core.disparity.files import state_of_files

        try:
            return state_of_files(chosen_path(file, path, ""))
        except ValueError as error:
            return str(error)


class DisparityFromImages(io.ComfyNode):
    """IMAGE batch of any depth node -> DISPARITY."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehDisparityFromImages",
            display_name="Disparity from Images (Depth)",
            category=categories.DEPTH,
            description="Turns the grey pictures of any depth node into disparity. Best from a video "
            "depth model that normalises the whole clip; maps normalised frame by frame are reported, "
            "because the blur then flickers.",
            inputs=[
                io.Image.Input(
                    "images",
                    tooltip="Grey depth maps, one per frame or one for the whole clip. Colour maps are "
                    "refused: they cannot be turned back into depth.",
                ),
                *meaning_inputs(),
                frames_input(),
                *placing_inputs(),
            ],
            outputs=[*disparity_outputs(_REPORT), *distance_outputs()],
            **known_fields(
                io.Schema, search_aliases=["depth to disparity", "depth map", "image to depth", "bokeh"]
            ),
        )

    @classmethod
    def execute(
        cls,
        images: Any,
        frames: Any = None,
        **meaning: Any,
    ) -> io.NodeOutput:
        # Holes are filled with OpenCV, all else does without.
        with needed_libraries():
            prepared = prepare_disparity(grey_maps(images), **meaning, **of_clip(frames), frames=frames)
        grey, distances = grey_view(prepared.disparity), prepared.distances or NO_DISTANCES
        return io.NodeOutput(prepared.disparity, grey, prepared.report, *distances)
