"""Hashes of what a job reads: finished parts are kept for the very same job only."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..video_io.opening import address_of

# Numbers hashed of each weight; networks that agree in these are taken to be the same.
_WEIGHT_SAMPLES = 64


def tensor_hash(values: Tensor) -> str:
    """Hash shape, type and every number of a tensor."""
    digest = hashlib.sha256(f"{tuple(values.shape)} {values.dtype}".encode())
    # Row by row of the first dimension: a view may be larger than what lies behind it.
    for row in values.detach().cpu() if values.ndim else [values.detach().cpu()]:
        # As bytes, for NumPy does not know every type.
        digest.update(row.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def weights_hash(module: nn.Module) -> str:
    """Hash names, shapes, types and the first numbers of a network's weights, wherever they lie."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(value.flatten()[:_WEIGHT_SAMPLES].float().cpu().numpy().tobytes())
    return digest.hexdigest()


def key_of(parts: Mapping[str, Any]) -> str:
    """Hash named texts and numbers."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def packets_hash(path: Path) -> str:
    """Hash what is stored in a video and when it is shown, whatever its container says of itself."""
    import av  # imported on first use: the pack must load fast

    digest = hashlib.sha256()
    with av.open(address_of(path)) as container:
        for packet in container.demux():
            if packet.size:
                digest.update(f"{packet.stream_index} {packet.pts} {packet.size} ".encode())
                digest.update(bytes(packet))
    return digest.hexdigest()
