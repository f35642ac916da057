"""Published weights into the network: every tensor must fit, and a misfit is explained to the user."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from ..published import (
    MPI_MODES,
    OVERLAP_FRAMES,
    PUBLISHED_MPI_MODE,
    TRAINED_STRENGTH_PX,
    WINDOW_FRAMES,
    MPIMode,
)
from .bundle import empty_part, is_bundle, names_of_part
from .files import (
    COMPONENT_NAMES,
    CONFIG_KEY,
    MPI_MODE_KEY,
    OVERLAP_KEY,
    STRENGTH_KEYS,
    Component,
    ModelFiles,
    Shapes,
    config_of,
    find_model,
    identify,
    infer_config,
    parse_json,
    read_json,
    read_safetensors_header,
    require_float,
)

if TYPE_CHECKING:
    from ..models import BokehUNet, RefinedVAE

UNUSED_PART = ".fuser.ff_k."
LISTED_TENSORS = 5


def require_component(names: Iterable[str], wanted: Component | None, source: str) -> Component:
    """Check that tensor names are those of the wanted model, or of either where `wanted` is None.

    Raises:
        ValueError: they belong to something else, which the message names.
    """
    found, phrase = identify(names)
    if found is not None and wanted in (None, found):
        return found
    name = "U-Net or VAE" if wanted is None else COMPONENT_NAMES[wanted]
    if found is not None:
        raise ValueError(f"{source} is {phrase}, not a {name}; choose the other of the two files.")
    raise ValueError(f"{source} is {phrase}. An Any-to-Bokeh {name} is wanted here.")


def model_config(
    component: Component,
    shapes: Shapes,
    metadata: Mapping[str, str],
    config_file: Path | None,
    source: str,
) -> dict[str, Any]:
    """The config of a model: from its metadata, else the config.json beside it, else from shapes.

    Raises:
        ValueError: none of the three says what the model looks like.
    """
    if CONFIG_KEY in metadata:
        return parse_json(metadata[CONFIG_KEY], f"The config that {source} carries")
    if config_file is not None:
        return read_json(config_file)
    inferred = infer_config(component, shapes)
    if inferred is None:
        raise ValueError(
            f"{source} carries no config, and its shapes alone do not say how many attention heads it has. "
            "Put the published config.json beside it, or convert the folder: python -m bokeh_core.convert."
        )
    return inferred


def build_model(
    component: Component, config: Mapping[str, Any], names: Iterable[str], source: str
) -> nn.Module:
    """The empty network for these tensors, on the meta device; without `ff_k` where the file has none.

    Raises:
        ValueError: the config makes no such network; `source` names the file.
    """
    from ..models import BokehUNet, RefinedVAE, UNetConfig
    from ..models.config import read_config

    with torch.device("meta"), config_of(source):
        if component == "vae":
            return RefinedVAE.from_config(config)
        network = read_config(UNetConfig, config)
        return BokehUNet(replace(network, keep_ff_k=any(UNUSED_PART in name for name in names)))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED_TENSORS} more" if len(names) > LISTED_TENSORS else ""
    return ", ".join(names[:LISTED_TENSORS]) + more


def require_fit(model: nn.Module, shapes: Shapes, source: str) -> None:
    """Check that the tensors are exactly those of the network.

    Raises:
        ValueError: lists what is missing, unexpected or of another shape.
    """
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    missing = [name for name in expected if name not in shapes]
    unexpected = [name for name in shapes if name not in expected]
    misshapen = [
        f"{name} is {list(shapes[name])} and must be {list(shape)}"
        for name, shape in expected.items()
        if name in shapes and shapes[name] != shape
    ]
    faults = [
        f"{len(names)} {what}: {_listed(names)}"
        for what, names in (
            ("tensors are missing", missing),
            ("are unexpected", unexpected),
            ("have another shape", misshapen),
        )
        if names
    ]
    if faults:
        raise ValueError(f"{source} does not fit its config. " + "; ".join(faults) + ".")


def _read_tensors(
    files: ModelFiles, names: Mapping[str, str], device: torch.device, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Tensors under the names that `names` gives to those in the files."""
    from safetensors import safe_open

    tensors: dict[str, Tensor] = {}
    for path in files.weights:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118
                if name in names:
                    tensors[names[name]] = file.get_tensor(name).to(device=device, dtype=dtype)
    return tensors


