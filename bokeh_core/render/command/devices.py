"""The device that a name on the command line stands for, if this machine has it."""

from __future__ import annotations

import re

import torch

from ..processes import Process


def chosen_device(name: str, process: Process) -> torch.device:
    """The device of a name; `auto` is a GPU if there is one, and each process of a machine has its own.

    Raises:
        ValueError: no such device here.
    """
    there = devices_here()
    if name == "auto":
        name = "cuda" if "cuda:0" in there else "cpu"
    if name == "cuda" and "cuda:0" in there:
        return torch.device("cuda", process.local_rank % torch.cuda.device_count())
    # "xpu" is its first one; the processor and Apple's GPU are one each.
    numbered = re.sub(r"^(cpu|mps):0$", r"\1", name if ":" in name else f"{name}:0")
    if numbered not in there:
        raise ValueError(f"There is no device {name[:40]!r} here; choose one of {', '.join(there)}, or auto.")
    return torch.device(numbered)


def devices_here() -> list[str]:
    """Names of the devices that torch can use on this machine, GPUs first."""
    found = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.xpu.is_available():
        found += [f"xpu:{i}" for i in range(torch.xpu.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]
