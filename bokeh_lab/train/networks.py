"""The network that a config describes: from files, from Stable Video Diffusion, or random."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bokeh_core.checkpoint.bundle import bundle_at, bundle_configs
from bokeh_core.checkpoint.files import COMPONENT_NAMES, Component, config_of, find_model, read_json
from bokeh_core.checkpoint.image_encoder import load_image_encoder
from bokeh_core.models import BokehUNet, RefinedVAE, UNetConfig, VAEConfig
from bokeh_core.models.config import read_config
from bokeh_core.semantics import ImageEncoder

from .config import Stage, TrainConfig
from .export import load_layers
from .layers_over_time import leave_out_over_time, start_over_time
from .network import BokehNetwork
from .svd import initial_unet, initial_vae, is_bokeh_unet, start_adapter
from .trainable import remove_ablated, skip_convolutions

logger = logging.getLogger(__name__)


def build_network(config: TrainConfig, stage: Stage, device: torch.device) -> BokehNetwork:
    """Build the network that a stage starts with, on `device`, in float32.

    The same seed gives the same random weights. Weights that no file gave are listed in the log.

    Raises:
        ValueError: a file does not fit, or there are neither weights nor sizes.
    """
    torch.manual_seed(config.seed)
    model = config.model
    unet, new_unet = _unet(config)
    vae, new_vae = _vae(config)
    network = BokehNetwork(unet, vae, model.options, _image_encoder(config, device))
    if new_unet:
        network.start_latent_difference()
        _report("unet", new_unet)
    if new_vae:
        network.start_gates()
        _report("vae", new_vae)
    if model.layers is not None:
        load_layers(model.layers, network.layers, model.options)
    if stage in ("stage3", "pixels"):
        network.start_input_skip()
    remove_ablated(network, config.ablation)
    if config.run.still:
        leave_out_over_time(network)
    network.unet.gradient_checkpointing = config.run.gradient_checkpointing
    network.vae.decoder.gradient_checkpointing = config.run.gradient_checkpointing
    return network.to(device).train()


def _unet(config: TrainConfig) -> tuple[BokehUNet, list[str]]:
    path = config.model.unet
    if path is not None and (config.ablation.pretrained or is_bokeh_unet(path)):
        return initial_unet(path)
    sizes = config.model.unet_config or (_sizes(path, "unet") if path is not None else {})
    _require_sizes(sizes, "unet")
    with config_of("model.unet_config"):
        unet = BokehUNet(replace(read_config(UNetConfig, sizes), keep_ff_k=False))
    start_adapter(unet)
    if config.model.time_init == "identity":
        start_over_time(unet)
    return unet, list(unet.state_dict())


def _vae(config: TrainConfig) -> tuple[RefinedVAE, list[str]]:
    # The prior that Tab. 3 takes away is the U-Net's: without a VAE there are no latents.
    if config.model.vae is not None:
        return initial_vae(config.model.vae)
    _require_sizes(config.model.vae_config, "vae")
    with config_of("model.vae_config"):
        vae = RefinedVAE(read_config(VAEConfig, config.model.vae_config))
    if config.model.skip_init == "random":
        for convolution in skip_convolutions(vae):
            for weight in convolution.parameters():
                nn.init.kaiming_normal_(weight, nonlinearity="linear")
    if config.model.time_init == "identity":
        start_over_time(vae)
    return vae, list(vae.state_dict())


def _sizes(path: str, component: Component) -> Mapping[str, Any]:
    bundle = bundle_at(path)
    if bundle is not None:
        return dict(bundle_configs(bundle, path)[component])
    files = find_model(path, component)
    return read_json(files.config) if files.config is not None else {}


def _require_sizes(sizes: Mapping[str, Any], component: Component) -> None:
    if not sizes:
        raise ValueError(
            f"There is no {COMPONENT_NAMES[component]}: give model.{component} (a file or folder) or "
            f"model.{component}_config (sizes of a random one)."
        )


def _image_encoder(config: TrainConfig, device: torch.device) -> ImageEncoder | None:
    if config.model.image_encoder is None or not config.model.options.image_encoder:
        return None
    return load_image_encoder(Path(config.model.image_encoder), device)


def _report(component: Component, names: list[str]) -> None:
    parts = sorted({"fuser" if ".fuser." in name else name.split(".")[0] for name in names})
    logger.info(
        "%s: %d tensors are newly initialised, in %s.",
        COMPONENT_NAMES[component],
        len(names),
        ", ".join(parts),
    )
