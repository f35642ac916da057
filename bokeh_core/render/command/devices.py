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
    kind = torch.device(there[0]).type
    if name == "auto":
        name = kind
    if name == kind and kind != "cpu":
        return torch.device(there[process.local_rank % (len(there) - 1)])
    # "cpu:0" is the processor, and Apple's GPU has no number either.
    unnumbered = re.sub(r"^(\w+):0$", r"\1", name)
    found = name if name in there else unnumbered
    if found not in there:
        raise ValueError(f"There is no device {name[:40]!r} here; choose one of {', '.join(there)}, or auto.")
    return torch.device(found)


def devices_here() -> list[str]:
    """Names of the devices that torch can use on this machine, GPUs first, whoever made them."""
    kind = _kind_of_gpu()
    if kind is None:
        return ["cpu"]
    if kind == "mps":
        return [kind, "cpu"]
    return [*(f"{kind}:{i}" for i in range(torch.get_device_module(kind).device_count())), "cpu"]


def _kind_of_gpu() -> str | None:
    """What torch calls the accelerator of this machine; None without one."""
    accelerator = getattr(torch, "accelerator", None)
    if accelerator is not None:
        current = accelerator.current_accelerator() if accelerator.is_available() else None
        return None if current is None else current.type
    # torch before 2.6, whose module of Apple's GPU only counts.
    kinds = (kind for kind in ("cuda", "xpu", "mps") if torch.get_device_module(kind).device_count() > 0)
    return next(kinds, None)
