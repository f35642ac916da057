"""A published folder, .bin or .pth -> one .safetensors file that carries its config."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checkpoint.files import (
    COMPONENT_KEY,
    COMPONENT_NAMES,
    CONFIG_KEY,
    MPI_MODE_KEY,
    Component,
    ModelFiles,
    find_model,
    read_safetensors_header,
)
from ..checkpoint.load import UNUSED_PART, build_model, model_config, require_component, require_fit
from ..checkpoint.write import require_destination, write_model
from ..progress import Progress, no_progress
from ..published import PUBLISHED_MPI_MODE, MPIMode

# Where training code puts a model's weights in a pickle, and the prefix that data-parallel training adds.
NESTED_UNDER = ("state_dict", "module", "model")
PARALLEL_PREFIX = "module."


def _read_pickle(path: Path) -> dict[str, Tensor]:
    """Tensors of a .bin or .pth, unpickled by torch's weights-only reader, which runs no code.

    Raises:
        ValueError: the file is damaged, or holds something other than tensors.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).split("\n")[-1].split("Please use")[0].strip()
        raise ValueError(
            f"{path} was refused: it holds more than weights, and opening it could run code here. "
            f"Get the weights as .safetensors from their source. ({reason})"
        ) from error
    # A damaged pickle can make its reader raise almost any error.
    except Exception as error:
        raise ValueError(
            f"{path} is cut short or not a PyTorch file. Download it again. ({error!s:.200})"
        ) from error
    for name in NESTED_UNDER:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError(f"{path} holds no dictionary of tensors; a U-Net's or a VAE's weights are wanted.")
    return {str(name).removeprefix(PARALLEL_PREFIX): value for name, value in content.items()}


def _read(files: ModelFiles) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not files.is_safetensors:
        tensors: dict[str, Tensor] = {}
        for path in files.weights:
            tensors.update(_read_pickle(path))
        return tensors, {}
    from safetensors.torch import load_file

    _, metadata = read_safetensors_header(files.weights)
    return {name: value for path in files.weights for name, value in load_file(path).items()}, metadata


def _require_plain(tensors: Mapping[str, Tensor], label: str) -> None:
    """Check that each tensor is stored in full: a view can claim to be far larger than its file.

    Raises:
        ValueError: one is not, or holds no floating-point numbers.
    """
    for name, value in tensors.items():
        plain = value.layout == torch.strided and value.is_floating_point() and value.device.type == "cpu"
        if not plain or value.nbytes > value.untyped_storage().nbytes():
            raise ValueError(
                f"{label} holds {name:.200} in a form that no weights have ({value.dtype}, {value.layout}). "
                "Get the weights as .safetensors from their source."
            )


def _cast(tensors: Mapping[str, Tensor], dtype: torch.dtype | None, progress: Progress) -> dict[str, Tensor]:
    cast: dict[str, Tensor] = {}
    for name, value in tensors.items():
        progress(len(cast), len(tensors))
        cast[name] = value.contiguous() if dtype is None else value.to(dtype).contiguous()
        if not bool(torch.isfinite(cast[name]).all()):
            largest = value.abs().max().item()
            raise ValueError(
                f"{name} reaches {largest:g}, beyond {cast[name].dtype}; convert with --dtype bf16 or fp32."
            )
    progress(len(cast), len(tensors))
    return cast


def convert(
    source: Path | str,
    destination: Path | str,
    *,
    dtype: torch.dtype | None = None,
    keep_ff_k: bool = False,
    mpi_mode: MPIMode | None = None,
    progress: Progress = no_progress,
) -> str:
    """Write one model as a single .safetensors file with its config in the metadata.

    Args:
        source: a published folder, or a .bin, .pth or .safetensors file with its config.json beside it.
        destination: the .safetensors file to write, never left half written; one that was written here
            before is replaced.
        dtype: of the written weights; None leaves them as they are stored.
        keep_ff_k: write the `ff_k` layers too, which no computation reads.
        mpi_mode: what a U-Net was trained for; None keeps what the source says, else `released`.
        progress: told of tensors; see `progress.Progress`.

    Returns:
        What was done, in a few lines.

    Raises:
        ValueError: the source is missing, damaged, refused or another model's; the destination is no file to
            write to, somebody else's, or its disk is full.
    """
    source, destination = Path(source), Path(destination)
    files = find_model(source)
    require_destination(destination, [*files.weights, *([] if files.config is None else [files.config])])
    tensors, old_metadata = _read(files)
    label = str(files.weights[0])
    component = require_component(tensors, None, label)
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    config = model_config(component, shapes, old_metadata, files.config, label)
    require_fit(build_model(component, config, shapes, label), shapes, label)
    _require_plain(tensors, label)

    unused = {name for name in tensors if UNUSED_PART in name}
    if not keep_ff_k:
        tensors = {name: value for name, value in tensors.items() if name not in unused}
    metadata = _metadata(component, config, mpi_mode or old_metadata.get(MPI_MODE_KEY, PUBLISHED_MPI_MODE))
    written = _cast(tensors, dtype, progress)
    write_model(destination, written, metadata)
    return _report(component, destination, written, len(unused), keep_ff_k, metadata)


def _metadata(component: Component, config: Mapping[str, Any], mpi_mode: str) -> dict[str, str]:
    metadata = {"format": "pt", COMPONENT_KEY: component, CONFIG_KEY: json.dumps(config)}
    return metadata | {MPI_MODE_KEY: mpi_mode} if component == "unet" else metadata


def _report(
    component: Component,
    destination: Path,
    tensors: Mapping[str, Tensor],
    num_unused: int,
    keep_ff_k: bool,
    metadata: Mapping[str, str],
) -> str:
    parameters = sum(value.numel() for value in tensors.values())
    dtypes = ", ".join(sorted({str(value.dtype).removeprefix("torch.") for value in tensors.values()}))
    lines = [
        f"{destination}: Any-to-Bokeh {COMPONENT_NAMES[component]}, {len(tensors)} tensors, "
        f"{parameters / 1e6:.1f} million parameters, {dtypes}, {destination.stat().st_size / 1e6:.1f} MB."
    ]
    if component == "unet":
        fate = "kept" if keep_ff_k else "dropped"
        reason = "no computation reads them" if num_unused else "the source has none"
        lines.append(f"ff_k: {num_unused} tensors {fate}; {reason}.")
        lines.append(f"MPI mode: {metadata[MPI_MODE_KEY]}.")
    return "\n".join(lines)
