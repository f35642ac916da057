"""The paper's model from files, for use without a host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..checkpoint.bundle import (
    bundle_at,
    included_model,
    mending_maps,
    mends_maps,
    mixes_pictures,
    mixing_light,
    require_same_bundle,
)
from ..checkpoint.image_encoder import load_image_encoder
from ..checkpoint.library import state_of_model
from ..checkpoint.load import load_unet, load_vae, suited_overlap, trained_mpi_mode, trained_strength_px
from ..checkpoint.precision import with_decoder_in
from ..coc import EQ_1, Falloff
from ..lens import DEFAULT_LENS, LensOverTime
from ..pipeline.streaming import BokehPipeline
from ..progress import Check
from ..published import MPIMode
from ..semantics import no_image_encoder
from .clip_stream import ClipStream
from .renderers import ModelRenderer, model_fingerprint, require_falloff_length

if TYPE_CHECKING:
    from ..pipeline.working_size import WorkingSize


class FileModel:
    """The paper's model as a renderer that loads its files when `load` is called, or when it first renders.

    What tells one result from another is in the files' headers, so that a finished job is known without
    loading anything.
    """

    def __init__(
        self,
        unet: Path | None,
        vae: Path | None,
        image_encoder: Path | None,
        *,
        device: torch.device,
        dtype: torch.dtype,
        mpi_mode: MPIMode | None = None,
        overlap: int | None = None,
        working_size: WorkingSize = "auto",
        falloff: Falloff | LensOverTime = EQ_1,
        gamma: float = DEFAULT_LENS.gamma,
        mend: bool = True,
    ) -> None:
        """Look at the files.

        Args:
            unet: see `checkpoint.load_unet`; None with no `vae` takes the small model that comes with us.
            vae: see `checkpoint.load_vae`; None takes that of the bundle that `unet` is.
            image_encoder: see `load_image_encoder`; None for a model that reads no images.
            device: where to compute.
            dtype: of the U-Net and the decoder; the encoders compute in float32, as published.
            mpi_mode: None takes what the U-Net's file says.
            overlap: frames that neighbouring windows of 8 share, 0 to 7; None takes what the U-Net's file
                says.
            working_size: "auto" (at most the area it was trained at), "native", or (width, height) in px.
            falloff: see `ModelRenderer`.
            gamma: of a model that mixes pictures, see `RefinedVAE.gamma`; the paper's model has its light
                from its training.
            mend: False leaves maps as they are where the model's file asks to have them mended.

        Raises:
            ValueError: missing files, or parts that do not belong together.
        """
        self._unet, self._vae = _chosen(unet, vae)
        self._bundle = require_same_bundle(self._unet, self._vae)
        self._image_encoder = image_encoder
        self._device, self._dtype = device, dtype
        self._mpi_mode: MPIMode = mpi_mode or trained_mpi_mode(self._unet)
        self._overlap = suited_overlap(self._unet) if overlap is None else overlap
        self._working_size, self._falloff = working_size, falloff
        self._mixes_pictures = mixes_pictures(self._bundle, str(self._unet))
        self._gamma = gamma if self._mixes_pictures else 1.0
        self._mends_maps = mend and mends_maps(self._bundle, str(self._unet))
        self._loaded: ModelRenderer | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Weight files that the renderer reads, in the order U-Net, VAE, image encoder."""
        return tuple(path for path in (self._unet, self._vae, self._image_encoder) if path is not None)

    @property
    def keeps_light(self) -> bool:
        return self._mixes_pictures

    @property
    def mends_maps(self) -> bool:
        return self._mends_maps

    def load(self) -> ModelRenderer:
        """Load the networks, once.

        Raises:
            ValueError: wrong files.
        """
        if self._loaded is None:
            self._loaded = self._renderer()
        return self._loaded

    def fingerprint(self) -> str:
        return model_fingerprint(
            self._weights(), self._mpi_mode, self._overlap, self._working_size, falloff=self._falloff
        )

    def require_strength(self, strength: Tensor) -> None:
        """Take every strength; beyond what it was trained for, `describe` warns."""
        require_falloff_length(self._falloff, len(strength))

    def describe(self, clip: ClipStream) -> str:
        return self.load().describe(clip)

    def frames(self, clip: ClipStream, start: int, check: Check) -> Iterator[Tensor]:
        return self.load().frames(clip, start, check)

    def _renderer(self) -> ModelRenderer:
        network = load_unet(self._unet, self._dtype, drop_ff_k=True).to(self._device)
        coder = with_decoder_in(load_vae(self._vae), self._dtype)
        coder = mending_maps(mixing_light(coder, self._gamma), self._mends_maps).to(self._device)
        if network.reads_images and self._image_encoder is None:
            raise ValueError("This model needs --image-encoder; docs/model-files.md says where to get it.")
        embed = (
            load_image_encoder(self._image_encoder, self._device)
            if self._image_encoder is not None and network.reads_images
            else no_image_encoder(network.embedding_width)
        )
        renderer = ModelRenderer(
            BokehPipeline(network, coder, embed, device=self._device),
            self._weights(),
            self._mpi_mode,
            self._overlap,
            self._working_size,
            trained_px=trained_strength_px(self._unet),
            falloff=self._falloff,
        )
        if self._bundle is None:
            return renderer
        return replace(renderer, name=self._unet.stem)

    def _weights(self) -> str:
        """A text that differs where weights do."""
        name = self._image_encoder.name if self._image_encoder is not None else ""
        light = "" if self._gamma == 1 else f" light {self._gamma:g}"
        files = f"{state_of_model(self._unet, 'unet')} {state_of_model(self._vae, 'vae')}"
        return f"{files} {self._dtype} {name}{light}"


def _chosen(unet: Path | None, vae: Path | None) -> tuple[Path, Path]:
    """The files of the two networks.

    Raises:
        ValueError: one is missing.
    """
    if unet is None and vae is None:
        unet = included_model()
    if unet is not None and vae is None and bundle_at(unet) is not None:
        vae = unet
    if unet is None or vae is None:
        raise ValueError(
            f"--renderer model needs {'--unet' if unet is None else '--vae'}; docs/model-files.md says "
            "where to get the files."
        )
    return unet, vae
