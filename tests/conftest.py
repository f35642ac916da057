"""Fixtures for the tests of the network: golden numbers, the small golden models, and random models."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

GOLDEN = Path(__file__).resolve().parent / "golden"
Numbers = dict[str, Tensor]
ModelT = TypeVar("ModelT", bound=nn.Module)


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    return GOLDEN


@pytest.fixture(scope="session")
def golden() -> Callable[[str], Numbers]:
    """Read one set of golden numbers, float32 unless it says otherwise."""

    def read(name: str) -> Numbers:
        with np.load(GOLDEN / f"{name}.npz") as arrays:
            return {key: torch.from_numpy(arrays[key]) for key in arrays.files}

    return read


@pytest.fixture(scope="session")
def small_unet() -> nn.Module:
    from bokeh_core.checkpoint.load import load_unet

    return load_unet(GOLDEN / "unet").requires_grad_(False)


@pytest.fixture(scope="session")
def small_vae() -> nn.Module:
    from bokeh_core.checkpoint.load import load_vae

    return load_vae(GOLDEN / "vae").requires_grad_(False)


@pytest.fixture(scope="session")
def exact_unet(small_unet: nn.Module) -> nn.Module:
    """The small U-Net in float64, for comparisons: its random weights magnify the rounding of float32."""
    return copy.deepcopy(small_unet).double()


@pytest.fixture(scope="session")
def exact_vae(small_vae: nn.Module) -> nn.Module:
    """The small VAE in float64, for comparisons."""
    return copy.deepcopy(small_vae).double()


@pytest.fixture(scope="session")
def small_image_encoder() -> Callable[[Tensor], Tensor]:
    """The golden image encoder in plain torch: CLIP's vision tower with projection, from its state dict."""
    from safetensors.torch import load_file

    config = json.loads((GOLDEN / "image_encoder" / "config.json").read_text(encoding="utf-8"))
    weights = {k: v.float() for k, v in load_file(GOLDEN / "image_encoder" / "model.safetensors").items()}
    return VisionTower(config, weights)


class VisionTower:
    """CLIPVisionModelWithProjection: pre-norm transformer over patches and a class token, projected."""

    def __init__(self, config: dict[str, Any], weights: Numbers) -> None:
        self.config = config
        self.weights = weights

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return nn.functional.linear(x, self.weights[name + ".weight"], self.weights.get(name + ".bias"))

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self.weights[name + ".weight"], self.weights[name + ".bias"]
        return nn.functional.layer_norm(x, weight.shape, weight, bias, self.config["layer_norm_eps"])

    def _attention(self, x: Tensor, name: str) -> Tensor:
        heads = self.config["num_attention_heads"]
        q, k, v = (
            self._linear(x, f"{name}.{part}_proj").unflatten(-1, (heads, -1)).transpose(1, 2)
            for part in "qkv"
        )
        weights = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(dim=-1)
        return self._linear((weights @ v).transpose(1, 2).flatten(-2), f"{name}.out_proj")

    def __call__(self, images: Tensor) -> Tensor:
        """[N, 3, 224, 224] -> [N, D]."""
        prefix = "vision_model.embeddings."
        patches = nn.functional.conv2d(
            images.float(), self.weights[prefix + "patch_embedding.weight"], stride=self.config["patch_size"]
        )
        tokens = patches.flatten(2).transpose(1, 2)
        first = self.weights[prefix + "class_embedding"].expand(len(images), 1, -1)
        x = torch.cat((first, tokens), dim=1) + self.weights[prefix + "position_embedding.weight"]
        x = self._norm(x, "vision_model.pre_layrnorm")
        for i in range(self.config["num_hidden_layers"]):
            layer = f"vision_model.encoder.layers.{i}."
            x = x + self._attention(self._norm(x, layer + "layer_norm1"), layer + "self_attn")
            hidden = nn.functional.gelu(self._linear(self._norm(x, layer + "layer_norm2"), layer + "mlp.fc1"))
            x = x + self._linear(hidden, layer + "mlp.fc2")
        return self._linear(self._norm(x[:, 0], "vision_model.post_layernorm"), "visual_projection")


@pytest.fixture(scope="session")
def randomised() -> Callable[[ModelT, int], ModelT]:
    """Random values for every parameter; in a fresh model gates and mixers are all alike."""

    def randomise(model: ModelT, seed: int) -> ModelT:
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            fan_in = parameter[0].numel() if parameter.ndim >= 2 else 1
            centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            parameter.data = centre * (parameter.ndim < 2) + noise * (
                0.9 / fan_in**0.5 if fan_in > 1 else 0.4
            )
        return model.eval().requires_grad_(False)

    return randomise
