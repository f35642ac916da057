"""U-Net, VAE and the layers of `SmallOptions` as one network: what is trained together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from bokeh_core.models.small.options import (
    RADIUS_SCALE_PX,
    SmallLayers,
    SmallOptions,
    require_channels,
    set_to_zero,
    skip_widths,
)
from bokeh_core.models.small.parts import SmallUNet, SmallVAE
from bokeh_core.models.unet import BokehUNet
from bokeh_core.models.vae import RefinedDecoder, RefinedVAE
from bokeh_core.pipeline import BokehPipeline
from bokeh_core.pipeline.inputs import BokehInputs
from bokeh_core.semantics import ImageEncoder, clip_input, no_image_encoder


@dataclass
class EncodedClip:
    """What the U-Net and the decoder read of N frames.

    Attributes:
        frames: [N, 3, H, W] in [-1, 1] at network size.
        latents: [N, 8, h, w], of the frames and of their defocus.
        image_embeds: [N, D].
        skips: at 1, 1/2, 1/4, 1/8 of the size, [N, C, H/s, W/s].
        radius: signed blur radius [N, 1, H, W] in units of `RADIUS_SCALE_PX`; None where no option needs it.
    """

    frames: Tensor
    latents: Tensor
    image_embeds: Tensor
    skips: list[Tensor]
    radius: Tensor | None = None


class BokehNetwork(nn.Module):
    """U-Net, VAE and options as one network: what is trained together; `pipeline` is what runs.

    Training encodes and decodes in ways of its own, as it has several clips at once and wants gradients.
    """

    def __init__(
        self,
        unet: BokehUNet,
        vae: RefinedVAE,
        options: SmallOptions | None = None,
        image_encoder: ImageEncoder | None = None,
    ) -> None:
        """Join U-Net, VAE and layers into one network.

        Args:
            unet, vae: as loaded or built.
            options: None is the published behaviour.
            image_encoder: [N, 3, 224, 224] in [0, 1] -> [N, D]; kept out of the weights. None feeds zeros.
        """
        super().__init__()
        self.options = options = options or SmallOptions()
        with torch.device("meta"):
            self.unet = SmallUNet(unet.config, options)
        _compute_with_layers_of(self.unet, unet)
        self.vae = vae
        require_channels(options, vae.config)
        self.layers = SmallLayers(options, skip_widths(vae.config))
        # A list, or a module given here would become part of the network's weights.
        self._image_encoder = [image_encoder] if image_encoder is not None and options.image_encoder else []

    def start_latent_difference(self) -> None:
        """With the option, let an untrained U-Net predict none: its last convolution to zero."""
        if self.options.latent_difference:
            set_to_zero(self.unet.conv_out)

    def start_input_skip(self) -> None:
        """Let the decoder add nothing to the sharp frame, if the skip is on and has not learnt anything yet.

        The skip becomes the identity and the decoder gives zeros. Until then, while only latents are learnt,
        the skip adds nothing.
        """
        if self.layers.start_skips():
            self._give_zeros()

    def start_gates(self) -> None:
        """With `lens_mix`, let a decoder that has not learnt give gates of zero: the lens picture."""
        if self.options.lens_mix:
            self._give_zeros()

    def _give_zeros(self) -> None:
        """The last convolution of features to zero, and the one over time after it to the identity."""
        over_time = self.vae.decoder.time_conv_out
        set_to_zero(self.vae.decoder.conv_out)
        set_to_zero(over_time)
        middle = over_time.kernel_size[0] // 2
        with torch.no_grad():
            over_time.weight[:, :, middle, 0, 0] = torch.eye(over_time.out_channels)

    def encode(self, inputs: BokehInputs, start: int, stop: int, device: torch.device) -> EncodedClip:
        """Encode frames [start, stop); each result depends on its own frame alone."""
        frames = inputs.network_frames(start, stop, device)
        learns = any(p.requires_grad for p in self.vae.encoder.parameters())
        with torch.set_grad_enabled(torch.is_grad_enabled() and learns):
            latents, skips = self.encode_frames(frames)
        radius = None
        if self.options.needs_radius:
            radius = inputs.network_radius(start, stop, device) / RADIUS_SCALE_PX
        if self.layers.defocus_encoder is not None and radius is not None:
            defocus = self.layers.defocus_encoder(radius)
        else:
            with torch.no_grad():
                defocus, _ = self.encode_frames(inputs.network_defocus(start, stop, device))
        if radius is not None:
            skips = self.layers.add_to_skips(skips, radius)
        embeds = self._embed(inputs, start, stop, device)
        latents = torch.cat((latents, defocus.to(latents.dtype)), dim=1)
        return EncodedClip(frames, latents, embeds, skips, radius)

    def encode_frames(self, frames: Tensor) -> tuple[Tensor, list[Tensor]]:
        """`RefinedVAE.encode`, in the encoder's dtype even under autocast: half precision overflows in it."""
        with torch.autocast(frames.device.type, enabled=False):
            return self.vae.encode(frames)

    def decode(
        self,
        latents: Tensor,
        skips: Sequence[Tensor],
        frames: Tensor,
        clips: int = 1,
    ) -> Tensor:
        """Decode clips of equal length in one temporal chunk each, keeping what gradients need.

        Args:
            latents: [B*F, 4, h, w], scaled.
            skips: as `encode` gives them.
            frames: [B*F, 3, H, W] in [-1, 1], all in focus.
            clips: B.

        Returns:
            [B*F, 3, H, W], about [-1, 1], not clamped; with `lens_mix` gates [B*F, G, H, W].
        """
        unscaled = latents.to(self.vae.dtype) / self.vae.config.scaling_factor
        pixels = decode_clips(self.vae.decoder, unscaled, skips, clips)
        return self.layers.add_frames(pixels, frames)

    def pipeline(self) -> BokehPipeline:
        """What renders clips with these networks as they are: it computes with their very layers."""
        with torch.device("meta"):
            vae = SmallVAE(self.vae.config, self.options)
        _compute_with_layers_of(vae, self.vae)
        vae.layers = self.layers
        embed = self._image_encoder[0] if self._image_encoder else no_image_encoder(self.unet.embedding_width)
        return BokehPipeline(self.unet, vae, embed)

    def _embed(self, inputs: BokehInputs, start: int, stop: int, device: torch.device) -> Tensor:
        if not self._image_encoder:
            return torch.zeros(stop - start, self.unet.embedding_width, device=device)
        with torch.no_grad():
            return self._image_encoder[0](clip_input(inputs.stretched_frames(start, stop, device))).to(device)


