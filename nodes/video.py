"""The node for clips of any length: Any-to-Bokeh Video."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..bokeh_core.clip.letterbox import BLACK_BARS
from ..bokeh_core.coc import EQ_1
from ..bokeh_core.disparity.files import state_of_files
from ..bokeh_core.disparity.fit import MapFit
from ..bokeh_core.disparity.meaning import DepthMeaning
from ..bokeh_core.disparity.refine.settings import PARTS, settings_named
from ..bokeh_core.focus.at_point import DEFAULT_BETWEEN_POINTS
from ..bokeh_core.lens import DEFAULT_LENS, falloff_alone
from ..bokeh_core.lens.bad_pixels import REPLACE
from ..bokeh_core.lens.other_frames import CONTINUE
from ..bokeh_core.render import (
    GivenFocus,
    GivenStrength,
    LensRenderer,
    RenderJob,
    Strength,
    parse_focus,
    stored_under_key,
)
from ..bokeh_core.render.made_results import MadeResults
from ..bokeh_core.render.typed_focus import AUTOMATIC
from ..bokeh_core.video_io import DEFAULT_CRF, ENCODINGS, Encoding
from ..bokeh_core.video_io.format import AS_TAGGED, TRANSFER_CHOICES
from . import categories, given_video, host, sockets
from .disparity_widgets import NO_FILE, chosen_path, file_input, meaning_inputs, placing_inputs
from .focus import between_keyframes_input
from .lens import black_bars_input, hidden_background_input
from .lens_socket import checked_lens, lens_input
from .newer_host import known_fields
from .sequence_video import SequenceVideo
from .video_job import SHOWN_S, depth_of, model_renderer, rendered, shown_of

RENDERERS = ("lens", "model")
MEMORY_ADVICE = (
    "smaller frames, a lower strength, dtype fp16 in Load Bokeh Model, or Load Video rather than a video in "
    "memory"
)
NOT_USED = "A model is connected and not used: the renderer is lens. Choose the renderer model for it."
# Files of this session: the host returns cached results without checking that the files still exist.
_results = MadeResults()


def _named_files(
    disparity_path: str | None = None,
    disparity_file: str | None = None,
    focus_at: str | None = None,
    **_: Any,
) -> str:
    """A text that changes when the files that widgets name do; a widget that is connected is None."""
    found = []
    try:
        if disparity_path or disparity_file not in (None, NO_FILE):
            found.append(state_of_files(chosen_path(disparity_file, disparity_path, "")))
        if focus_at:
            found.append(parse_focus(focus_at, find_file=host.input_path).fingerprint())
    except ValueError as error:
        found.append(str(error))
    return " ".join(found)


class AnyToBokehVideo(io.ComfyNode):
    """VIDEO + depth -> VIDEO, streamed."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehVideo",
            display_name="Any-to-Bokeh Video (Cinematic DOF)",
            category=categories.RENDER,
            description="Blurs a video of any length from file to file, in memory that does not grow with "
            "it. Sound and frame rate are kept, and a cancelled run continues where it stopped. The "
            "result is in ComfyUI's output folder, under any_to_bokeh.",
            is_output_node=True,
            inputs=[
                io.Video.Input(
                    "video",
                    tooltip="The video from Load Video, with any trim, crop or join made since. A video "
                    "held in memory takes memory for every frame.",
                ),
                io.String.Input(
                    "disparity_path",
                    default="",
                    tooltip="Depth maps: a folder, video, still, NPY or NPZ, absolute or relative to the "
                    "input folder; one map per frame, or one for all. Not used where disparity or "
                    "depth_video is connected.",
                ),
                *meaning_inputs(),
                io.String.Input(
                    "focus_at",
                    default=AUTOMATIC,
                    optional=True,
                    tooltip="What is sharp: auto (default) is each shot's subject, point the centre, point: "
                    "512, 288 a pixel, 0.8 a disparity, mask: FILE a subject. Keyframes: 0: 0.9, 24: 0.3 or "
                    "point: 0: 512, 288; 24: 700, 300. Not used where focus is connected.",
                ),
                io.String.Input(
                    "strength",
                    default="16",
                    optional=True,
                    tooltip="K in px: the blur radius of a point whose disparity differs by 1 from the "
                    "focus, on a frame 1024 px wide. Default 16; keyframes: 0: 8, 48: 24. Not used where "
                    "blur_strength is connected.",
                ),
                io.Combo.Input(
                    "renderer",
                    options=list(RENDERERS),
                    default="lens",
                    optional=True,
                    tooltip="lens (default): Lens Blur, needs no model. model: the paper's network; connect "
                    "model, vae and clip_vision.",
                ),
                io.Combo.Input(
                    "codec",
                    options=list(ENCODINGS),
                    default="h264",
                    optional=True,
                    tooltip="h264 (default) plays everywhere. h264-10bit has no steps in soft blur, fewer "
                    "players. prores is for editing, ffv1 is lossless; both are large, and keep alpha. png "
                    "and exr make a folder of pictures without sound; exr keeps light beyond white.",
                ),
                io.Int.Input(
                    "crf",
                    default=DEFAULT_CRF,
                    min=0,
                    max=51,
                    optional=True,
                    tooltip="Quality of h264: 18 (default) is hard to tell from the source, more is smaller "
                    "and coarser, 0 is lossless. Only h264 and h264-10bit use it.",
                ),
                sockets.Disparity.Input(
                    "disparity",
                    optional=True,
                    tooltip="Disparity from one of the disparity nodes. All of it is held in memory, so "
                    "read long clips from disparity_path.",
                ),
                io.Video.Input(
                    "depth_video",
                    optional=True,
                    tooltip="Depth as a video from Load Video; source, polarity, normalisation and exponent "
                    "say how to read it.",
                ),
                sockets.Focus.Input(
                    "focus", optional=True, tooltip="Focus from one of the Focus nodes, in place of focus_at."
                ),
                sockets.BlurStrength.Input(
                    "blur_strength",
                    optional=True,
                    tooltip="Strength from Blur Strength, Camera or the Viewfinder, in place of strength.",
                ),
                sockets.BokehModelSocket.Input(
                    "model",
                    optional=True,
                    tooltip="For the renderer model: the U-Net, from Load Bokeh Model.",
                ),
                sockets.BokehVAESocket.Input(
                    "vae", optional=True, tooltip="For the renderer model: the VAE, from Load Bokeh Model."
                ),
                io.ClipVision.Input(
                    "clip_vision",
                    optional=True,
                    tooltip="For the renderer model: clip_vision_h.safetensors from Load CLIP Vision.",
                ),
                *placing_inputs(),
                black_bars_input(),
                file_input(
                    "disparity_file",
                    "Depth in ComfyUI's input folder: a video, still, NPY, NPZ or EXR, or a folder of "
                    "maps. The buttons upload more from your computer: one file, or a folder of maps. none "
                    "(default): disparity_path is used. Not used where disparity or depth_video is "
                    "connected.",
                ),
                io.Boolean.Input(
                    "save_workflow",
                    default=True,
                    optional=True,
                    tooltip="Stores the workflow in the file, as Save Video does: dropped on the canvas, the "
                    "video opens it. Default on; off for files that shall not tell how they were made.",
                    **known_fields(io.Boolean.Input, advanced=True),
                ),
                lens_input(
                    "The renderer lens honours all of it; the renderer model its strengths, focus_range and "
                    "largest_radius, and refuses others by name. Not connected: a plain round lens."
                ),
                io.Boolean.Input(
                    "refine",
                    default=False,
                    optional=True,
                    tooltip="Mends the depth by the frames, as Refine Depth does: flicker, soft outlines, "
                    "torn limbs. Default off; on takes about 0.3 s a frame of 1024 x 576. bokeh-small does "
                    "it by itself; mend in Load Bokeh Model turns that off.",
                ),
                between_keyframes_input("Between points in focus_at."),
                io.Combo.Input(
                    "transfer",
                    options=list(TRANSFER_CHOICES),
                    default=AS_TAGGED,
                    optional=True,
                    tooltip="How the video's numbers mean light. as the file says (default): HDR10 and HLG "
                    "by their tags, OpenEXR as linear light, all else for displays. display (gamma 2.2), "
                    "linear, pq, hlg: for files whose tags are missing or wrong. Lamps beyond white keep "
                    "their light.",
                    **known_fields(io.Combo.Input, advanced=True),
                ),
                hidden_background_input(),
                io.String.Input(
                    "refine_parts",
                    default=", ".join(PARTS),
                    optional=True,
                    tooltip="What refine does, names with commas, as the switches of Refine Depth: outlines, "
                    "steady, limbs, banding, trained. Default all; fewer are faster, and leave the rest of "
                    "the maps as they came. Not used with refine off.",
                    **known_fields(io.String.Input, advanced=True),
                ),
            ],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            outputs=[
                io.Video.Output(display_name="video", tooltip="The video through the lens, as a file."),
                io.String.Output(
                    display_name="report",
                    tooltip="What was read and decided about the depth, warnings, and where the file is.",
                ),
            ],
            **known_fields(
                io.Schema,
                essentials_category=categories.ESSENTIAL_OF_VIDEO,
                search_aliases=[
                    "bokeh",
                    "dof",
                    "depth of field",
                    "long video",
                    "video blur",
                    "lens blur video",
                    "cinematic",
                    "background blur",
                    "blur background",
                ],
            ),
        )

    @classmethod
    def execute(
        cls,
        video: Any,
        disparity_path: str,
        source: str = DepthMeaning.source,
        polarity: str = DepthMeaning.polarity,
        normalisation: str = DepthMeaning.normalisation,
        exponent: float = DepthMeaning.exponent,
        focus_at: str = AUTOMATIC,
        strength: str = "16",
        renderer: str = "lens",
        codec: str = "h264",
        crf: int = DEFAULT_CRF,
        disparity: Any = None,
        depth_video: Any = None,
        focus: Any = None,
        blur_strength: Any = None,
        model: Any = None,
        vae: Any = None,
        clip_vision: Any = None,
        holes: str = DepthMeaning.holes,
        fit: str = MapFit.fit,
        frame_offset: int = MapFit.frame_offset,
        frames_per_map: float = MapFit.frames_per_map,
        black_bars: str = BLACK_BARS[0],
        disparity_file: str = NO_FILE,
        save_workflow: bool = True,
        lens: Any = None,
        refine: bool = False,
        between_keyframes: str = DEFAULT_BETWEEN_POINTS,
        transfer: str = AS_TAGGED,
        hidden_background: str = CONTINUE,
        refine_parts: str = ", ".join(PARTS),
    ) -> io.NodeOutput:
        settings = dict(locals())
        meaning = DepthMeaning(source, polarity, normalisation, exponent, holes)
        look = DEFAULT_LENS if lens is None else checked_lens(lens)
        falloff = falloff_alone(look) if renderer == "model" else EQ_1
        placing = MapFit(fit, frame_offset, frames_per_map)
        with host.out_of_memory_advice(MEMORY_ADVICE), ExitStack() as opened:
            depth = opened.enter_context(
                depth_of(disparity, depth_video, disparity_file, disparity_path, meaning, placing)
            )
            clip = opened.enter_context(given_video.clip_of(video, ENCODINGS[codec].keeps_alpha, transfer))
            job = RenderJob(
                clip.source,
                depth,
                parse_focus(focus_at, between=between_keyframes, find_file=host.input_path)
                if focus is None
                else GivenFocus(sockets.focal_disparity_of(focus)),
                Strength(strength)
                if blur_strength is None
                else GivenStrength(
                    sockets.strength_values_of(blur_strength), sockets.magnification_of(blur_strength)
                ),
                LensRenderer(look, host.compute_device(), host.room, hidden_background)
                if renderer == "lens"
                else model_renderer(model, vae, clip_vision, falloff),
                Path(),
                Encoding(codec, crf),
                black_bars=black_bars,
                origin=host.origin_of(cls.hidden) if save_workflow else {},
                refine=settings_named(refine_parts, "refine_parts") if refine else None,
            )
            job = stored_under_key(job, host.output_folder(), clip.name)
            networks = [network for network in (model, vae, clip_vision) if network is not None]
            notes = [*clip.notes, *([NOT_USED] if networks and renderer == "lens" else [])]
            report = "\n".join([*notes, rendered(job, networks)])
        _results.add(settings, job.output)
        if job.encoding.is_pictures:
            pictures = SequenceVideo(job.output, float(job.clip.format.frame_rate), REPLACE)
            return io.NodeOutput(pictures, report, ui=pictures.preview(SHOWN_S))
        return io.NodeOutput(host.video_of(job.output), report, ui=shown_of(job.output, codec))

    @classmethod
    def validate_inputs(cls, disparity_file: str | None = None) -> bool:
        """Let names pass that are not in the list: front ends do not show what the host says of them."""
        return True

    @classmethod
    def fingerprint_inputs(cls, **widgets: Any) -> str:
        """Named files that change on disk, and a result that is gone, make the node run again."""
        return f"{_named_files(**widgets)} {_results.losses(widgets)}"
