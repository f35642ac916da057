"""The node that runs the paper's network over a clip: One-Step Bokeh Sampler."""

from typing import Any

import torch
from comfy_api.latest import io

from ..bokeh_core.clip.channels import to_rgb
from ..bokeh_core.lens import LensOverTime, falloff_alone
from ..bokeh_core.memory.needs import ENCODE_BATCH, encode_bytes, unet_bytes
from ..bokeh_core.pipeline.by_stage import (
    BokehWindows,
    encode_clip,
    predict_windows,
    windowed_frames,
)
from ..bokeh_core.pipeline.inputs import BokehInputs, bokeh_inputs
from ..bokeh_core.pipeline.mending import mended_maps
from ..bokeh_core.pipeline.report import cut_light_note, overlap_note, sampling_report
from ..bokeh_core.pipeline.steps import EncodedFrames
from ..bokeh_core.pipeline.working_size import working_geometry
from ..bokeh_core.progress import Progress, Show, as_part
from ..bokeh_core.published import WINDOW_FRAMES
from ..bokeh_core.strength import strength_in_pixels
from ..bokeh_core.windows import Window, longest, plan_windows
from . import categories, host, lens_socket, sockets, unchosen
from .model import require_parts_fit
from .newer_host import known_fields

AS_THE_FILE_ASKS = -1


class SizedWindows(BokehWindows):
    """BOKEH_WINDOWS whose size hosts can tell that keep results within a limit of memory."""

    def _comfy_cache_tensors(self) -> list[torch.Tensor]:
        if self.clip is None:
            return self.latents
        return [*self.latents, self.clip.frames, self.clip.disparity]


def _inputs(
    rgb: torch.Tensor,
    disparity: Any,
    focus: Any,
    blur_strength: Any,
    regions: Any,
    working_size: Any,
    network: Any,
    lens: Any,
    progress: Progress,
) -> tuple[BokehInputs, str]:
    """The clip with its settings, its maps mended where the model's file asks for it, and what that did."""
    geometry = working_geometry(rgb.shape[-2], rgb.shape[-1], working_size, network.auto_size_px)
    strength = strength_in_pixels(unchosen.strength_or_default(blur_strength), geometry.inner[1])

    def checked(maps: Any, focal_disparity: Any) -> BokehInputs:
        return bokeh_inputs(
            rgb,
            maps,
            focal_disparity,
            strength,
            regions=regions,
            working_size=working_size,
            auto_size_px=network.auto_size_px,
        )

    falloff = None if lens is None else falloff_alone(lens_socket.checked_lens(lens))
    note = ""
    if network.mends_maps and not sockets.is_refined(disparity):
        given = None if focus is None else sockets.focal_disparity_of(focus)
        # Mending takes long: what does not fit is said before.
        checked(disparity, torch.zeros(1) if given is None else given)
        mended = mended_maps(rgb, disparity, given, progress=progress)
        disparity, note = mended.disparity, "\n".join([mended.report, *_of_layers(regions)])
    chosen = unchosen.focus_or_automatic(focus, rgb.movedim(1, -1), disparity)
    inputs = checked(disparity, sockets.focal_disparity_of(chosen))
    if isinstance(falloff, LensOverTime):
        inputs = inputs.with_falloff([each.falloff for each in falloff.at_frames(inputs.num_frames)])
    elif falloff is not None:
        inputs = inputs.with_falloff(falloff)
    return inputs, note


def _of_layers(regions: Any) -> list[str]:
    """What is told of layers beside maps that are mended here."""
    if regions is None:
        return []
    return ["mpi_regions are of the maps as they came; not connected, they are made of the mended ones."]


def _encode(
    model: sockets.BokehModel,
    vae: sockets.BokehVAE,
    clip_vision: Any,
    inputs: BokehInputs,
    progress: Progress,
) -> EncodedFrames:
    network, unet = vae.patcher.model, model.patcher.model
    dtype = network.quant_conv.weight.dtype
    channels = network.config.block_out_channels[0]
    needed = encode_bytes(ENCODE_BATCH, *inputs.geometry.padded, channels, dtype)
    patchers = [vae.patcher, *([clip_vision.patcher] if unet.reads_images else [])]
    host.load_models(patchers, needed)
    return encode_clip(
        network,
        host.image_encoder(unet, clip_vision),
        inputs,
        device=vae.patcher.load_device,
        encode_batch=ENCODE_BATCH,
        progress=progress,
    )


def _predict(
    model: sockets.BokehModel,
    encoded: EncodedFrames,
    inputs: BokehInputs,
    windows: list[Window],
    progress: Progress,
    show_latents: Show,
) -> list[torch.Tensor]:
    network = model.patcher.model
    dtype = network.conv_in.weight.dtype
    channels = network.config.block_out_channels[0]
    needed = unet_bytes(longest(windows), *inputs.geometry.padded, channels, dtype)
    host.load_models([model.patcher], needed)
    return predict_windows(
        network,
        encoded,
        inputs,
        windows,
        mpi_mode=model.mpi_mode,
        device=model.patcher.load_device,
        progress=progress,
        show_latents=show_latents,
    )


