"""The weights that come with the package."""

from __future__ import annotations

import threading
from pathlib import Path

import torch

from .network import MenderNetwork

WEIGHTS_FILE = Path(__file__).with_name("mender.safetensors")

_loaded: dict[tuple[Path, str], MenderNetwork] = {}
_loading = threading.Lock()


def trained_network(device: torch.device, path: Path = WEIGHTS_FILE) -> MenderNetwork:
    """The trained network on a device, read once.

    Raises:
        ValueError: the file is missing, cut short or damaged, or is another network's.
    """
    with _loading:
        key = path, str(device)
        if key not in _loaded:
            _loaded[key] = read_network(path).to(device)
        return _loaded[key]


def read_network(path: Path) -> MenderNetwork:
    """Read a network from a file, see `trained_network`."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    again = "Install the pack again, or turn `trained` off in Refine Depth, which then goes by rules."
    try:
        tensors = load_file(path)
    except FileNotFoundError as error:
        raise ValueError(f"{path}, the network of Refine Depth, is missing. {again}") from error
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path}, the network of Refine Depth, is cut short or damaged ({error!s:.200}). {again}"
        ) from error
    network = MenderNetwork()
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    if {name: value.shape for name, value in tensors.items()} != wanted:
        raise ValueError(f"{path} is not the network of this version of Refine Depth. {again}")
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise ValueError(f"{path}, the network of Refine Depth, has values that are no numbers. {again}")
    network.load_state_dict({name: value.float() for name, value in tensors.items()})
    network.requires_grad_(False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network
