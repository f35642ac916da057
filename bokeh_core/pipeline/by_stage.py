"""The pipeline's stages one at a time, for callers that keep what lies between them (Fig. 2a).

encode_clip -> predict_windows -> BokehWindows.fused (Eq. 5) -> refined_decode
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..clip.checks import checked_frames
from ..inference import inference
from ..memory.batches import batches
from ..progress import Progress, Show, no_progress, no_show
from ..published import K_DTYPE, TRAINED_SIZE_PX, MPIMode
from ..semantics import ImageEncoder
from ..windows import DecodeCall, Window, fuse_windows, plan_decode
from .inputs import BokehInputs, stretched
from .steps import EncodedFrames, decode_call, encode_frames, predict_latents
from .working_size import WorkingGeometry, working_geometry

if TYPE_CHECKING:
    from ..models import BokehUNet, RefinedVAE


@dataclass(frozen=True)
class BokehWindows:
    """Latents of every window of a clip, with all that assembling and decoding them needs.

    Attributes:
        latents: float32 [F, 4, h, w] for each window, scaled, on the CPU.
        windows: which frames each window holds.
        geometry: from the frames' size to the working size.
        scaling_factor: of the VAE's latents, 0.18215.
        clip: disparity and lens of the clip, for a VAE that reads the blur radius; else None.
    """

    latents: list[Tensor]
    windows: list[Window]
    geometry: WorkingGeometry
    scaling_factor: float
    clip: BokehInputs | None = None

    @property
    def overlaps(self) -> list[int]:
        """Frames that each window shares with the one before it; more than asked for at a ragged end."""
        return [earlier.stop - later.start for earlier, later in pairwise(self.windows)]

    def fused(self) -> Tensor:
        """Latents of the clip (Eq. 5): float32 [T, 4, h, w], scaled."""
        return fuse_windows(self.latents, self.windows)


def encode_clip(
    vae: RefinedVAE,
    image_encoder: ImageEncoder,
    inputs: BokehInputs,
    *,
    device: torch.device,
    encode_batch: int = 2,
    progress: Progress = no_progress,
) -> EncodedFrames:
    """Encode a whole clip without skips; the result waits on the CPU.

    Args:
        vae: on `device`.
        image_encoder: see `BokehPipeline`.
        inputs: the clip.
        device: where to compute.
        encode_batch: frames encoded together; memory only, halved when it does not suffice.
        progress: told of frames, before each piece and at the end.

    Raises:
        ValueError: see `encode_frames`.
    """

    def encode(start: int, stop: int) -> EncodedFrames:
        progress(start, inputs.num_frames)
        with inference(device):
            return encode_frames(vae, image_encoder, inputs, start, stop, device=device, keep_skips=False)

    pieces = [
        (piece.latents.float().cpu(), piece.image_embeds.float().cpu())
        for _, piece in batches(inputs.num_frames, encode_batch, encode)
    ]
    progress(inputs.num_frames, inputs.num_frames)
    latents, image_embeds = (torch.cat(parts) for parts in zip(*pieces, strict=True))
    return EncodedFrames(latents, image_embeds, [])


def windowed_frames(windows: Sequence[Window]) -> int:
    """Frames of all windows together, overlaps counted twice."""
    return sum(stop - start for start, stop in windows)


def predict_windows(
    unet: BokehUNet,
    encoded: EncodedFrames,
    inputs: BokehInputs,
    windows: list[Window],
    *,
    mpi_mode: MPIMode,
    device: torch.device,
    k_dtype: torch.dtype = K_DTYPE,
    progress: Progress = no_progress,
    show_latents: Show = no_show,
) -> list[Tensor]:
    """Bokeh latents of every window, float32 [F, 4, h, w] on the CPU, one U-Net pass each.

    Args:
        unet: on `device`.
        encoded: the clip, from `encode_clip`.
        inputs: the clip.
        windows: as `plan_windows` gives them.
        mpi_mode: `released` or `paper`.
        device: where to compute.
        k_dtype: dtype in which K is embedded; float16 as published.
        progress: told of frames, overlaps counted twice, before each window and at the end.
        show_latents: given the latents [4, h, w] of the last frame of each window.
    """
    latents: list[Tensor] = []
    total = windowed_frames(windows)
    for start, stop in windows:
        progress(sum(map(len, latents)), total)
        with inference(device):
            predicted = predict_latents(
                unet,
                encoded.latents[start:stop].to(device),
                encoded.image_embeds[start:stop].to(device),
                inputs,
                start,
                stop,
                mpi_mode=mpi_mode,
                k_dtype=k_dtype,
            )
        latents.append(predicted.cpu())
        show_latents(latents[-1][-1])
    progress(total, total)
    return latents


def refined_decode(
    vae: RefinedVAE,
    latents: Tensor,
    frames: Tensor,
    geometry: WorkingGeometry,
    *,
    device: torch.device,
    clip: BokehInputs | None = None,
    encode_batch: int = 2,
    progress: Progress = no_progress,
    show: Show = no_show,
) -> Tensor:
    """Decode a clip with the details of its all-in-focus frames (section 3.4), 8 aligned frames a call.

    Args:
        vae: on `device`.
        latents: [T, 4, h, w], scaled.
        frames: [T, 3, H, W] in [0, 1], all in focus. Their encoder features are computed anew for each call:
            kept from the sampler they would be 73 MB a frame of 1024 x 576, ten times the frame itself.
        geometry: from the frames' size to that of the latents.
        device: where to compute.
        clip: see `BokehWindows`; of it all but the frames is read.
        encode_batch: frames encoded together; memory only, halved when it does not suffice.
        progress: told of frames, each encoded and then decoded, before each piece and at the end.
        show: given the last frame of each call.

    Returns:
        float32 [T, 3, H, W] in [0, 1], or what `mixing.mixed_frames` gives, on the device of `frames`.

    Raises:
        ValueError: latents and frames do not belong together.
    """
    frames = checked_frames(frames, channels_last=False)
    if len(latents) != len(frames):
        raise ValueError(
            f"{len(latents)} latent frames for {len(frames)} video frames; give the frames of the same clip."
        )
    if clip is not None and vae.reads_radius and clip.num_frames == len(frames):
        clip = replace(clip, frames=frames, geometry=geometry)
    elif vae.reads_radius:
        raise ValueError(
            "This model's VAE reads the blur radius of every frame, which the latent does not carry; connect "
            "the latent of Assemble Overlapping Windows itself."
        )
    output = torch.empty(frames.shape, dtype=torch.float32, device=frames.device)
    done, calls = 0, plan_decode(len(frames), join_rest=vae.joins_rest)
    # Each frame of each call is encoded and decoded.
    total = sum(2 * (call.stop - call.start) for call in calls)
    for call in calls:
        levels: list[Tensor] = []

        def encode(start: int, stop: int, call: DecodeCall = call, done: int = done) -> list[Tensor]:
            progress(done + start, total)
            shown = frames[call.start + start : call.start + stop]
            with inference(device):
                return vae.skips(geometry.pad(stretched(shown, geometry, device)))

        count = call.stop - call.start
        for stop, skips in batches(count, encode_batch, encode):
            levels = levels or [skip.new_empty(count, *skip.shape[1:]) for skip in skips]
            for level, skip in zip(levels, skips, strict=True):
                level[stop - len(skip) : stop] = skip
            del skips
        done += count
        progress(done, total)
        if clip is not None and vae.reads_radius:
            levels.append(clip.network_radius(call.start, call.stop, device))
        first = call.keep_from
        for pixels in decode_call(
            vae, latents[call.start : call.stop].to(device), levels, call, geometry, clip
        ):
            output[first : first + len(pixels)] = pixels.to(output)
            first += len(pixels)
        show(output[call.stop - 1].movedim(0, -1))
        done += count
    progress(done, total)
    return output


def geometry_between(
    frame_size: tuple[int, int],
    latent_size: tuple[int, int],
    known: WorkingGeometry | None = None,
    auto_size_px: tuple[int, int] = TRAINED_SIZE_PX,
) -> WorkingGeometry:
    """How frames map to given latents: as the sampler recorded it, else found by trying the named sizes.

    Args:
        frame_size: (height, width) in pixels.
        latent_size: (height, width) in latent cells.
        known: what came along with the latents, if anything.
        auto_size_px: of the VAE.

    Raises:
        ValueError: the latents cannot come from frames of this size.
    """
    pixels = (latent_size[0] * 8, latent_size[1] * 8)
    candidates = [known] if known is not None else []
    candidates += [working_geometry(*frame_size, name, auto_size_px) for name in ("auto", "native")]
    for geometry in candidates:
        if geometry.source == frame_size and geometry.padded == pixels:
            return geometry
    expected = candidates[-2].padded
    raise ValueError(
        f"The latent is for {pixels[1]} x {pixels[0]} px, and frames of {frame_size[1]} x {frame_size[0]} "
        f"work at {expected[1]} x {expected[0]}; connect the frames that went into the sampler."
    )
