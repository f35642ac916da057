"""The node that joins windows into a clip: Assemble Overlapping Windows."""

from comfy_api.latest import io

from ..bokeh_core.pipeline.by_stage import BokehWindows
from . import categories, sockets
from .newer_host import known_fields


class AssembleWindows(io.ComfyNode):
    """BOKEH_WINDOWS -> LATENT (Eq. 5)."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehAssembleWindows",
            display_name="Assemble Overlapping Windows",
            category=categories.PAPERS_MODEL,
            description="Blends the windows of the sampler into the latents of the clip (Eq. 5 of "
            "Any-to-Bokeh), with the overlap that each pair of windows really has.",
            inputs=[
                sockets.BokehWindowsSocket.Input(
                    "windows", tooltip="Latents of every window, from One-Step Bokeh Sampler."
                )
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent",
                    tooltip="An ordinary latent of Stable Video Diffusion, one per frame. Refined VAE Decode "
                    "makes the sharp video; any other decoder of that space gives a rough preview.",
                )
            ],
            **known_fields(
                io.Schema, search_aliases=["temporal merge", "overlap", "context windows", "bokeh"]
            ),
        )

    @classmethod
    def execute(cls, windows: BokehWindows) -> io.NodeOutput:
        sockets.require_kind(windows, BokehWindows, "windows", "One-Step Bokeh Sampler")
        # The host keeps latents outside of models unscaled.
        samples = windows.fused() / windows.scaling_factor
        latent = {"samples": samples, sockets.GEOMETRY_KEY: windows.geometry}
        if windows.clip is not None:
            latent[sockets.CLIP_KEY] = windows.clip
        return io.NodeOutput(latent)
