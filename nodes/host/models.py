"""Models in the host's keeping: in which dtype, on which device, and how they get there."""

from collections.abc import Sequence
from typing import Any

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import torch
from torch import nn

from .device import compute_device

DTYPES = (torch.float16, torch.bfloat16, torch.float32)
# Layers of the network for which the host has its own of the same name. Group norms stay plain, and so always
# on the device: they are under 1 MB, and the decoder, which norms a clip band by band, reads their weights.
STREAMED_LAYERS = ("Linear", "Conv2d", "Conv3d", "LayerNorm")


def unet_dtype(num_parameters: int) -> torch.dtype:
    """Return the dtype in which the host would run a U-Net of this size on its device."""
    management = comfy.model_management
    device = compute_device()
    stored = management.unet_dtype(device, num_parameters, supported_dtypes=list(DTYPES))
    cast = management.unet_manual_cast(stored, device, supported_dtypes=list(DTYPES))
    computed: torch.dtype = stored if cast is None else cast
    # A command line may ask for 8-bit weights, which this network does not have.
    return computed if computed in DTYPES else torch.float16


def vae_dtype() -> torch.dtype:
    """Return the dtype in which the host would run a VAE that takes float16 and bfloat16."""
    chosen: torch.dtype = comfy.model_management.vae_dtype(vae_device(), list(DTYPES[:2]))
    return chosen


def vae_device() -> torch.device:
    """Return the device on which the host runs VAEs."""
    return comfy.model_management.vae_device()


def manage_unet(model: nn.Module) -> Any:
    """Hand a U-Net into the host's keeping; returns its ModelPatcher."""
    return _managed(model, compute_device(), comfy.model_management.unet_offload_device())


def manage_vae(model: nn.Module) -> Any:
    """Hand a VAE into the host's keeping; returns its ModelPatcher."""
    return _managed(model, vae_device(), comfy.model_management.vae_offload_device())


def _managed(model: nn.Module, device: torch.device, offload_device: torch.device) -> Any:
    # With the host's own layers it can leave weights in main memory and stream them when memory is short.
    layers = comfy.ops.disable_weight_init
    streamed = {getattr(nn, name): getattr(layers, name) for name in STREAMED_LAYERS}
    for module in model.modules():
        if type(module) in streamed:
            module.__class__ = streamed[type(module)]
    # Newer hosts name the kind that they keep themselves; another beside it would drive theirs out.
    kind = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
    return kind(model, load_device=device, offload_device=offload_device)


def load_models(patchers: Sequence[Any], memory_required: int) -> None:
    """Bring models to their devices with room for `memory_required` bytes beside them."""
    comfy.model_management.load_models_gpu(list(patchers), memory_required=memory_required)
    for patcher in patchers:
        pinned = _pinned_by_module(patcher)
        for name, module in patcher.model.named_modules():
            # The host leaves single parameters behind when it loads a model in part.
            if not hasattr(module, "comfy_cast_weights"):
                # The host must let go of what it pinned in main memory before that is moved.
                for key in pinned.get(name, ()):
                    patcher.unpin_weight(key)
                module._apply(lambda value, to=patcher.load_device: value.to(to), recurse=False)


def _pinned_by_module(patcher: Any) -> dict[str, list[str]]:
    """Names of the parameters that newer hosts pinned in main memory, by the module that has them.

    None of those whose host brings weights as they are read, and looks after what it pinned.
    """
    pinned: dict[str, list[str]] = {}
    if hasattr(patcher, "is_dynamic") and patcher.is_dynamic():
        return pinned
    for key in sorted(getattr(patcher, "pinned", ())):
        pinned.setdefault(key.rpartition(".")[0], []).append(key)
    return pinned