class OneStepSampler(io.ComfyNode):
    """Frames and a lens -> BOKEH_WINDOWS."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehSampler",
            display_name="One-Step Bokeh Sampler",
            category=categories.PAPERS_MODEL,
            description="Runs the paper's network over a clip in overlapping windows of 8 frames, one step "
            "each, without noise or seed. Assemble Overlapping Windows comes next.",
            inputs=[
                sockets.BokehModelSocket.Input("model", tooltip="The U-Net, from Load Bokeh Model."),
                sockets.BokehVAESocket.Input("vae", tooltip="The VAE, from Load Bokeh Model."),
                io.Image.Input(
                    "frames",
                    tooltip="The all-in-focus frames, at least 64 px on both sides; grey and RGBA work too.",
                ),
                sockets.Disparity.Input(
                    "disparity",
                    tooltip="The clip's disparity, of the size of the frames. bokeh-small mends it by the "
                    "frames first, unless it comes from Refine Depth. A connected focus that moves keeps its "
                    "scale as it came; Refine Depth before the Focus node steadies both.",
                ),
                sockets.Focus.Input("focus", optional=True, tooltip=unchosen.FOCUS_TOOLTIP),
                sockets.BlurStrength.Input(
                    "blur_strength",
                    optional=True,
                    tooltip=f"{unchosen.STRENGTH_TOOLTIP} The model was trained for K of 1 to 32 px at the "
                    "size it works at; beyond that the report warns.",
                ),
                io.ClipVision.Input(
                    "clip_vision",
                    optional=True,
                    tooltip="CLIP ViT-H/14 from Load CLIP Vision: the file clip_vision_h.safetensors. "
                    "The authors' model needs it, bokeh-small does not.",
                ),
                sockets.MPIRegions.Input(
                    "mpi_regions",
                    optional=True,
                    tooltip="Layers from MPI Focal-Plane Mask, read in paper mode only. Not connected: made "
                    "from the disparity, mended where the model does that, as the paper states.",
                ),
                io.Int.Input(
                    "overlap",
                    default=AS_THE_FILE_ASKS,
                    min=AS_THE_FILE_ASKS,
                    max=WINDOW_FRAMES - 1,
                    optional=True,
                    tooltip="Frames that consecutive windows share. -1 (default) takes what the model's file "
                    "asks for: 4 for the authors' model, as published, 0 for bokeh-small, which more does "
                    "not help. More is steadier over time and slower; 0 is fastest, and with the authors' "
                    "model jumps every 8 frames.",
                ),
                io.Combo.Input(
                    "working_size",
                    options=["auto", "native"],
                    default="auto",
                    optional=True,
                    tooltip="Size the network works at; the result always has the size of the frames. auto "
                    "(default) shrinks frames larger than 1024 x 576 to that area, which the model was "
                    "trained at; for bokeh-small it is 448 x 256, and only its gates are enlarged. native "
                    "keeps every pixel: sharper in focus, but much more memory and time.",
                ),
                lens_socket.lens_input(
                    "The model honours its strengths, focus_range and largest_radius, and refuses others by "
                    "name."
                ),
            ],
            outputs=[
                sockets.BokehWindowsSocket.Output(
                    display_name="windows", tooltip="Latents of every window, and which frames they share."
                ),
                io.String.Output(
                    display_name="report",
                    tooltip="Working size, windows, K at the working size, mode, and warnings.",
                ),
            ],
            **known_fields(
                io.Schema, search_aliases=["any-to-bokeh", "bokeh diffusion", "depth of field", "refocus"]
            ),
        )

    @classmethod
    def execute(
        cls,
        model: sockets.BokehModel,
        vae: sockets.BokehVAE,
        frames: Any,
        disparity: Any,
        focus: Any = None,
        blur_strength: Any = None,
        clip_vision: Any = None,
        mpi_regions: Any = None,
        overlap: int = AS_THE_FILE_ASKS,
        working_size: str = "auto",
        lens: Any = None,
    ) -> io.NodeOutput:
        require_parts_fit(model, vae, clip_vision)
        if sockets.magnification_of(blur_strength) is not None:
            raise ValueError(
                "This Camera breathes, which the sampler cannot pass on to Refined VAE Decode; turn "
                "breathing off, or use Any-to-Bokeh Video with the renderer model, which breathes."
            )
        with host.out_of_memory_advice(
            "smaller frames, working_size auto, or dtype fp16 in Load Bokeh Model (a window cannot be cut "
            "without changing the result)"
        ):
            network = vae.patcher.model
            rgb = to_rgb(frames)
            count = len(rgb)
            shared = model.overlap if overlap == AS_THE_FILE_ASKS else overlap
            windows = plan_windows(count, overlap=shared, join_rest=network.joins_rest)
            # A bundle brings latents of its own, of which the host knows no picture.
            bar = host.progress_bar() if model.bundle else host.latents_on_bar(model.patcher.load_device)
            before = count if network.mends_maps else 0
            total = before + count + windowed_frames(windows)
            inputs, mended = _inputs(
                rgb,
                disparity,
                focus,
                blur_strength,
                mpi_regions,
                working_size,
                network,
                lens,
                as_part(bar.progress, 0, total),
            )
            encoded = _encode(model, vae, clip_vision, inputs, as_part(bar.progress, before, total))
            predicting = as_part(bar.progress, before + count, total)
            latents = _predict(model, encoded, inputs, windows, predicting, bar.show)
        dtype = str(model.patcher.model.conv_in.weight.dtype).removeprefix("torch.")
        report = sampling_report(
            inputs.geometry,
            windows,
            inputs.blur_strength_px,
            model.mpi_mode,
            f"{dtype} on {model.patcher.load_device}",
            model.trained_px,
            network.gives_gates,
        )
        clip = inputs if network.reads_radius else None
        factor = network.config.scaling_factor
        result = SizedWindows(latents, windows, inputs.geometry, factor, clip)
        unasked = overlap_note(shared, model.overlap) if len(windows) > 1 else ""
        notes = (report, unasked, mended, "" if network.gives_gates else cut_light_note(frames))
        return io.NodeOutput(result, "\n".join(filter(None, notes)))
