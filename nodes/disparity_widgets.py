"""The widgets and outputs of nodes that read maps or make disparity, the same on every node that has them."""

from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..bokeh_core.clip.letterbox import picture_area
from ..bokeh_core.disparity.fit import FITS, FRAMES_PER_MAP, MOST_OFFSET_FRAMES, MapFit
from ..bokeh_core.disparity.grey import with_frame_axes
from ..bokeh_core.disparity.holes import HOLES
from ..bokeh_core.disparity.meaning import NORMALISATIONS, POLARITIES, SOURCES, DepthMeaning
from . import host, sockets
from .newer_host import known_fields

NO_FILE = "none"


def meaning_inputs() -> list[Any]:
    """The widgets that say what the maps mean; the same on every node that reads maps, in the same order."""
    return [
        io.Combo.Input(
            "source",
            options=list(SOURCES),
            default=DepthMeaning.source,
            optional=True,
            tooltip="What the values are. disparity (default): 1 / distance up to scale and offset, as "
            "from Video Depth Anything, Depth Anything V2 or DepthCrafter. metric depth: distance in any "
            "unit, as from Depth Pro, Depth Anything 3 (raw) or a renderer; it is inverted, and must be "
            "above 0.",
        ),
        io.Combo.Input(
            "polarity",
            options=list(POLARITIES),
            default=DepthMeaning.polarity,
            optional=True,
            tooltip="Whether near is white or black. auto (default) is near white, as depth "
            "estimators give it, unless contours that move in the frames prove the opposite; the report "
            "says so, and warns where it is doubtful. Choose near black if near and far are swapped in the "
            "preview. Metric depth is always near black; near white there means it was stored as 1 - depth.",
        ),
        io.Combo.Input(
            "normalisation",
            options=list(NORMALISATIONS),
            default=DepthMeaning.normalisation,
            optional=True,
            tooltip="How values become 0 (far) to 1 (near), over the whole clip so that the focal plane "
            "stays still. min-max (default) keeps everything; robust percentiles clips 1 % at both ends, "
            "for maps with stray outliers; none keeps values that are already 0 to 1.",
        ),
        io.Float.Input(
            "exponent",
            default=DepthMeaning.exponent,
            min=0.1,
            max=4.0,
            step=0.05,
            optional=True,
            tooltip="Power applied before normalising. 1 (default) changes nothing; 2 undoes maps stored "
            "as a square root; 3, with near white, brings Depth Anything 3's v2_style and min_max, which "
            "are linear in depth, close to disparity.",
            **known_fields(io.Float.Input, advanced=True),
        ),
    ]


def placing_inputs() -> list[Any]:
    """The widgets that say how maps lie on the frames; the same on every node that reads maps."""
    return [
        io.Combo.Input(
            "holes",
            options=list(HOLES),
            default=DepthMeaning.holes,
            optional=True,
            tooltip="What becomes of pixels that are NaN, infinite or, in metric depth, 0 or less. refuse "
            "(default): an error that says where. far: disparity 0, as the sky of a renderer. fill from "
            "around: as near as the nearest pixel that has depth; a disparity of 0 is filled too.",
        ),
        io.Combo.Input(
            "fit",
            options=list(FITS),
            default=MapFit.fit,
            optional=True,
            tooltip="How maps of another shape lie on the frames. stretch (default): resized to them. crop: "
            "they show more than the frames and are cut about the centre. pad: they show the middle of the "
            "frames, as DepthCrafter cuts it. turn clockwise, turn anticlockwise: they lie and the frames "
            "stand.",
        ),
        io.Int.Input(
            "frame_offset",
            default=MapFit.frame_offset,
            min=-MOST_OFFSET_FRAMES,
            max=MOST_OFFSET_FRAMES,
            optional=True,
            tooltip="Number of the map that belongs to the first frame, 0 (default). Above 0 if the maps "
            "begin earlier than the frames, below 0 if they begin later.",
            **known_fields(io.Int.Input, advanced=True),
        ),
        io.Float.Input(
            "frames_per_map",
            default=MapFit.frames_per_map,
            min=FRAMES_PER_MAP[0],
            max=FRAMES_PER_MAP[1],
            step=0.001,
            optional=True,
            tooltip="Frames from one map to the next, 1 (default). 3 for 8 maps a second of a clip with 24 "
            "frames a second; in between they follow the motion of the frames, and without frames two maps "
            "are mixed in proportion.",
            **known_fields(io.Float.Input, advanced=True, round=False),
        ),
    ]


def frames_input() -> Any:
    """The socket for the frames that maps are brought to; the same on every node that makes disparity."""
    return io.Image.Input(
        "frames",
        optional=True,
        tooltip="The video frames. If connected, the disparity is resized to them, a single map is used "
        "for all of them, and any other difference in length is an error.",
    )


def file_input(name: str, tooltip: str) -> Any:
    """The list of depth in the input folder; web/depth_upload.js puts the buttons for uploads below it."""
    # Nodes that do without OpenCV have widgets of this module.
    from ..bokeh_core.disparity.found_files import depth_names

    return io.Combo.Input(
        name,
        options=[NO_FILE, *depth_names(host.input_folder())],
        default=NO_FILE,
        optional=True,
        tooltip=tooltip,
    )


def chosen_path(file: str | None, path: str | None, others: str) -> Path:
    """Where the depth lies that the list, or else the typed path, names.

    Args:
        file: from the list.
        path: as typed.
        others: what else brings depth to the node, for the error.

    Raises:
        ValueError: neither names anything that is there.
    """
    if file and file != NO_FILE:
        return host.input_path(file)
    if path and path.strip():
        return host.input_path(path)
    raise ValueError(
        f"There is no depth. Choose a file or folder of {host.input_folder()} in the list, upload one with "
        f"the buttons below it, {others}. Estimate Depth makes it from frames, which Get Video "
        "Components takes from a video."
    )


def disparity_outputs(report: str, farthest: str = "farthest") -> list[Any]:
    """The outputs that every node has which makes disparity, in the same order.

    Args:
        report: what the node's report says, for the tooltip.
        farthest: what has a disparity of 0.
    """
    return [
        sockets.Disparity.Output(
            display_name="disparity", tooltip=f"Disparity of every frame, 0 = {farthest} to 1 = nearest."
        ),
        io.Image.Output(display_name="image", tooltip="The disparity as grey pictures, white = near."),
        io.String.Output(display_name="report", tooltip=report),
    ]


NO_DISTANCES = (0.0, 0.0)


def distance_outputs() -> list[Any]:
    """The distances that a Camera needs; behind the outputs that every node has which makes disparity."""
    return [
        io.Float.Output(
            display_name="near_distance",
            tooltip="Distance where disparity is 1, in the unit of metric depth, for Camera; 0 where the "
            "maps are no distances.",
        ),
        io.Float.Output(
            display_name="far_distance",
            tooltip="Distance where disparity is 0, likewise; infinite where holes are far.",
        ),
    ]


def of_clip(frames: Any) -> dict[str, Any]:
    """What maps are brought to: number and size of the frames, and their picture between black bars."""
    if frames is None:
        return {}
    count, height, width, _ = with_frame_axes(frames, "frames").shape
    return {"num_frames": count, "height": height, "width": width, "area": picture_area(frames)}
