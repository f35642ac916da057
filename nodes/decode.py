"""The node that turns latents into sharp pictures: Refined VAE Decode."""

from typing import Any

from comfy_api.latest import io

from ..bokeh_core.clip.channels import to_rgb, with_channels_of
from ..bokeh_core.clip.checks import checked_frames
from ..bokeh_core.memory.needs import ENCODE_BATCH, decode_bytes, encode_bytes
from ..bokeh_core.pipeline.by_stage import geometry_between, refined_decode
from ..bokeh_core.windows import longest, plan_decode
from . import categories, host, sockets
from .newer_host import known_fields


def _needed_bytes(vae: Any, num_frames: int, height: int, width: int) -> int:
    channels = vae.config.block_out_channels[0]
    call = longest(plan_decode(num_frames, join_rest=vae.joins_rest))
    return max(
        decode_bytes(call, height, width, channels, vae.dtype),
        encode_bytes(ENCODE_BATCH, height, width, channels, vae.quant_conv.weight.dtype),
    )


class RefinedDecode(io.ComfyNode):
    """LATENT + all-in-focus frames -> frames."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehRefinedDecode",
            display_name="Refined VAE Decode",
            category=categories.PAPERS_MODEL,
            description="Decodes the clip with details from its all-in-focus frames, so that what is in "
            "focus stays sharp. Output size = size of the frames; alpha is carried through.",
            inputs=[
                sockets.BokehVAESocket.Input("vae", tooltip="The VAE, from Load Bokeh Model."),
                io.Latent.Input("latent", tooltip="Latents of the clip, from Assemble Overlapping Windows."),
                io.Image.Input(
                    "frames",
                    tooltip="The all-in-focus frames that went into the sampler, all of them and at the "
                    "same size.",
                ),
            ],
            outputs=[io.Image.Output(display_name="frames", tooltip="The clip through the lens.")],
            **known_fields(
                io.Schema, search_aliases=["vae decode", "any-to-bokeh", "skip connections", "bokeh"]
            ),
        )

    @classmethod
    def execute(cls, vae: sockets.BokehVAE, latent: dict[str, Any], frames: Any) -> io.NodeOutput:
        frames = checked_frames(frames)
        sockets.require_kind(vae, sockets.BokehVAE, "vae", "Load Bokeh Model")
        rgb, samples = to_rgb(frames), sockets.latent_samples(latent)
        known = latent.get(sockets.GEOMETRY_KEY)
        (height, width), (rows, columns) = rgb.shape[-2:], samples.shape[-2:]
        network = vae.patcher.model
        geometry = geometry_between((height, width), (rows, columns), known, network.auto_size_px)
        bar = host.frame_on_bar()
        with host.out_of_memory_advice(
            "smaller frames, or dtype fp16 in Load Bokeh Model (8 frames are decoded together, and fewer "
            "would change the result)"
        ):
            host.load_models([vae.patcher], _needed_bytes(network, len(rgb), *geometry.padded))
            decoded = refined_decode(
                network,
                samples * network.config.scaling_factor,
                rgb,
                geometry,
                device=vae.patcher.load_device,
                clip=latent.get(sockets.CLIP_KEY),
                encode_batch=ENCODE_BATCH,
                progress=bar.progress,
                show=bar.show,
            )
        return io.NodeOutput(with_channels_of(decoded, frames))
