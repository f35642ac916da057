"""The VAE with refined decode: the sharp frame's encoder features reach the decoder (section 3.4)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_temporal_decoder import (
    AutoencoderKLTemporalDecoder,
    TemporalDecoder,
)
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..memory.needs import PIECE_ELEMENTS
from ..published import TRAINED_SIZE_PX
from .config import (
    BLOCK_TYPES,
    MOST_CHANNELS,
    MOST_LAYERS,
    read_config,
    require_number,
    require_types,
    require_whole,
    require_widths,
)
from .piecewise import decode_in_pieces, encoder_layers

# One [N, C, h, w], or its N frames one by one.
SkipLevel = Tensor | Sequence[Tensor]

SKIP_INIT = 1e-5


@dataclass(frozen=True)
class VAEConfig:
    """Sizes of the VAE as its published config.json names them; the defaults are the published ones."""

    in_channels: int = 3
    out_channels: int = 3
    down_block_types: tuple[str, ...] = ("DownEncoderBlock2D",) * 4
    block_out_channels: tuple[int, ...] = (128, 256, 512, 512)
    layers_per_block: int = 2
    latent_channels: int = 4
    scaling_factor: float = 0.18215

    def check(self) -> None:
        """Check that the values make a network.

        Raises:
            ValueError: they do not; names the key, its value and the rule.
        """
        require_whole("in_channels", self.in_channels, 3, 3)
        require_whole("out_channels", self.out_channels, 3, MOST_CHANNELS)
        levels = require_widths("block_out_channels", self.block_out_channels)
        require_types("down_block_types", self.down_block_types, levels, BLOCK_TYPES["vae.down"])
        require_whole("layers_per_block", self.layers_per_block, 1, MOST_LAYERS)
        require_whole("latent_channels", self.latent_channels, 4, 4)
        require_number("scaling_factor", self.scaling_factor)


class RefinedDecoder(TemporalDecoder):  # type: ignore[misc]  # diffusers ships no types
    """Stable Video Diffusion's temporal decoder, fed encoder features by a 1x1 convolution per up block."""

    def __init__(self, config: VAEConfig) -> None:
        widths = config.block_out_channels
        super().__init__(
            in_channels=config.latent_channels,
            out_channels=config.out_channels,
            block_out_channels=widths,
            layers_per_block=config.layers_per_block,
        )
        # What the encoder's down blocks and the decoder's up blocks take in, from 1/8 resolution to full.
        skip_widths = (widths[0], *widths[:-1])[::-1]
        up_widths = (widths[-1], *widths[:0:-1])
        for j, (skip_width, up_width) in enumerate(zip(skip_widths, up_widths, strict=True), start=1):
            convolution = nn.Conv2d(skip_width, up_width, kernel_size=1, bias=False)
            nn.init.constant_(convolution.weight, SKIP_INIT)
            self.add_module(f"skip_conv_{j}", convolution)

    def forward(self, latents: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Unscaled latents [N, 4, h, w] of one clip and skips at 1, 1/2, ... -> [N, 3, H, W], not clamped."""
        frames = latents.shape[0]
        image_only = torch.zeros(1, frames, dtype=latents.dtype, device=latents.device)
        x = self.mid_block(self.conv_in(latents), image_only_indicator=image_only)
        for j, (block, skip) in enumerate(zip(self.up_blocks, reversed(skips), strict=True), start=1):
            x = x + self.get_submodule(f"skip_conv_{j}")(skip)
            if self.gradient_checkpointing and torch.is_grad_enabled():
                x = checkpoint(block, x, image_only, use_reentrant=False)
            else:
                x = block(x, image_only_indicator=image_only)
        x = self.conv_out(self.conv_act(self.conv_norm_out(x)))
        # [N, 3, H, W] -> [1, 3, N, H, W] and back: the last convolution runs over time.
        return self.time_conv_out(x.transpose(0, 1)[None])[0].transpose(0, 1)


class RefinedVAE(nn.Module):
    """Frames <-> scaled latents of Stable Video Diffusion, decoded with the sharp frames' own details.

    Attributes:
        reads_radius: whether `encode_defocus` and `decode` want the blur radius; never as published.
        gives_gates: whether `decode` gives gates of pictures in place of a picture; never as published.
        mends_maps: whether maps are to be mended by the frames before anything reads them, see
            `pipeline.mending`; never as published.
        joins_rest: whether frames at the end of a clip that fill no window, or no call of the decoder, join
            the one before, which saves a pass; never as published.
        auto_size_px: width and height whose area it was trained at.
        gamma: where it gives gates, pictures are mixed as light = display ** gamma.
        beyond_frame: where it gives gates, whether the border's pixels go on beyond the frame.
    """

    reads_radius = False
    gives_gates = False
    mends_maps = False
    joins_rest = False
    auto_size_px = TRAINED_SIZE_PX
    gamma = 1.0
    beyond_frame = True

    def __init__(self, config: VAEConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or VAEConfig()
        stock = AutoencoderKLTemporalDecoder(
            in_channels=config.in_channels,
            out_channels=config.out_channels,
            down_block_types=config.down_block_types,
            block_out_channels=config.block_out_channels,
            layers_per_block=config.layers_per_block,
            latent_channels=config.latent_channels,
        )
        self.encoder = stock.encoder
        self.quant_conv = stock.quant_conv
        self.decoder = RefinedDecoder(config)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "RefinedVAE":
        """Build from the dictionary in the published config.json.

        Raises:
            ValueError: the dictionary is a U-Net's, or no model's.
        """
        if "cross_attention_dim" in config:
            raise ValueError("This config.json is a U-Net's (it has cross_attention_dim); give the VAE's.")
        return cls(read_config(VAEConfig, config))

    @property
    def pixels_per_cell(self) -> int:
        """Pixels along a side of one latent cell."""
        return 2 ** (len(self.config.block_out_channels) - 1)

    @property
    def dtype(self) -> torch.dtype:
        """In which the decoder computes; the encoder may keep float32, as the published pipeline has it."""
        return self.decoder.conv_in.weight.dtype

    def encode(self, frames: Tensor, *, compact: bool = False) -> tuple[Tensor, list[Tensor]]:
        """Posterior mean of each frame, and what its encoder passed on the way; frames do not see each other.

        Args:
            frames: [N, 3, H, W] in [-1, 1], sides divisible by 8.
            compact: give the skips as `skips` does.

        Returns:
            Scaled latents [N, 4, H/8, W/8], and 4 skips [N, C, H/s, W/s] for s = 1, 2, 4, 8: the inputs of
            the encoder's down blocks. Both in the dtype of the encoder's weights.

        Raises:
            ValueError: the shape does not fit.
        """
        return self._encode(frames, compact)

    def _encode(self, frames: Tensor, compact: bool = False) -> tuple[Tensor, list[Tensor]]:
        """`encode`, of what may be no frames."""
        x, skips = self._down(frames, compact)
        encoder = self.encoder
        for block in (encoder.down_blocks[-1], encoder.mid_block):
            for layer in self._layers(block, frames):
                x = layer(x)
        x = encoder.conv_out(encoder.conv_act(encoder.conv_norm_out(x)))
        mean, _log_variance = self.quant_conv(x).chunk(2, dim=1)
        return mean * self.config.scaling_factor, skips

    def encode_defocus(self, distance: Tensor, radius_px: Tensor | None = None) -> Tensor:
        """Scaled latents [N, 4, H/8, W/8] of how far each pixel is from the focal plane.

        Args:
            distance: 2 |d - d_f| - 1 as an image, [N, 3, H, W].
            radius_px: signed blur radius, [N, 1, H, W], where `reads_radius` says so.
        """
        return self._encode(distance)[0]

    def skips(self, frames: Tensor) -> list[Tensor]:
        """What `decode` needs of the all-in-focus frames, small enough to be kept for many of them.

        Args:
            frames: as for `encode`.

        Returns:
            The frames themselves, from which `decode` makes the skip at full resolution by one convolution
            (it is two thirds of all), and the skips [N, C, H/s, W/s] for s = 2, 4, 8 in the decoder's dtype.

        Raises:
            ValueError: the shape does not fit.
        """
        return self._down(frames, compact=True)[1]

    def _down(self, frames: Tensor, compact: bool) -> tuple[Tensor, list[Tensor]]:
        """To the input of the last down block, and the skips of every level."""
        self._check_frames(frames)
        x = self.encoder.conv_in(frames.to(self.quant_conv.weight.dtype))
        skips = [frames if compact else x]
        for block in self.encoder.down_blocks[:-1]:
            for layer in self._layers(block, frames):
                x = layer(x)
            skips.append(x.to(self.dtype) if compact else x)
        return x, skips

    def _layers(self, block: nn.Module, frames: Tensor) -> list[Callable[[Tensor], Tensor]]:
        return [block] if self._learns([frames]) else encoder_layers(block)

    def _learns(self, inputs: Iterable[Tensor]) -> bool:
        """Whether gradients are wanted, for which every layer's input has to stay as it is."""
        return torch.is_grad_enabled() and any(t.requires_grad for t in chain(inputs, self.parameters()))

    def _check_frames(self, frames: Tensor) -> None:
        divisor = self.pixels_per_cell
        if frames.ndim != 4 or frames.shape[1] != self.config.in_channels:
            raise ValueError(
                f"frames have shape {tuple(frames.shape)}; they must be [N, {self.config.in_channels}, H, W]."
            )
        if frames.shape[-2] % divisor or frames.shape[-1] % divisor:
            raise ValueError(
                f"frames are {frames.shape[-1]} x {frames.shape[-2]}; "
                f"both sides must be divisible by {divisor}."
            )

    def decode(
        self, latents: Tensor, skips: Sequence[SkipLevel], *, piece_elements: int = PIECE_ELEMENTS
    ) -> Tensor:
        """Decode frames that follow each other in time, in one temporal chunk.

        Args:
            latents: [N, 4, h, w], scaled.
            skips: of the all-in-focus frames of the same index, as `encode` or `skips` return them; a level
                may also be a list of its frames, each [1, C, h, w].
            piece_elements: memory only: how many numbers of a feature map are worked on together where no
                gradient is wanted. One frame and one row are the least.

        Returns:
            [N, 3, 8h, 8w], about [-1, 1] and not clamped, in the dtype of the decoder's weights.

        Raises:
            ValueError: the skips are not those of these frames.
        """
        return self._decode(latents, skips, piece_elements)

    def _decode(
        self,
        latents: Tensor,
        skips: Sequence[SkipLevel],
        piece_elements: int,
        finish_skip: Callable[[int, Tensor, int, int], Tensor] = lambda level, skip, start, stop: skip,
    ) -> Tensor:
        """`decode`; `finish_skip` is given a level's number, its features, and which frames they are of."""
        if latents.ndim != 4 or latents.shape[1] != self.config.latent_channels:
            raise ValueError(
                f"latents have shape {tuple(latents.shape)}; "
                f"they must be [N, {self.config.latent_channels}, h, w]."
            )
        count, _, height, width = latents.shape
        levels = len(self.config.block_out_channels)
        wanted = [(count, height * 2**j, width * 2**j) for j in reversed(range(levels))]
        found = [
            (sum(len(frame) for frame in frames_of(skip)), *frames_of(skip)[0].shape[-2:]) for skip in skips
        ]
        if found != wanted:
            raise ValueError(
                f"skips have (frames, height, width) {found}; latents {tuple(latents.shape)} need {wanted}."
            )
        unscaled = latents.to(self.dtype) / self.config.scaling_factor

        def skip_of(j: int, start: int, stop: int) -> Tensor:
            number = levels - 1 - j
            level = skips[number]
            skip = level[start:stop] if isinstance(level, Tensor) else torch.cat([*level[start:stop]])
            if skip.shape[1] == self.config.in_channels:
                skip = self.encoder.conv_in(skip.to(self.quant_conv.weight.dtype))
            return finish_skip(number, skip.to(unscaled), start, stop)

        if self._learns([latents, *(frame for skip in skips for frame in frames_of(skip))]):
            return self.decoder(unscaled, [skip_of(j, 0, count) for j in reversed(range(levels))])
        return decode_in_pieces(self.decoder, unscaled, skip_of, piece_elements)


def frames_of(level: SkipLevel) -> Sequence[Tensor]:
    """A level as tensors [n, C, h, w] that follow each other."""
    return [level] if isinstance(level, Tensor) else level
