"""The steps of the pipeline (Fig. 2a), each on a run of frames: encode, one step of the U-Net, decode.

Streaming, the nodes' stages and training put them together; what the published inference fixes is done here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor

from ..inference import inference
from ..memory.errors import is_device_memory_error
from ..memory.needs import PIECE_ELEMENTS, SMALLEST_PIECE_ELEMENTS
from ..progress import Check, no_check
from ..published import K_DTYPE, MPIMode
from ..semantics import ImageEncoder, clip_input
from ..windows import DecodeCall
from .inputs import BokehInputs
from .mixing import mixed_frames
from .working_size import WorkingGeometry

if TYPE_CHECKING:
    from ..models import BokehUNet, RefinedVAE
    from ..models.vae import SkipLevel


@dataclass
class EncodedFrames:
    """What every window and decode call shares of a run of frames.

    Attributes:
        latents: [N, 8, h, w], of the frames and of their defocus (V_A, V_D).
        image_embeds: [N, D].
        skips: for the refined decode, one list a frame (see `RefinedVAE.skips`); empty where not kept.
    """

    latents: Tensor
    image_embeds: Tensor
    skips: list[list[Tensor]]


def encode_frames(
    vae: RefinedVAE,
    image_encoder: ImageEncoder,
    inputs: BokehInputs,
    start: int,
    stop: int,
    *,
    device: torch.device,
    keep_skips: bool,
) -> EncodedFrames:
    """Encode frames [start, stop); each result depends on its own frame alone.

    Raises:
        ValueError: the image encoder does not return one vector a frame.
    """
    frames = inputs.stretched_frames(start, stop, device)
    frame_latents, skips = vae.encode(inputs.geometry.pad(frames), compact=True)
    radius_px = inputs.network_radius(start, stop, device) if vae.reads_radius else None
    defocus_latents = vae.encode_defocus(inputs.network_defocus(start, stop, device), radius_px)
    if radius_px is not None:
        skips = [*skips, radius_px]
    embeds = image_encoder(clip_input(frames))
    if embeds.ndim != 2 or embeds.shape[0] != stop - start:
        raise ValueError(
            f"The image encoder returned shape {tuple(embeds.shape)} for {stop - start} frames; "
            "it must be [N, D], the projected CLIP embedding of each."
        )
    kept = [[skip[i : i + 1] for skip in skips] for i in range(stop - start)] if keep_skips else []
    latents = torch.cat((frame_latents, defocus_latents.to(frame_latents.dtype)), dim=1)
    return EncodedFrames(latents, embeds.to(device), kept)


def predict_latents(
    unet: BokehUNet,
    latents: Tensor,
    image_embeds: Tensor,
    inputs: BokehInputs,
    start: int,
    stop: int,
    *,
    mpi_mode: MPIMode,
    k_dtype: torch.dtype = K_DTYPE,
    windows: int = 1,
) -> Tensor:
    """Bokeh latents of frames [start, stop), float32 [N, 4, h, w], from one U-Net pass.

    Args:
        unet: computes, on the device of `latents`.
        latents: of these frames, [N, 8, h, w].
        image_embeds: of these frames, [N, D].
        inputs: the clip, from which K and the MPI regions are taken.
        start: first frame.
        stop: the frame behind the last.
        mpi_mode: `released` or `paper`.
        k_dtype: dtype in which K is embedded; float16 as published, on every device.
        windows: of equal length that the frames are cut into, none of which sees another.
    """
    device = latents.device
    # In main memory, as the network counts cells by region, for which a device would have to be asked.
    regions = inputs.network_regions(start, stop, torch.device("cpu"), mpi_mode)
    latents, image_embeds, strength = (
        rearrange(values, "(b f) ... -> b f ...", b=windows)
        for values in (latents, image_embeds, inputs.blur_strength_px[start:stop].to(device, k_dtype))
    )
    if regions is not None:
        regions = rearrange(regions, "(b f) h w -> b f h w", b=windows)
    output = unet(latents, strength, image_embeds, regions, mpi_mode)
    return rearrange(output, "b f c h w -> (b f) c h w").float()


def decode_call(
    vae: RefinedVAE,
    latents: Tensor,
    levels: Sequence[SkipLevel],
    call: DecodeCall,
    geometry: WorkingGeometry,
    clip: BokehInputs | None = None,
    check: Check = no_check,
) -> Iterator[Tensor]:
    """Frames that a decode call keeps, float32 [N, 3, H, W] at the size of the clip, in order.

    They are in [0, 1] and come all at once; of a VAE that gives gates as `mixing.mixed_frames` gives them, so
    that no more of large frames are held than are mixed together.

    Out of memory repeats it in smaller pieces, which changes no number.

    Args:
        vae: on the device of `latents`.
        latents: of the call's frames, [F, 4, h, w], scaled.
        levels: of the call's frames, see `RefinedVAE.decode`.
        call: says how many of its frames, the last ones, are kept.
        geometry: from the frames' size to that of the latents.
        clip: its frames, disparity and lens; needed by a VAE that gives gates.
        check: may raise to stop.

    Raises:
        RuntimeError: the device's memory holds the smallest pieces neither; its own error.
    """
    piece_elements = PIECE_ELEMENTS
    while True:
        try:
            with inference(latents.device):
                pixels = vae.decode(latents, levels, piece_elements=piece_elements)
        except RuntimeError as error:
            if piece_elements <= SMALLEST_PIECE_ELEMENTS or not is_device_memory_error(error):
                raise
        else:
            kept = pixels[-(call.stop - call.keep_from) :]
            break
        # Out here, where the exception is gone, and with it all that the failed attempt held.
        piece_elements //= 8
    if not vae.gives_gates:
        with inference(latents.device):
            restored = geometry.restore((kept.float() / 2 + 0.5).clamp(0, 1))
        yield restored
        return
    assert clip is not None
    yield from mixed_frames(vae, kept, clip, call.keep_from, call.stop, check=check)
