"""How the renderer's small steps are computed: in one way on a CPU, in another on an accelerator.

The method asks `backend_of` a device and never looks at the device itself.
"""

import torch

from .accelerator import AcceleratorBackend
from .cpu import CpuBackend
from .protocol import Backend, Border, Piece

CPU: Backend = CpuBackend()
ACCELERATOR: Backend = AcceleratorBackend()

BACKENDS: dict[str, Backend] = {"cpu": CPU}
"""By the type of a device; `ACCELERATOR` serves every other one. A test may put it in the CPU's place."""


def backend_of(device: torch.device) -> Backend:
    """What computes for tensors on a device."""
    return BACKENDS.get(device.type, ACCELERATOR)


__all__ = ["ACCELERATOR", "BACKENDS", "CPU", "Backend", "Border", "Piece", "backend_of"]
