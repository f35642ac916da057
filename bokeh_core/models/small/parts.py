"""U-Net and VAE of a network with `SmallOptions`, each able to run where the published ones run."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...memory.needs import PIECE_ELEMENTS
from ...published import PUBLISHED_MPI_MODE, TRAINED_SIZE_PX, MPIMode
from ..unet import BokehUNet, UNetConfig
from ..vae import RefinedVAE, SkipLevel, VAEConfig, frames_of
from .mix import WORKING_SIZE_PX
from .options import (
    RADIUS_SCALE_PX,
    SmallLayers,
    SmallOptions,
    require_channels,
    skip_widths,
)


class SmallUNet(BokehUNet):
    """A U-Net that may predict what the lens changes, and may have no use for image embeddings."""

    def __init__(self, config: UNetConfig, options: SmallOptions) -> None:
        super().__init__(config)
        self.options = options
        self.reads_images = options.image_encoder

    def forward(
        self,
        sample: Tensor,
        blur_strength_px: Tensor,
        image_embeds: Tensor,
        mpi_regions: Tensor | None = None,
        mpi_mode: MPIMode = PUBLISHED_MPI_MODE,
    ) -> Tensor:
        """As `BokehUNet.forward`; with `latent_difference` the frames' latents are added."""
        output = super().forward(sample, blur_strength_px, image_embeds, mpi_regions, mpi_mode)
        return self.options.whole_latents(output, sample)


class SmallVAE(RefinedVAE):
    """A VAE with the options' layers around it, which read the signed blur radius of every pixel.

    `decode` takes that radius as one more level behind the skips: [N, 1, H, W] in px.

    With `lens_mix` it gives gates, of which `pipeline.mixing` makes the picture.
    """

    def __init__(self, config: VAEConfig, options: SmallOptions) -> None:
        super().__init__(config)
        require_channels(options, config)
        self.options = options
        self.reads_radius = options.needs_radius
        self.gives_gates = options.lens_mix
        self.mends_maps = options.mend
        # Gates come from the frames themselves: how many are seen together hardly changes them.
        self.joins_rest = options.lens_mix
        self.auto_size_px = WORKING_SIZE_PX if options.lens_mix else TRAINED_SIZE_PX
        self.layers = SmallLayers(options, skip_widths(config))

    def encode_defocus(self, distance: Tensor, radius_px: Tensor | None = None) -> Tensor:
        """As `RefinedVAE.encode_defocus`; with `signed_defocus` features of the radius."""
        encoder = self.layers.defocus_encoder
        if encoder is None or radius_px is None:
            return super().encode_defocus(distance, radius_px)
        features: Tensor = encoder((radius_px / RADIUS_SCALE_PX).to(encoder.weight.dtype))
        return features

    def decode(
        self, latents: Tensor, skips: Sequence[SkipLevel], *, piece_elements: int = PIECE_ELEMENTS
    ) -> Tensor:
        """As `RefinedVAE.decode`, to [N, 3, 8h, 8w], or to gates [N, `GATES`, 8h, 8w].

        Args:
            latents: [N, 4, h, w], scaled.
            skips: as `skips` gives them, and where an option reads it the radius in px.
            piece_elements: see `RefinedVAE.decode`.

        Raises:
            ValueError: the skips are not those of these frames.
        """
        levels = len(self.config.block_out_channels)
        if len(skips) != levels + self.reads_radius:
            raise ValueError(
                f"{len(skips)} levels of skips; this model needs {levels}"
                f"{' and the blur radius behind them' if self.reads_radius else ''}."
            )
        radius_px = torch.cat([*frames_of(skips[levels])]) if self.reads_radius else None

        def finish(level: int, skip: Tensor, start: int, stop: int) -> Tensor:
            if radius_px is None:
                return skip
            return self.layers.add_to_skip(level, skip, radius_px[start:stop] / RADIUS_SCALE_PX)

        pixels = self._decode(latents, skips[:levels], piece_elements, finish)
        return self.layers.add_frames(pixels, torch.cat([*frames_of(skips[0])]))
