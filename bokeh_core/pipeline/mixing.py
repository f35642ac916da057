"""Gates of a small model -> frames: Lens Blur's picture and blurred copies, mixed at the frames' own size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor

from ..inference import inference
from ..lens import DEFAULT_LENS, lens_blur
from ..lens.light import LUMA_WEIGHTS, Scale
from ..lens.settings import IGNORE, REPEAT
from ..memory.batches import batches
from ..progress import Check, no_check
from .inputs import BokehInputs, as_pictures

if TYPE_CHECKING:
    from ..models import RefinedVAE

# Numbers of a frame's channel that are mixed together on an accelerator, the longest call of the decoder at
# 1024 x 576; on a CPU it is a frame.
_PIXELS_TOGETHER = 15 * 1024 * 576


def lens_pictures(
    inputs: BokehInputs,
    start: int,
    stop: int,
    *,
    gamma: float,
    beyond_frame: bool,
    device: torch.device,
    check: Check = no_check,
) -> Tensor:
    """Frames [start, stop) as Lens Blur shows them, float32 [N, 3, H, W] on `device`, in the clip's numbers.

    Args:
        inputs: the clip.
        start: first frame.
        stop: the frame behind the last.
        gamma: light = display ** gamma adds up, as in `LensSettings`.
        beyond_frame: let the border's pixels go on beyond the frame.
        device: where to compute.
        check: may raise to stop.
    """
    lens = replace(DEFAULT_LENS, gamma=gamma, border=REPEAT if beyond_frame else IGNORE)
    pictures = lens_blur(
        rearrange(inputs.frames[start:stop], "t c h w -> t h w c").to(device, torch.float32),
        inputs.seen_disparity(start, stop),
        inputs.focal_disparity[start:stop],
        inputs.blur_strength_px[start:stop] * inputs.frame_scale,
        lens.at_width(inputs.geometry.source[1]),
        transfer=inputs.transfer,
        device=device,
        check=check,
    )
    return rearrange(pictures, "t h w c -> t c h w")


def mixed_frames(
    vae: RefinedVAE,
    gates: Tensor,
    inputs: BokehInputs,
    start: int,
    stop: int,
    *,
    check: Check = no_check,
) -> Iterator[Tensor]:
    """Frames [start, stop) of the gates that a VAE gave for them, as many at a time as are mixed together.

    Args:
        vae: says which light adds up, and what lies beyond the frame.
        gates: [N, G, 8h, 8w] at the size that the network sees.
        inputs: the clip.
        start: first frame.
        stop: the frame behind the last.
        check: may raise to stop.

    Returns:
        In order, float32 [N, 3, H, W] on the device of the gates, in the clip's numbers, none beyond the
        lowest and highest of the frame; bit for bit the frames where K is 0.
    """
    device = gates.device

    def mix(first: int, last: int) -> Tensor:
        check()
        with inference(device):
            return _mixed(vae, gates[first:last], inputs, start + first, start + last, check)

    together = (
        1 if device.type == "cpu" else max(1, _PIXELS_TOGETHER // (inputs.frames[start:stop][0, 0].numel()))
    )
    for _, piece in batches(stop - start, together, mix):
        yield piece


def _mixed(
    vae: RefinedVAE, gates: Tensor, inputs: BokehInputs, start: int, stop: int, check: Check
) -> Tensor:
    # Files of the room bring a library that the rest of the pipeline does without.
    from ..models.small.mix import mixed

    device, geometry = gates.device, inputs.geometry
    pictures = lens_pictures(
        inputs, start, stop, gamma=vae.gamma, beyond_frame=vae.beyond_frame, device=device, check=check
    )
    check()
    frames = inputs.frames[start:stop].to(device, torch.float32)
    # CTHW, in which every frame of a pass has its own black and white.
    scale = Scale.of(frames.transpose(0, 1), inputs.transfer, vae.gamma)
    light, sharp = (scale.to_light(values.transpose(0, 1)).transpose(0, 1) for values in (pictures, frames))
    if scale.needs_double and device.type != "mps":
        # Rounding of a bright lamp must not reach the shadows of the frame.
        sharp = sharp.double()
    radius_px = inputs.radius(start, stop, device)
    seen = luma(as_pictures(frames, inputs.transfer))
    height, width = geometry.inner
    result = mixed(
        gates[..., :height, :width],
        light,
        sharp,
        radius_px=radius_px,
        small_radius_px=geometry.stretch(radius_px),
        seen=seen,
        small_seen=geometry.stretch(seen),
        scale=inputs.frame_scale,
        beyond_frame=vae.beyond_frame,
    )
    values = scale.to_values(result.transpose(0, 1)).transpose(0, 1)
    untouched = (inputs.blur_strength_px[start:stop] == 0)[:, None, None, None].to(device)
    return torch.where(untouched, frames, values)


def luma(pictures: Tensor) -> Tensor:
    """Luma [N, 1, H, W] of display values [N, 3, H, W]."""
    weights = torch.tensor(LUMA_WEIGHTS, device=pictures.device, dtype=pictures.dtype)
    return (pictures * weights[:, None, None]).sum(1, keepdim=True)
