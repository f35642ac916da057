"""The node that makes a first run need no files: Example Clip."""

from pathlib import Path
from typing import Any

import torch
from comfy_api.latest import io
from torch.nn.functional import avg_pool2d

from . import categories, host, sockets
from .libraries import needed_libraries
from .newer_host import known_fields

_PACK = Path(__file__).resolve().parents[1]
_FOLDER = _PACK / "assets"
# Browsers play it from there, before anything has run.
_VIDEOS = _PACK / "web" / "clips"
CLIPS = ("motorcycle",)
SIZES = ("full", "half")
FRAMES_PER_SECOND = 24


class ExampleClip(io.ComfyNode):
    """The pack's own clip -> VIDEO, DISPARITY, IMAGE."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehExampleClip",
            display_name="Example Clip (with Depth)",
            category=categories.DEPTH,
            description="A short clip with measured depth that comes with this pack, to try a workflow "
            "before you have a clip and its depth. Put Load Video and Load Depth in its place for your "
            "own.",
            inputs=[
                io.Combo.Input(
                    "clip",
                    options=list(CLIPS),
                    default=CLIPS[0],
                    tooltip="Which clip. motorcycle (default): 36 frames of 704 x 480 px, 24 frames a "
                    "second, no sound; the camera moves past a motorcycle in a garage.",
                ),
                io.Int.Input(
                    "max_frames",
                    default=0,
                    min=0,
                    max=1000,
                    tooltip="Number of frames to use, 0 (default) = all. A few are enough to try a slow "
                    "setting.",
                ),
                io.Combo.Input(
                    "size",
                    options=list(SIZES),
                    default=SIZES[0],
                    tooltip="full (default) or half the width and height, which renders about 4 times as "
                    "fast.",
                ),
            ],
            outputs=[
                io.Video.Output(display_name="video", tooltip="The clip, as Load Video gives it."),
                sockets.Disparity.Output(
                    display_name="disparity",
                    tooltip="Its disparity, one map a frame, 0 = farthest to 1 = nearest.",
                ),
                io.Image.Output(display_name="frames", tooltip="Its frames as pictures."),
            ],
            **known_fields(
                io.Schema, search_aliases=["sample video", "demo clip", "test footage", "bokeh", "depth"]
            ),
        )

    @classmethod
    def execute(cls, clip: str, max_frames: int = 0, size: str = "full") -> io.NodeOutput:
        # Other nodes do without PyAV and OpenCV.
        with needed_libraries():
            from ..bokeh_core.disparity.files import read_depth_maps
            from ..bokeh_core.video_io import VideoFile

            folder = _folder_of(clip)
            file = _VIDEOS / f"{clip}.mp4"
            frames = torch.stack(list(VideoFile(file).frames()))
            disparity = read_depth_maps(folder / "disparity", host.check_interrupt).values
        if not max_frames and size == "full":
            return io.NodeOutput(host.video_of(file), _to_range(disparity), frames)
        count = max_frames or len(frames)
        frames, disparity = frames[:count], _to_range(disparity)[:count]
        if size == "half":
            frames = avg_pool2d(frames.movedim(-1, 1), 2).movedim(1, -1).contiguous()
            # Depth is not averaged: between two surfaces there is nothing at their mean.
            disparity = disparity[:, ::2, ::2].contiguous()
        return io.NodeOutput(host.video_in_memory(frames, FRAMES_PER_SECOND), disparity, frames)

    @classmethod
    def validate_inputs(cls, clip: str | None = None) -> bool:
        """Let names pass that are not in the list: front ends do not show what the host says of them."""
        return True


def _to_range(disparity: Any) -> Any:
    """Disparity over the whole range from 0 to 1 of the whole clip."""
    low, high = disparity.aminmax()
    return (disparity - low) / (high - low)


def _folder_of(clip: str) -> Path:
    folder = _FOLDER / clip
    if clip not in CLIPS or not folder.is_dir() or not (_VIDEOS / f"{clip}.mp4").is_file():
        raise ValueError(
            f"The example clip {clip} is not in {_FOLDER} and {_VIDEOS}; install this pack again, or use "
            "Load Video and Load Depth with a clip of your own."
        )
    return folder