def _compute_with_layers_of(network: nn.Module, other: nn.Module) -> None:
    for name, layer in other.named_children():
        network.add_module(name, layer)


def decode_clips(decoder: RefinedDecoder, latents: Tensor, skips: Sequence[Tensor], clips: int) -> Tensor:
    """`RefinedDecoder` for several clips of equal length at once, none of which sees another.

    Args:
        decoder: computes, and keeps what gradients need.
        latents: unscaled, [B*F, 4, h, w].
        skips: at 1, 1/2, ...: [B*F, C, H/s, W/s].
        clips: B.

    Returns:
        [B*F, 3, H, W], not clamped.
    """
    image_only = torch.zeros(clips, latents.shape[0] // clips, dtype=latents.dtype, device=latents.device)
    x = decoder.mid_block(decoder.conv_in(latents), image_only_indicator=image_only)
    for j, (block, skip) in enumerate(zip(decoder.up_blocks, reversed(skips), strict=True), start=1):
        x = x + decoder.get_submodule(f"skip_conv_{j}")(skip.to(x.dtype))
        if decoder.gradient_checkpointing and torch.is_grad_enabled():
            x = checkpoint(block, x, image_only, use_reentrant=False)
        else:
            x = block(x, image_only_indicator=image_only)
    x = decoder.conv_out(decoder.conv_act(decoder.conv_norm_out(x)))
    # The last convolution runs over the frames of a clip.
    x = decoder.time_conv_out(rearrange(x, "(b f) c h w -> b c f h w", b=clips))
    return rearrange(x, "b c f h w -> (b f) c h w")
