"""The paper's model from files, for use without a host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..checkpoint import load_unet, load_vae, trained_mpi_mode
from ..model_library import fingerprint
from ..pipeline import BokehPipeline, ImageEncoder
from .renderers import ModelRenderer

if TYPE_CHECKING:
    from ..models.unet import MPIMode
    from ..working_size import WorkingSize

# CLIP ViT-H/14, for a file of weights without a config beside it.
_VIT_H: dict[str, Any] = {
    "hidden_act": "gelu",
    "hidden_size": 1280,
    "image_size": 224,
    "intermediate_size": 5120,
    "num_attention_heads": 16,
    "num_hidden_layers": 32,
    "patch_size": 14,
    "projection_dim": 1024,
}
_DERIVED = "position_ids"


def model_renderer(
    unet: Path,
    vae: Path,
    image_encoder: Path,
    *,
    device: torch.device,
    dtype: torch.dtype,
    mpi_mode: MPIMode | None = None,
    overlap: int = 4,
    working_size: WorkingSize = "auto",
) -> ModelRenderer:
    """Load the three networks.

    Args:
        unet: see `checkpoint.load_unet`.
        vae: see `checkpoint.load_vae`.
        image_encoder: see `load_image_encoder`.
        device: where to compute.
        dtype: of the U-Net and the decoder; the encoders compute in float32, as published.
        mpi_mode: None takes what the U-Net's file says.
        overlap: frames that windows share.
        working_size: see `working_geometry`.

    Raises:
        ValueError: missing or wrong files.
    """
    network = load_unet(unet, dtype, drop_ff_k=True).to(device)
    coder = load_vae(vae).to(device)
    coder.decoder.to(dtype)
    weights = f"{fingerprint(unet, 'unet')} {fingerprint(vae, 'vae')} {dtype} {image_encoder.name}"
    pipeline = BokehPipeline(network, coder, load_image_encoder(image_encoder, device), device=device)
    return ModelRenderer(pipeline, weights, mpi_mode or trained_mpi_mode(unet), overlap, working_size)


def load_image_encoder(path: Path, device: torch.device) -> ImageEncoder:
    """Load CLIP's image encoder with its projection.

    Args:
        path: a folder with `config.json` and a .safetensors file (the `image_encoder` of Stable Video
            Diffusion), or such a file alone, which must be CLIP ViT-H/14 unless a config lies beside it.
        device: where to compute.

    Raises:
        ValueError: missing files, weights of another model, or the package transformers is not installed.
    """
    from safetensors.torch import load_file

    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise ValueError(f"{path} is no image encoder; name a .safetensors file or a folder that holds one.")
    config = files[0].parent / "config.json"
    described = _VIT_H
    if config.is_file():
        stored = json.loads(config.read_text(encoding="utf-8"))
        described = stored if "projection_dim" in stored else _VIT_H
    model = _build(described)
    tensors = {name: value for name, value in load_file(files[0]).items() if _DERIVED not in name}
    wanted = {name: value.shape for name, value in model.state_dict().items() if _DERIVED not in name}
    given = {name: value.shape for name, value in tensors.items()}
    if given != wanted:
        wrong = sorted(name for name in given.keys() | wanted.keys() if given.get(name) != wanted.get(name))
        raise ValueError(
            f"{files[0]} is no CLIP ViT-H/14 image encoder with projection: {len(wrong)} tensors differ, "
            f"first {wrong[0]}. Take clip_vision_h.safetensors, or image_encoder of Stable Video Diffusion."
        )
    model.load_state_dict(tensors, strict=False)
    model.float().eval().requires_grad_(False).to(device)

    def encode(pixels: Tensor) -> Tensor:
        embeds: Tensor = model(pixel_values=pixels.to(device, torch.float32)).image_embeds
        return embeds

    return encode


def _build(config: dict[str, Any]) -> nn.Module:
    try:
        from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
    except ImportError as error:
        raise ValueError(
            "The image encoder needs the package transformers: pip install transformers."
        ) from error
    model: nn.Module = CLIPVisionModelWithProjection(CLIPVisionConfig(**config))
    return model
