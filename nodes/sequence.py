"""The node that brings a folder of pictures into the graph as a VIDEO."""

from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..bokeh_core.disk.typed_paths import typed_path
from ..bokeh_core.lens.bad_pixels import BAD_PIXELS, REPLACE
from ..bokeh_core.render.sequence import DEFAULT_FRAME_RATE, is_sequence_path
from ..bokeh_core.render.sequence.names import folders_with_pictures
from . import categories, host
from .newer_host import known_fields
from .sequence_video import SequenceVideo

NO_FOLDER = "none"


def _named(folder: str, path: str) -> Path:
    """The pictures that the list, or else the typed path, names.

    Raises:
        ValueError: neither names pictures.
    """
    if folder in ("", NO_FOLDER, None) and not path.strip():
        raise ValueError(
            "No pictures were chosen: press the button to upload a folder, choose one from folder, or type "
            "path."
        )
    text = path if folder in ("", NO_FOLDER, None) else folder
    pattern = typed_path(text, host.input_folder())
    return pattern if is_sequence_path(pattern) else host.input_path(text)


class LoadSequence(io.ComfyNode):
    """Folder of pictures -> VIDEO, streamed."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehLoadSequence",
            display_name="Load Image Sequence (EXR, PNG)",
            category=categories.RENDER,
            description="Opens a folder of OpenEXR, PNG or TIFF pictures as a video, without reading it into "
            "memory. OpenEXR keeps light beyond white. Any-to-Bokeh Video streams it; other nodes get all "
            "frames.",
            inputs=[
                io.Combo.Input(
                    "folder",
                    options=[NO_FOLDER, *folders_with_pictures(host.input_folder())],
                    default=NO_FOLDER,
                    optional=True,
                    tooltip="A folder with pictures in ComfyUI's input folder. The button uploads one from "
                    "your computer. none (default): path is used.",
                ),
                io.String.Input(
                    "path",
                    default="",
                    optional=True,
                    tooltip="A folder with the pictures of one clip, absolute or relative to the input "
                    "folder, or one of several clips in it as shot.####.exr. Numbers are read in their "
                    "order.",
                ),
                io.Float.Input(
                    "frame_rate",
                    default=DEFAULT_FRAME_RATE,
                    min=0.1,
                    max=1000.0,
                    step=0.001,
                    optional=True,
                    tooltip="Frames a second, which pictures do not say. Default 24.",
                    **known_fields(io.Float.Input, round=False),
                ),
                io.Combo.Input(
                    "bad_pixels",
                    options=list(BAD_PIXELS),
                    default=REPLACE,
                    optional=True,
                    tooltip="Pixels of OpenEXR that are NaN, infinite or beyond 1e6. replace (default): "
                    "filled from around them, and told in the report. refuse: an error before anything is "
                    "rendered, after one look at all pictures.",
                ),
            ],
            outputs=[
                io.Video.Output(
                    display_name="video",
                    tooltip="The pictures as a video without sound. Get Video Components gives the numbers "
                    "of the files: linear light of OpenEXR, for which Lens Blur has transfer linear.",
                )
            ],
            **known_fields(
                io.Schema, search_aliases=["exr", "image sequence", "load frames", "folder of images", "hdr"]
            ),
        )

    @classmethod
    def execute(
        cls,
        folder: str = NO_FOLDER,
        path: str = "",
        frame_rate: float = DEFAULT_FRAME_RATE,
        bad_pixels: str = REPLACE,
    ) -> io.NodeOutput:
        return io.NodeOutput(SequenceVideo(_named(folder, path), frame_rate, bad_pixels))

    @classmethod
    def validate_inputs(cls, folder: str | None = None) -> bool:
        """Let names pass that are not in the list: front ends do not show what the host says of them."""
        return True

    @classmethod
    def fingerprint_inputs(cls, folder: Any = NO_FOLDER, path: Any = "", **_: Any) -> str:
        """Pictures that change on disk make the node run again."""
        try:
            return (
                SequenceVideo(_named(folder, path or ""), DEFAULT_FRAME_RATE, REPLACE)
                .clip(False)
                .fingerprint()
            )
        except ValueError as error:
            return str(error)
