"""Trained weights to disk: the published layout with what users need to know in the metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bokeh_core.checkpoint.bundle import BUNDLE_COMPONENT, LAYERS_PREFIX, OPTIONS_KEY, is_bundle
from bokeh_core.checkpoint.files import (
    COMPONENT_KEY,
    CONFIG_KEY,
    MPI_MODE_KEY,
    OVERLAP_KEY,
    STRENGTH_KEYS,
    config_of,
    parse_json,
    read_safetensors_header,
    require_float,
)
from bokeh_core.checkpoint.load import require_fit
from bokeh_core.checkpoint.write import write_model
from bokeh_core.models.small.options import SmallLayers, SmallOptions, read_options
from bokeh_core.published import MPIMode
from bokeh_core.reference_width import in_frame_px

from .config import Stage, TrainConfig
from .network import BokehNetwork

UNET_FILE, VAE_FILE, LAYERS_FILE = "unet.safetensors", "vae.safetensors", "layers.safetensors"
LAYERS_COMPONENT = "small_layers"


def training_facts(config: TrainConfig, stage: Stage) -> dict[str, str]:
    """What a user of the weights should know of their training, as metadata.

    K is in px of the frames the network sees, for which it was trained: a model is asked for no other.
    """
    data = config.data
    strengths = [*data.strengths, *(data.ramp_range if data.ramp_probability > 0 else ())]
    width, height = data.frame_size
    return {
        "training_stage": stage,
        "training_steps": str(config.run.steps),
        **{
            key: f"{in_frame_px(strength, data.size[0]):g}"
            for key, strength in zip(STRENGTH_KEYS, (min(strengths), max(strengths)), strict=True)
        },
        OVERLAP_KEY: str(config.model.overlap_frames),
        "training_size": f"{width}x{height}",
        "training_frames": "-".join(map(str, data.frames)),
        "training_gamma": f"{data.gamma:g}",
        "training_data": f"preset {data.preset}, {data.scenes or 'endless'} scenes, seed {config.seed}",
        "ablation": json.dumps(asdict(config.ablation)),
    }


def mpi_mode_of(config: TrainConfig) -> MPIMode:
    """Masks as in Eq. 2, or none where MPI is taken away."""
    return "paper" if config.ablation.mpi else "released"


def write_results(network: BokehNetwork, config: TrainConfig, stage: Stage, folder: Path) -> list[Path]:
    """Write the parts of the network that the stage trained, each as one file that loads by itself.

    Args:
        network: with the weights to keep.
        config: of the run.
        stage: decides which parts.
        folder: is made where it does not exist.

    Returns:
        The files.
    """
    facts = training_facts(config, stage)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    if stage in ("stage1", "stage2", "pixels"):
        written.append(folder / UNET_FILE)
        save(network.unet, written[-1], _unet_metadata(network, mpi_mode_of(config)) | facts)
    if stage in ("stage0", "stage3", "pixels"):
        written.append(folder / VAE_FILE)
        save(network.vae, written[-1], _vae_metadata(network) | facts)
    if network.options != SmallOptions():
        written.append(folder / LAYERS_FILE)
        save(network.layers, written[-1], _layers_metadata(network) | facts)
    return written


def write_bundle(
    network: BokehNetwork, mpi_mode: str, path: Path, facts: Mapping[str, str], dtype: torch.dtype
) -> None:
    """Write U-Net, VAE and the options' layers as one file.

    Tensors are named `unet.`, `vae.` and `layers.` and then as in the files of their own; the metadata has
    the three configs under `config`, and `component` is `bundle`.
    """
    configs = {
        "unet": json.loads(_unet_metadata(network, mpi_mode)[CONFIG_KEY]),
        "vae": json.loads(_vae_metadata(network)[CONFIG_KEY]),
        OPTIONS_KEY: network.options.as_config(),
    }
    metadata = {
        "format": "pt",
        COMPONENT_KEY: BUNDLE_COMPONENT,
        CONFIG_KEY: json.dumps(configs),
        MPI_MODE_KEY: mpi_mode,
    }
    save(network, path, metadata | dict(facts), dtype)


def load_layers(path: Path | str, layers: SmallLayers, options: SmallOptions) -> None:
    """Fill the options' layers from their file, or from a bundle.

    Raises:
        ValueError: the file is missing or damaged, or has other options or layers.
    """
    from safetensors.torch import load_file

    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} does not exist; it is the layers' file of an earlier stage.")
    shapes, metadata = read_safetensors_header([path])
    options_of = parse_json(metadata.get(CONFIG_KEY, "{}"), f"The config that {path} carries").get(
        OPTIONS_KEY, {}
    )
    with config_of(str(path)):
        found = read_options(options_of if isinstance(options_of, dict) else {})
    if found != options:
        raise ValueError(f"{path} was trained with options {found.as_config()}, not {options.as_config()}.")
    names = {name: name for name in shapes}
    if is_bundle(metadata):
        names = {name: name.removeprefix(LAYERS_PREFIX) for name in shapes if name.startswith(LAYERS_PREFIX)}
    require_fit(layers, {name: shapes[stored] for stored, name in names.items()}, str(path))
    require_float([path])
    stored = load_file(path)
    layers.load_state_dict({name: stored[old].float() for old, name in names.items()}, strict=True)


def save(
    module: nn.Module, path: Path, metadata: Mapping[str, str], dtype: torch.dtype = torch.float32
) -> None:
    """Write a module's tensors; the file is whole or not there.

    Raises:
        ValueError: it cannot be written.
    """
    tensors: dict[str, Tensor] = {
        name: value.detach().to("cpu", dtype).contiguous() for name, value in module.state_dict().items()
    }
    write_model(path, tensors, metadata)


def _unet_metadata(network: BokehNetwork, mpi_mode: str) -> dict[str, str]:
    return _metadata("unet", asdict(network.unet.config)) | {MPI_MODE_KEY: mpi_mode}


def _vae_metadata(network: BokehNetwork) -> dict[str, str]:
    return _metadata("vae", asdict(network.vae.config))


def _layers_metadata(network: BokehNetwork) -> dict[str, str]:
    return _metadata(LAYERS_COMPONENT, {OPTIONS_KEY: network.options.as_config()})


def _metadata(component: str, config: Mapping[str, Any]) -> dict[str, str]:
    return {"format": "pt", COMPONENT_KEY: component, CONFIG_KEY: json.dumps(config)}
