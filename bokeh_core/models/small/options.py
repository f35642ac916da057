"""Options that suit small models and depart from the published layout; all off, nothing changes.

A small model learns faster when it predicts what the lens changes rather than the whole picture, and when it
is told the blur radius.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..vae import VAEConfig
from .mix import GATES

RADIUS_SCALE_PX = 4.0
"""A signed blur radius of this many px enters the network as 1."""

FRAME_LATENTS = 4


@dataclass(frozen=True)
class SmallOptions:
    """What departs from the published layout; every default is the published behaviour.

    Attributes:
        input_skip: add a 1x1 convolution of the input frame to the decoder's output; see
            `BokehNetwork.start_input_skip`.
        lens_mix: the decoder's channels are gates that mix Lens Blur's picture with blurred copies of the
            frame, at the size of the frames, whatever size the network works at; see `mix.mixed`. The VAE
            needs `out_channels` 10. Not with `input_skip`.
        latent_difference: the U-Net predicts bokeh latents minus frame latents; see
            `BokehNetwork.start_latent_difference`.
        signed_defocus: in place of latents of |d - d_f|, the U-Net gets four learned features of the signed
            blur radius K (d - d_f) in px.
        defocus_skips: the signed blur radius also reaches the decoder, at each of the skip connections
            through a 3x3 convolution that starts at zero.
        mend: maps are mended by the frames before anything reads them, see `pipeline.mending`.
        image_encoder: False feeds zeros in place of CLIP embeddings.
    """

    input_skip: bool = False
    lens_mix: bool = False
    latent_difference: bool = False
    signed_defocus: bool = False
    defocus_skips: bool = False
    mend: bool = False
    image_encoder: bool = True

    @property
    def needs_radius(self) -> bool:
        """Whether a layer reads the signed blur radius."""
        return self.lens_mix or self.signed_defocus or self.defocus_skips

    def whole_latents(self, output: Tensor, latents: Tensor) -> Tensor:
        """Bokeh latents from the U-Net's output [B, F, 4, h, w] and its input [B, F, 8, h, w]."""
        if not self.latent_difference:
            return output
        return output + latents[:, :, :FRAME_LATENTS].to(output.dtype)

    def as_config(self) -> dict[str, bool]:
        """For the metadata of a checkpoint."""
        return asdict(self)


class SmallLayers(nn.Module):
    """Layers of the options that are on, initialised so that they change as little as they can."""

    def __init__(self, options: SmallOptions, skip_widths: Sequence[int]) -> None:
        super().__init__()
        self.image_skip = _zero_convolution(3, 3, kernel_size=1) if options.input_skip else None
        cell_px = 2 ** (len(skip_widths) - 1)
        self.defocus_encoder = (
            nn.Conv2d(1, FRAME_LATENTS, kernel_size=cell_px, stride=cell_px)
            if options.signed_defocus
            else None
        )
        self.defocus_skips = (
            nn.ModuleList(_zero_convolution(2, width, kernel_size=3) for width in skip_widths)
            if options.defocus_skips
            else None
        )

    def add_to_skips(self, skips: Sequence[Tensor], radius: Tensor) -> list[Tensor]:
        """Skips [N, C, H/s, W/s] plus features of the signed radius [N, 1, H, W] and of its size."""
        return [self.add_to_skip(level, skip, radius) for level, skip in enumerate(skips)]

    def add_to_skip(self, level: int, skip: Tensor, radius: Tensor) -> Tensor:
        """The same for the skip at 1 / 2^level of the size."""
        if self.defocus_skips is None:
            return skip
        layer = self.defocus_skips[level]
        both = torch.cat([radius, radius.abs()], dim=1).to(next(layer.parameters()).dtype)
        features: Tensor = layer(F.avg_pool2d(both, 2**level) if level else both)
        return skip + features.to(skip.dtype)

    def add_frames(self, pixels: Tensor, frames: Tensor) -> Tensor:
        """What the skip makes of the decoder's output, [N, C, H, W]; frames [N, 3, H, W] about [-1, 1]."""
        if self.image_skip is not None:
            pixels = pixels + self.image_skip(frames.to(self.image_skip.weight.dtype)).to(pixels.dtype)
        return pixels

    def start_skips(self) -> bool:
        """Let what is added to the decoder's output begin, where it has not learnt yet; whether it did."""
        skip = self.image_skip
        if skip is None or bool(skip.weight.any()):
            return False
        with torch.no_grad():
            skip.weight.copy_(torch.eye(3)[:, :, None, None])
        return True


def read_options(values: dict[str, Any]) -> SmallOptions:
    """Options as `SmallOptions.as_config` wrote them.

    Raises:
        ValueError: an option that is not known here, so that the weights would be run wrongly; or a value
            that is neither true nor false.
    """
    known = set(SmallOptions().as_config())
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(
            f"The checkpoint was trained with {', '.join(unknown):.200}, unknown to this version, which is "
            "older or newer than the file; use the file that comes with it, or the other version."
        )
    for name, value in values.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r:.80}; it must be true or false.")
    return SmallOptions(**values)


def require_channels(options: SmallOptions, config: VAEConfig) -> None:
    """Check that the decoder has the channels that the options read.

    Raises:
        ValueError: it has not.
    """
    if options.lens_mix and options.input_skip:
        raise ValueError(
            "lens_mix gives gates and no picture, to which input_skip could be added; choose one."
        )
    if options.lens_mix and config.out_channels != GATES:
        raise ValueError(
            f"The VAE has out_channels {config.out_channels}; with lens_mix it must have {GATES}."
        )


def skip_widths(config: VAEConfig) -> tuple[int, ...]:
    """Channels of the skips, from full resolution down."""
    widths = config.block_out_channels
    return (widths[0], *widths[:-1])


def _zero_convolution(inputs: int, outputs: int, kernel_size: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, kernel_size, padding=kernel_size // 2)
    set_to_zero(layer)
    return layer


def set_to_zero(layer: nn.Module) -> None:
    """Set all weights and biases of a layer to zero."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
