"""Published Stable Video Diffusion weights as the start of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from bokeh_core.checkpoint.bundle import bundle_at
from bokeh_core.checkpoint.files import (
    Component,
    config_of,
    find_model,
    read_json,
    read_safetensors_header,
    require_float,
)
from bokeh_core.checkpoint.load import load_unet, load_vae, require_fit
from bokeh_core.models import BokehUNet, RefinedVAE
from bokeh_core.models.small.options import FRAME_LATENTS

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def initial_unet(path: Path | str) -> tuple[BokehUNet, list[str]]:
    """Load a U-Net to train on: an Any-to-Bokeh one, a bundle's, or Stable Video Diffusion's with adapters.

    Args:
        path: file or diffusers folder, as for `load_unet`; SVD's needs its config.json.

    Returns:
        The U-Net without the unused `ff_k`, and the names of the tensors that are not from the file.
        `conv_in_mpi` starts as the first four input channels of `conv_in` (section 3.3).

    Raises:
        ValueError: the file is missing, damaged or of another architecture.
    """
    if bundle_at(path) is not None:
        return _plain_unet(path), []
    if is_bokeh_unet(path):
        return load_unet(path, drop_ff_k=True), []
    config = {**_config(path, "unet"), "keep_ff_k": False}
    unet, added = _load_into(lambda: BokehUNet.from_config(config), path, "unet", _is_added_to_unet)
    start_adapter(unet)
    return unet, added


def is_bokeh_unet(path: Path | str) -> bool:
    """Whether a U-Net's own file has fusers, so that it needs nothing added."""
    return bundle_at(path) is None and any(".fuser." in name for name in _names(path, "unet"))


def initial_vae(path: Path | str) -> tuple[RefinedVAE, list[str]]:
    """Load a VAE to train on: a refined one, a bundle's, or Stable Video Diffusion's with skips added.

    Returns and raises as `initial_unet`.
    """
    if bundle_at(path) is not None:
        return _plain_vae(path), []
    if any(name.startswith("decoder.skip_conv_") for name in _names(path, "vae")):
        return load_vae(path), []
    config = _config(path, "vae")
    return _load_into(
        lambda: RefinedVAE.from_config(config),
        path,
        "vae",
        lambda name: name.startswith("decoder.skip_conv_"),
    )


def _plain_unet(bundle: Path | str) -> BokehUNet:
    """The U-Net of a bundle, without what its options do around it: in training the network does that."""
    found = load_unet(bundle)
    unet = BokehUNet(found.config)
    unet.load_state_dict(found.state_dict())
    return unet


def _plain_vae(bundle: Path | str) -> RefinedVAE:
    """The VAE of a bundle, without the options' layers."""
    found = load_vae(bundle)
    vae = RefinedVAE(found.config)
    own = vae.state_dict()
    vae.load_state_dict({name: value for name, value in found.state_dict().items() if name in own})
    return vae


def start_adapter(unet: BokehUNet) -> None:
    """Let `conv_in_mpi` start as the part of `conv_in` that sees the frames' latents."""
    with torch.no_grad():
        unet.conv_in_mpi.weight.copy_(unet.conv_in.weight[:, :FRAME_LATENTS])
        if unet.conv_in_mpi.bias is not None and unet.conv_in.bias is not None:
            unet.conv_in_mpi.bias.copy_(unet.conv_in.bias)


def _is_added_to_unet(name: str) -> bool:
    return ".fuser." in name or name.startswith("conv_in_mpi.")


def _names(path: Path | str, component: Component) -> set[str]:
    files = find_model(path, component)
    if not files.is_safetensors:
        raise ValueError(f"{files.weights[0]} is a pickle, which can carry code; use the .safetensors file.")
    return set(read_safetensors_header(files.weights)[0])


def _config(path: Path | str, component: Component) -> Mapping[str, Any]:
    files = find_model(path, component)
    if files.config is None:
        raise ValueError(f"{files.weights[0]} has no config.json beside it; give the published folder.")
    return read_json(files.config)


def _load_into(
    build: Callable[[], NetworkT], path: Path | str, component: Component, is_added: Callable[[str], bool]
) -> tuple[NetworkT, list[str]]:
    """Fill a network from a file that lacks exactly the added parts."""
    from safetensors.torch import load_file

    files = find_model(path, component)
    source = str(files.weights[0])
    shapes = read_safetensors_header(files.weights)[0]
    # On the meta device first: what a config asks for need not fit into memory.
    with torch.device("meta"), config_of(source):
        empty = build()
    expected = {name: tuple(value.shape) for name, value in empty.state_dict().items()}
    added = [name for name in expected if is_added(name)]
    require_fit(empty, shapes | {name: expected[name] for name in added}, source)
    require_float(files.weights)
    network = build()
    tensors: dict[str, Tensor] = {}
    for part in files.weights:
        tensors.update(load_file(part))
    network.load_state_dict({name: value.float() for name, value in tensors.items()}, strict=False)
    return network, added
