"""CLIP's image encoder from files, for use without a host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .files import read_json, read_safetensors_header
from .precision import ENCODER_DTYPE

if TYPE_CHECKING:
    from ..semantics import ImageEncoder

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
# Far beyond any image encoder; a stranger's config can ask for a network that no memory holds.
_LARGEST = {name: 256 if name == "num_hidden_layers" else 65536 for name in _VIT_H if name != "hidden_act"}
_DERIVED = "position_ids"
_WANTED = "Take clip_vision_h.safetensors, or image_encoder of Stable Video Diffusion."


def load_image_encoder(path: Path, device: torch.device) -> ImageEncoder:
    """Load CLIP's image encoder with its projection; it computes in `ENCODER_DTYPE`.

    Args:
        path: a folder with `config.json` and a .safetensors file (the `image_encoder` of Stable Video
            Diffusion), or such a file alone, which must be CLIP ViT-H/14 unless a config lies beside it.
        device: where to compute.

    Returns:
        [N, 3, 224, 224] -> [N, D].

    Raises:
        ValueError: missing or damaged files, weights of another model, or the package transformers is not
            installed.
    """
    from safetensors.torch import load_file

    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise ValueError(
            f"{path} is not an image encoder; name a .safetensors file or a folder that holds one."
        )
    shapes, _ = read_safetensors_header(files[:1])
    config = files[0].parent / "config.json"
    described = _VIT_H
    if config.is_file():
        stored = read_json(config)
        described = stored if "projection_dim" in stored else _VIT_H
    with torch.device("meta"):
        wanted = _shapes_of(_build(described, config))
    given = {name: shape for name, shape in shapes.items() if _DERIVED not in name}
    if given != wanted:
        wrong = sorted(name for name in given.keys() | wanted.keys() if given.get(name) != wanted.get(name))
        raise ValueError(
            f"{files[0]} is not a CLIP ViT-H/14 image encoder with projection: {len(wrong)} tensors differ, "
            f"first {wrong[0]}. {_WANTED}"
        )
    model = _build(described, config)
    model.load_state_dict(load_file(files[0]), strict=False)
    model.to(device, ENCODER_DTYPE).eval().requires_grad_(False)

    def encode(pixels: Tensor) -> Tensor:
        embeds: Tensor = model(pixel_values=pixels.to(device, ENCODER_DTYPE)).image_embeds
        return embeds

    return encode


def _shapes_of(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in model.state_dict().items() if _DERIVED not in name}


def _build(config: Mapping[str, Any], source: Path) -> nn.Module:
    try:
        from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
    except ImportError as error:
        raise ValueError(
            "The image encoder needs the package transformers: pip install transformers."
        ) from error
    for name, largest in _LARGEST.items():
        value = config.get(name, _VIT_H[name])
        if type(value) is not int or not 0 < value <= largest:
            raise ValueError(
                f"{source}: {name} is {value!r:.80}; it must be a whole number from 1 to {largest}. {_WANTED}"
            )
    # What transformers makes of a stranger's config, which may be anything: its errors are of many kinds.
    try:
        model: nn.Module = CLIPVisionModelWithProjection(CLIPVisionConfig(**config))
    except Exception as error:
        raise ValueError(f"{source} describes no CLIP image encoder ({error!s:.200}). {_WANTED}") from error
    return model
