"""The loss of one batch, stage by stage (paper section 3.4)."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn

from bokeh_core.models.small.mix import mixed
from bokeh_core.pipeline.inputs import BokehInputs, bokeh_inputs
from bokeh_core.pipeline.mixing import luma
from bokeh_core.pipeline.steps import predict_latents
from bokeh_core.pipeline.working_size import WorkingSize
from bokeh_core.published import MPIMode

from .config import LossConfig, Stage
from .losses import change_loss, latent_loss, pixel_loss
from .network import BokehNetwork, EncodedClip, decode_clips
from .samples import Sample

# Below it light counts as this dark: a sixteenth of a step of 8-bit display values.
_LEAST_LIGHT = 1e-8


class Objective(nn.Module):
    """A network and what a stage asks of it; one module, so that devices can share its gradients."""

    def __init__(
        self,
        network: BokehNetwork,
        stage: Stage,
        loss: LossConfig,
        mpi_mode: MPIMode,
        working_size: WorkingSize = "native",
    ) -> None:
        """Ask a network for what a stage learns, at a working size, see `working_geometry`."""
        super().__init__()
        self.network = network
        self.stage = stage
        self.loss = loss
        self.mpi_mode = mpi_mode
        self.working_size = working_size

    def forward(self, sample: Sample) -> dict[str, Tensor]:
        """Losses of a batch of clips, scalars; `loss` is what is minimised, the others are its parts."""
        if self.stage == "stage0":
            return self._autoencode(sample)
        inputs = self._inputs(sample)
        clips = sample.frames.shape[0]
        if self.stage in ("stage1", "stage2"):
            predicted = self._predict(inputs, sample, clips)[0]
            latent = latent_loss(predicted, self._true_latents(sample))
            return {"loss": latent, "latent": latent.detach()}
        if self.stage == "stage3":
            with torch.no_grad():
                predicted, encoded = self._predict(inputs, sample, clips)
            if self.network.layers.defocus_skips is not None:
                # They learn here, so their part of the skips needs gradients.
                encoded = self.network.encode(inputs, 0, inputs.num_frames, sample.frames.device)
        else:
            predicted, encoded = self._predict(inputs, sample, clips)
        pixels = self.network.decode(predicted, encoded.skips, encoded.frames, clips)
        if self.network.options.lens_mix:
            pixels = self._mixed(pixels, inputs, sample)
        shown = inputs.frames * 2 - 1
        truth = rearrange(sample.bokeh, "b f c h w -> (b f) c h w") * 2 - 1
        pixels, frames, truth = (self._inside(part) for part in (pixels, shown, truth))
        loss = pixel = pixel_loss(pixels, truth, self.loss.texture_weight, self.loss.texture)
        # Batches differ more than the loss falls: the sharp frames' own loss is the yardstick.
        sharp = pixel_loss(frames, truth, self.loss.texture_weight, self.loss.texture)
        parts = {
            "pixel": pixel.detach(),
            "share_of_sharp": pixel.detach() / sharp.clamp(min=1e-4),
            "psnr": _psnr(pixels, truth),
        }
        if self.loss.change_weight:
            change = change_loss(
                *(rearrange(part, "(b f) c h w -> b f c h w", b=clips) for part in (pixels, truth))
            )
            parts["change"] = change.detach()
            loss = loss + self.loss.change_weight * change
        if self.stage == "pixels" and self.loss.latent_weight:
            latent = latent_loss(predicted, self._true_latents(sample))
            parts["latent"] = latent.detach()
            loss = loss + self.loss.latent_weight * latent
        return {"loss": loss, **parts}

    def _inside(self, pixels: Tensor) -> Tensor:
        """Without the crop's margin."""
        margin = self.loss.margin_px
        return pixels[..., margin:-margin, margin:-margin] if margin else pixels

    def _inputs(self, sample: Sample) -> BokehInputs:
        """All frames of the batch in a row: everything before the U-Net is frame by frame."""
        disparity = rearrange(sample.disparity, "b f h w -> (b f) h w")
        focal = rearrange(sample.focal_disparity, "b f -> (b f)")
        inputs = bokeh_inputs(
            rearrange(sample.frames, "b f c h w -> (b f) c h w"),
            disparity,
            focal,
            rearrange(sample.blur_strength_px, "b f -> (b f)"),
            working_size=self.working_size,
        )
        return replace(inputs, blur_strength_px=inputs.blur_strength_px / inputs.frame_scale)

    def _mixed(self, gates: Tensor, inputs: BokehInputs, sample: Sample) -> Tensor:
        """Frames [B*F, 3, H, W] about [-1, 1] of gates [B*F, G, h, w]."""
        picture = rearrange(sample.lens_picture, "b f c h w -> (b f) c h w")
        gamma = repeat(sample.gamma, "b -> (b f) 1 1 1", f=sample.frames.shape[1])
        radius_px = inputs.radius(0, inputs.num_frames, gates.device)
        seen = luma(inputs.frames)
        light = mixed(
            gates,
            picture**gamma,
            inputs.frames**gamma,
            radius_px=radius_px,
            small_radius_px=inputs.geometry.stretch(radius_px),
            seen=seen,
            small_seen=inputs.geometry.stretch(seen),
            scale=inputs.frame_scale,
            beyond_frame=False,
        )
        # Roots have no bounded slope at black.
        return light.clamp(min=_LEAST_LIGHT) ** (1 / gamma) * 2 - 1

    def _predict(self, inputs: BokehInputs, sample: Sample, clips: int) -> tuple[Tensor, EncodedClip]:
        """Predicted latents [B*F, 4, h, w], and what the decoder needs."""
        device = sample.frames.device
        encoded = self.network.encode(inputs, 0, inputs.num_frames, device)
        predicted = predict_latents(
            self.network.unet,
            encoded.latents,
            encoded.image_embeds,
            inputs,
            0,
            inputs.num_frames,
            mpi_mode=self.mpi_mode,
            windows=clips,
        )
        return predicted, encoded

    def _true_latents(self, sample: Sample) -> Tensor:
        with torch.no_grad():
            return self.network.encode_frames(rearrange(sample.bokeh, "b f c h w -> (b f) c h w") * 2 - 1)[0]

    def _autoencode(self, sample: Sample) -> dict[str, Tensor]:
        """A VAE's own loss on sharp frames, bokeh frames and defocus maps: all that it will ever encode."""
        vae = self.network.vae
        clips = sample.frames.shape[0]
        distance = (sample.disparity - sample.focal_disparity[..., None, None]).abs()
        kinds = (sample.frames, sample.bokeh, distance[:, :, None].expand_as(sample.frames))
        images = torch.cat([rearrange(kind, "b f c h w -> (b f) c h w") for kind in kinds]) * 2 - 1
        moments = vae.quant_conv(vae.encoder(images))
        mean, log_variance = moments.float().chunk(2, dim=1)
        log_variance = log_variance.clamp(-30, 20)
        noise = _noise_like(mean, sample.index)
        latents = mean + (0.5 * log_variance).exp() * noise
        widths = vae.config.block_out_channels
        # One pixel of zeros broadcasts: the skips are not there yet.
        no_skips = [images.new_zeros(1, width, 1, 1) for width in (widths[0], *widths[:-1])]
        pixels = decode_clips(vae.decoder, latents.to(vae.dtype), no_skips, clips * len(kinds)).float()
        # Channels beyond the colours are for the options, and learn later.
        pixels = pixels[:, : images.shape[1]]
        absolute, squared = F.l1_loss(pixels, images), F.mse_loss(pixels, images)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        loss = absolute + self.loss.mse_weight * squared + self.loss.kl_weight * divergence
        return {"loss": loss, "kl": divergence.detach(), "psnr": _psnr(pixels, images)}


def _noise_like(values: Tensor, index: Tensor) -> Tensor:
    """Gaussian noise that the numbers of the samples decide."""
    generator = torch.Generator().manual_seed(int(index.flatten()[0]))
    return torch.randn(values.shape, generator=generator).to(values)


def _psnr(predicted: Tensor, truth: Tensor) -> Tensor:
    """In dB, of values in [-1, 1]."""
    error = F.mse_loss(predicted.detach().float().clamp(-1, 1), truth.float()) / 4
    return -10 * error.clamp(min=1e-12).log10()
