"""The paper's model under the common interface: needs its U-Net, VAE and image encoder on disk."""

from __future__ import annotations

import importlib.util
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.checkpoint.precision import default_dtype, with_decoder_in
from bokeh_core.pipeline.working_size import working_geometry
from bokeh_core.published import PUBLISHED_MPI_MODE, MPIMode

from .renderer import BokehTask, Render

if TYPE_CHECKING:
    from bokeh_core.models import BokehUNet, RefinedVAE
    from bokeh_core.semantics import ImageEncoder

UNET = "ANY_TO_BOKEH_UNET"
VAE = "ANY_TO_BOKEH_VAE"
IMAGE_ENCODER = "ANY_TO_BOKEH_IMAGE_ENCODER"
"""Environment variables: paths of the U-Net and VAE (.safetensors file or diffusers folder) and of the folder
`image_encoder` of Stable Video Diffusion (config.json and model.safetensors)."""


def missing() -> str | None:
    """Say which file or package the model lacks, or None where it can run."""
    for variable, what in ((UNET, "U-Net"), (VAE, "VAE"), (IMAGE_ENCODER, "image encoder")):
        path = os.environ.get(variable)
        if not path:
            return f"no weights: set {variable} to the path of the {what}"
        if not Path(path).exists():
            return f"no weights: {variable} is {path}, which does not exist"
    absent = [name for name in ("transformers", "diffusers") if importlib.util.find_spec(name) is None]
    return f"packages are not installed: {', '.join(absent)}" if absent else None


def weights() -> dict[str, Path]:
    """Weight files of U-Net, VAE and image encoder, as far as the environment variables name them."""
    return {name: Path(path) for name in (UNET, VAE, IMAGE_ENCODER) if (path := os.environ.get(name))}


def render(task: BokehTask) -> Tensor:
    """Render with the weights that the environment names, in the dtypes of `precision`.

    Raises:
        ValueError: `missing` gives a reason, or a file does not hold what it should.
    """
    reason = missing()
    if reason is not None:
        raise ValueError(f"Any-to-Bokeh cannot run: {reason}.")
    paths = (os.environ[UNET], os.environ[VAE], os.environ[IMAGE_ENCODER])
    return _from_files(*paths, task.device)(task)


def renderer_of_networks(
    unet: BokehUNet, vae: RefinedVAE, image_encoder: ImageEncoder, *, mpi_mode: MPIMode = PUBLISHED_MPI_MODE
) -> Render:
    """Make a renderer of loaded networks.

    K is scaled from px of the frames to px of the working size, as the model was trained. The light of a
    model is what its training data averaged (display values for the published weights), whatever the task's
    gamma.

    Args:
        unet: frame and defocus latents -> bokeh latents, for windows of 8 frames.
        vae: frames [N, 3, H, W] in [-1, 1] <-> latents [N, 4, H/8, W/8].
        image_encoder: frames [N, 3, 224, 224] in [0, 1] -> embeddings [N, D].
        mpi_mode: `released` or `paper`, as the U-Net was trained.
    """
    from bokeh_core.pipeline.streaming import BokehPipeline

    pipeline = BokehPipeline(unet, vae, image_encoder)

    def render(task: BokehTask) -> Tensor:
        height, width = task.frames.shape[1:3]
        scale = working_geometry(height, width, auto_size_px=vae.auto_size_px).inner[1] / width
        bokeh = pipeline(
            task.frames.permute(0, 3, 1, 2),  # THWC -> TCHW
            task.disparity,
            task.focal_disparity,
            task.blur_strength_px * scale,
            mpi_mode=mpi_mode,
            mend=not task.refined,
        )
        return bokeh.permute(0, 2, 3, 1)

    return render


@lru_cache(maxsize=1)
def _from_files(unet: str, vae: str, image_encoder: str, device: torch.device) -> Render:
    from bokeh_core.checkpoint.image_encoder import load_image_encoder
    from bokeh_core.checkpoint.load import load_unet, load_vae, trained_mpi_mode

    dtype = default_dtype(device)
    return renderer_of_networks(
        load_unet(unet, dtype, device, drop_ff_k=True).requires_grad_(False),
        with_decoder_in(load_vae(vae), dtype).to(device).requires_grad_(False),
        load_image_encoder(Path(image_encoder), device),
        mpi_mode=trained_mpi_mode(unet),
    )
