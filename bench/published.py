"""The published order of work on the same weights, to count and time ours against.

Everything the published inference computes, needed or not: object tokens as queries and as masked keys, every
feed-forward and every cross-attention in full, and all of a window's frames encoded and embedded again.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor

from bokeh_core.models import BokehUNet, RefinedVAE
from bokeh_core.models.attention import (
    Conditions,
    MPIFuser,
    MPISpatialBlock,
    TemporalBlock,
    multi_head_attention,
)
from bokeh_core.pipeline.inputs import BokehInputs
from bokeh_core.pipeline.steps import predict_latents
from bokeh_core.published import MPIMode
from bokeh_core.semantics import ImageEncoder, clip_input
from bokeh_core.windows import LatentFusion, plan_decode, plan_windows


@dataclass(frozen=True)
class _AllObjects:
    """What a fuser makes its object tokens from: features, and regions or, where all is masked, None."""

    features: Tensor
    regions: Tensor | None
    farthest_region: int

    def tokens(self, num_tokens: int) -> tuple[Tensor, Tensor]:
        """Every object token [B*F, M, C0] and which of them are visible, bool [B*F, M]."""
        height, width = self.features.shape[-2:]
        step = math.ceil(math.sqrt(height * width / num_tokens))
        size = (height // step, width // step)
        features = rearrange(F.interpolate(self.features, size, mode="bilinear"), "f c h w -> f (h w) c")
        if self.regions is None:
            return features, features.new_zeros(features.shape[:2], dtype=torch.bool)
        inside = (self.regions <= self.farthest_region).float()[:, None]
        return features, (F.interpolate(inside, size, mode="bilinear") > 0.5).flatten(1)


@dataclass(frozen=True)
class _Levels:
    features: Tensor
    regions: Tensor | None

    def at(self, _x: Tensor, farthest_region: int) -> _AllObjects:
        return _AllObjects(self.features, self.regions, farthest_region)


class _Fuser(MPIFuser):
    def forward(self, x: Tensor, blur_features: Tensor, objects: _AllObjects) -> Tensor:  # type: ignore[override]
        features, visible = objects.tokens(x.shape[1])
        x = x + self.k_encoder(blur_features)
        both = self.norm1(torch.cat((x, self.linear(features)), dim=1))
        visible = F.pad(visible, (x.shape[1], 0), value=True)[:, None, None]
        layer = self.mpi_attn
        q, k, v = (
            rearrange(project(both), "b n (h c) -> b h n c", h=layer.heads)
            for project in (layer.to_q, layer.to_k, layer.to_v)
        )
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=visible)
        attended = layer.to_out[0](rearrange(out, "b h n c -> b n (h c)"))
        x = x + torch.tanh(self.alpha_attn) * attended[:, : x.shape[1]]
        return x + torch.tanh(self.alpha_dense) * (self.ff(self.norm2(x)) + self.ff(self.norm_k(x)))


class _SpatialBlock(MPISpatialBlock):
    def forward(self, x: Tensor, conditions: Conditions, objects: _AllObjects) -> Tensor:  # type: ignore[override]
        tokens = self.norm1(x)
        x = x + multi_head_attention(self.attn1, tokens, tokens)
        x = self.fuser(x, conditions.blur_features, objects)
        x = x + multi_head_attention(self.attn2, self.norm2(x), conditions.frame_semantics)
        return x + self.ff(self.norm3(x))


class _TemporalBlock(TemporalBlock):
    def forward(self, x: Tensor, window_semantics: Tensor) -> Tensor:
        windows, cells = window_semantics.shape[0], x.shape[1]
        frames = x.shape[0] // windows
        x = rearrange(x, "(b f) n c -> (b n) f c", f=frames)
        x = x + self.ff_in(self.norm_in(x))
        tokens = self.norm1(x)
        x = x + multi_head_attention(self.attn1, tokens, tokens)
        context = repeat(window_semantics, "b 1 d -> (b n) 1 d", n=cells)
        x = x + multi_head_attention(self.attn2, self.norm2(x), context)
        x = x + self.ff(self.norm3(x))
        return rearrange(x, "(b n) f c -> (b f) n c", n=cells)


class _UNet(BokehUNet):
    def _object_levels(self, frame_latents: Tensor, mpi_regions: Tensor | None) -> _Levels:  # type: ignore[override]
        return _Levels(self.conv_in_mpi(frame_latents), mpi_regions)


_PUBLISHED = {
    BokehUNet: _UNet,
    MPIFuser: _Fuser,
    MPISpatialBlock: _SpatialBlock,
    TemporalBlock: _TemporalBlock,
}


@contextmanager
def in_published_order(unet: BokehUNet) -> Iterator[BokehUNet]:
    """Let a U-Net do everything the published one does while the context lasts; its weights stay."""
    changed = [module for module in unet.modules() if type(module) in _PUBLISHED]
    for module in changed:
        module.__class__ = _PUBLISHED[type(module)]
    back = {published: ours for ours, published in _PUBLISHED.items()}
    try:
        yield unet
    finally:
        for module in changed:
            module.__class__ = back[type(module)]


def encode(vae: RefinedVAE, frames: Tensor) -> tuple[Tensor, list[Tensor]]:
    """All layers on all frames at once: scaled latents and the skips of every level."""
    encoder = vae.encoder
    x = encoder.conv_in(frames.to(vae.quant_conv.weight.dtype))
    skips = []
    for block in encoder.down_blocks:
        skips.append(x)
        x = block(x)
    x = encoder.conv_out(encoder.conv_act(encoder.conv_norm_out(encoder.mid_block(x))))
    return vae.quant_conv(x).chunk(2, dim=1)[0] * vae.config.scaling_factor, skips


def decode(vae: RefinedVAE, latents: Tensor, skips: list[Tensor]) -> Tensor:
    """All layers on all frames of a call at once."""
    unscaled = latents.to(vae.dtype) / vae.config.scaling_factor
    return vae.decoder(unscaled, [skip.to(unscaled) for skip in skips])


def render(
    unet: BokehUNet,
    vae: RefinedVAE,
    image_encoder: ImageEncoder,
    inputs: BokehInputs,
    *,
    mpi_mode: MPIMode,
    device: torch.device,
) -> Iterator[tuple[int, Tensor]]:
    """A clip in the published order of work: (first frame, [N, 3, H, W] in [0, 1]) piece by piece."""
    windows, calls = plan_windows(inputs.num_frames), plan_decode(inputs.num_frames)
    fusion = LatentFusion(windows)
    skips: dict[int, list[Tensor]] = {}
    for start, stop in windows:
        with torch.no_grad():
            frames = inputs.stretched_frames(start, stop, device)
            latents, levels = encode(vae, inputs.geometry.pad(frames))
            defocus, _ = encode(vae, inputs.network_defocus(start, stop, device))
            embeds = image_encoder(clip_input(frames))
            for i in range(stop - start):
                skips[start + i] = [level[i : i + 1] for level in levels]
            del levels
            with in_published_order(unet):
                both = torch.cat((latents, defocus), dim=1)
                predicted = predict_latents(unet, both, embeds, inputs, start, stop, mpi_mode=mpi_mode)
        fusion.add(predicted)
        while calls and calls[0].stop <= fusion.final_frames:
            call = calls.pop(0)
            with torch.no_grad():
                stacked = zip(*(skips[f] for f in range(call.start, call.stop)), strict=True)
                pixels = decode(
                    vae, fusion.frames(call.start, call.stop), [torch.cat(level) for level in stacked]
                )
                pixels = (pixels[call.keep_from - call.start :].float() / 2 + 0.5).clamp(0, 1)
                restored = inputs.geometry.restore(pixels).to(inputs.frames.device)
            kept = calls[0].start if calls else inputs.num_frames
            skips = {frame: levels for frame, levels in skips.items() if frame >= kept}
            yield call.keep_from, restored
