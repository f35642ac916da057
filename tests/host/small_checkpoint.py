"""A small random network in the published layout, written to disk as the authors' archive unpacks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bokeh_core.checkpoint.load import load_unet, load_vae
from bokeh_core.models import BokehUNet, RefinedVAE
from bokeh_core.pipeline.streaming import BokehPipeline

EMBEDDING_WIDTH = 32
WEIGHTS = "diffusion_pytorch_model.safetensors"
UNET_CONFIG: dict[str, Any] = {
    "_class_name": "UNetSpatioTemporalConditionModel",
    "addition_time_embed_dim": 16,
    "block_out_channels": [32, 32, 64, 64],
    "cross_attention_dim": EMBEDDING_WIDTH,
    "down_block_types": ["CrossAttnDownBlockSpatioTemporal"] * 3 + ["DownBlockSpatioTemporal"],
    "in_channels": 8,
    "layers_per_block": 1,
    "num_attention_heads": [1, 2, 2, 2],
    "out_channels": 4,
    "projection_class_embeddings_input_dim": 48,
    "transformer_layers_per_block": 1,
    "up_block_types": ["UpBlockSpatioTemporal"] + ["CrossAttnUpBlockSpatioTemporal"] * 3,
}
VAE_CONFIG: dict[str, Any] = {
    "_class_name": "AutoencoderKLTemporalDecoder",
    "block_out_channels": [32, 32, 32, 32],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "in_channels": 3,
    "latent_channels": 4,
    "layers_per_block": 1,
    "out_channels": 3,
    "scaling_factor": 0.18215,
}
# In the layout of transformers, which the host's image encoder shares.
CLIP_CONFIG: dict[str, Any] = {
    "hidden_act": "gelu",
    "hidden_size": 32,
    "image_size": 224,
    "intermediate_size": 64,
    "layer_norm_eps": 1e-5,
    "model_type": "clip_vision_model",
    "num_attention_heads": 2,
    "num_channels": 3,
    "num_hidden_layers": 2,
    "patch_size": 32,
    "projection_dim": EMBEDDING_WIDTH,
}


def randomised(model: nn.Module, seed: int) -> dict[str, Tensor]:
    """Return a state dict in float16 in which every part matters: gates open, skips and mixers at work."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, value in model.state_dict().items():
        noise = torch.randn(value.shape, generator=generator)
        if name.endswith(("alpha_attn", "alpha_dense", "mix_factor")):
            value = 0.5 + 0.2 * noise
        elif "norm" in name:
            value = value + 0.1 * noise
        elif "resnets" in name and name.endswith("conv2.weight"):
            # So small a network normalises one or two values at a time, which magnifies rounding errors a
            # thousandfold in wild weights; calm ones let results be compared.
            value = noise * 0.25 / value[0].numel() ** 0.5
        elif value.ndim > 1:
            value = noise * 0.8 / value[0].numel() ** 0.5
        else:
            value = 0.1 * noise
        tensors[name] = value.to(torch.float16).contiguous()
    return tensors


def write_folder(folder: Path, config: dict[str, Any], tensors: dict[str, Tensor]) -> Path:
    """Write a model folder as diffusers does; return it."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(tensors, folder / WEIGHTS)
    return folder


def write_checkpoints(root: Path) -> tuple[Path, Path]:
    """Write `checkpoints/unet/unet` and `checkpoints/vae` below `root`; return both folders."""
    torch.manual_seed(0)
    unet = randomised(BokehUNet.from_config(UNET_CONFIG), 1)
    vae = randomised(RefinedVAE.from_config(VAE_CONFIG), 2)
    return (
        write_folder(root / "checkpoints" / "unet" / "unet", UNET_CONFIG, unet),
        write_folder(root / "checkpoints" / "vae", VAE_CONFIG, vae),
    )


def clip_model(config: dict[str, Any]) -> Any:
    """Return transformers' image encoder of a config."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    return CLIPVisionModelWithProjection(CLIPVisionConfig(**config)).eval()


def write_clip(folder: Path, name: str, seed: int = 3, **changes: Any) -> None:
    """Write `name`.json and `name`.safetensors, a random image encoder, into a folder."""
    config = {**CLIP_CONFIG, **changes}
    (folder / f"{name}.json").write_text(json.dumps(config), encoding="utf-8")
    tensors = randomised(clip_model(config), seed)
    save_file({k: v for k, v in tensors.items() if "position_ids" not in k}, folder / f"{name}.safetensors")


def read_clip(folder: Path, name: str) -> Callable[[Tensor], Tensor]:
    """Return the image encoder that `write_clip` wrote, computed by transformers in float32."""
    model = clip_model(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
    tensors = {k: v.float() for k, v in load_file(folder / f"{name}.safetensors").items()}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert unexpected == [] and [key for key in missing if "position_ids" not in key] == []
    return lambda pixels: model(pixel_values=pixels).image_embeds


def reference_pipeline(unet: Path, vae: Path, clip_folder: Path, clip_name: str) -> BokehPipeline:
    """Return the pipeline on files of this module, in this process."""
    return BokehPipeline(load_unet(unet), load_vae(vae), read_clip(clip_folder, clip_name))