def _load(
    component: Component, path: Path | str, dtype: torch.dtype, device: torch.device | str, drop_ff_k: bool
) -> nn.Module:
    files = find_model(path, component)
    if not files.is_safetensors:
        raise ValueError(
            f"{files.weights[0]} is a pickle, which can carry code. Turn it into a .safetensors file once: "
            f"python -m bokeh_core.convert {files.weights[0]} {component}.safetensors"
        )
    source = str(files.weights[0])
    shapes, metadata = read_safetensors_header(files.weights)
    if is_bundle(metadata):
        names = names_of_part(component, shapes)
        model = empty_part(component, metadata, source)
    else:
        require_component(shapes, component, source)
        config = model_config(component, shapes, metadata, files.config, source)
        names = {name: name for name in shapes if not (drop_ff_k and UNUSED_PART in name)}
        model = build_model(component, config, names, source)
    require_fit(model, {name: shapes[stored] for stored, name in names.items()}, source)
    require_float(files.weights)
    model.load_state_dict(_read_tensors(files, names, torch.device(device), dtype), strict=True, assign=True)
    return model.eval()


def load_unet(
    path: Path | str,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    *,
    drop_ff_k: bool = False,
) -> BokehUNet:
    """Load the U-Net from a diffusers folder or a .safetensors file.

    Args:
        path: the file, the folder, or a folder that holds it one level down; or a bundle.
        dtype: of the weights; float32, float16 or bfloat16.
        device: where they go.
        drop_ff_k: leave out the `ff_k` layers, 149 of 1876 million parameters that no computation reads.

    Raises:
        ValueError: the file is missing, damaged, another model's, or does not fit its config.
    """
    return cast("BokehUNet", _load("unet", path, dtype, device, drop_ff_k))


def load_vae(
    path: Path | str, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> RefinedVAE:
    """Load the VAE from a diffusers folder or a .safetensors file; arguments and errors as `load_unet`."""
    return cast("RefinedVAE", _load("vae", path, dtype, device, drop_ff_k=False))


def trained_mpi_mode(path: Path | str) -> MPIMode:
    """The MPI mode a U-Net's weights were trained for: what the file says, else the authors' `released`.

    Raises:
        ValueError: the file is missing or damaged, or names a mode that does not exist.
    """
    text = _unet_metadata(path).get(MPI_MODE_KEY, PUBLISHED_MPI_MODE)
    for mode in MPI_MODES:
        if text == mode:
            return mode
    raise ValueError(
        f"{path} says its mpi_mode is {text!r:.80}; it must be {' or '.join(map(repr, MPI_MODES))}."
    )


def trained_strength_px(path: Path | str) -> tuple[float, float]:
    """Least and greatest K that a U-Net was trained for, in px at the working size.

    Of a file that does not say it, the authors' range.

    Raises:
        ValueError: the file is missing or damaged, or what it says is no range.
    """
    metadata = _unet_metadata(path)
    if not all(key in metadata for key in STRENGTH_KEYS):
        return TRAINED_STRENGTH_PX
    texts = [metadata[key] for key in STRENGTH_KEYS]
    try:
        least, most = map(float, texts)
    except ValueError:
        least, most = math.nan, math.nan
    if not 0 <= least <= most < math.inf:
        raise ValueError(
            f"{path} says it was trained for K from {texts[0]!r:.80} to {texts[1]!r:.80}; these must be two "
            "numbers, the smaller one first."
        )
    return least, most


def suited_overlap(path: Path | str) -> int:
    """Frames that windows of a U-Net are to share, 0 to 7; the authors' 4 where a file does not say it.

    Raises:
        ValueError: the file is missing or damaged, or what it says is no such number.
    """
    text = _unet_metadata(path).get(OVERLAP_KEY, str(OVERLAP_FRAMES))
    if text not in map(str, range(WINDOW_FRAMES)):
        raise ValueError(
            f"{path} says that its windows share {text!r:.80} frames; it must be 0 to {WINDOW_FRAMES - 1}."
        )
    return int(text)


def _unet_metadata(path: Path | str) -> dict[str, str]:
    files = find_model(path, "unet")
    return dict(read_safetensors_header(files.weights)[1]) if files.is_safetensors else {}
